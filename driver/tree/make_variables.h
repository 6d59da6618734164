// Values of the variables in dependency lines: the simple assignments of TREE/build/make/Makefile.in.
//
// This does not evaluate make: conditionals, recipes and `define`s are skipped, and values are kept as text
// and expanded at their use (tree/dependency_words.h). If the file is absent, or a value is an `@…@` that
// configure fills in, the value of a release with the same features is used; such a value is *assumed*, and
// assumed values cause no faults. Immutable once read.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/files/files.h"
#include "tree/tree_features.h"

namespace stagemake {

class MakeVariables {
 public:
  struct Value {
    std::string text;
    std::string where;  // "build/make/Makefile.in:12"; empty: assumed
    bool assumed() const { return where.empty(); }
  };

  // Throws Error (BadInput) if the file exists but cannot be read; with `faults`, adds the error to them
  // instead.
  static MakeVariables read(const fs::path& tree, const TreeFeatures& features, Faults* faults = nullptr);

  // The value of a variable; null if the tree has none and none is assumed.
  const Value* find(std::string_view name) const;
  std::vector<std::string> names() const;

  // Prerequisites of the targets `base` and `base-toolchain`. Empty if the tree's Makefile.in has no such
  // rule.
  const Value& base() const { return base_; }
  const Value& base_toolchain() const { return base_toolchain_; }
  // Prerequisites of `sagelib-build-deps`, if the library is a rule of the makefile and not a package.
  const Value& sagelib() const { return sagelib_; }

 private:
  void read_text(std::string_view text, std::string_view file);
  void read_line(std::string_view line, std::string_view file, unsigned number);
  void fill_in(const TreeFeatures& features);

  std::map<std::string, Value, std::less<>> values_;
  Value base_;
  Value base_toolchain_;
  Value sagelib_;
};

}  // namespace stagemake
