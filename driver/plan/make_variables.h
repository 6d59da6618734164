// What the variables in dependency lines stand for: the simple assignments of TREE/build/make/Makefile.in.
//
// Not a reading of make: conditionals, recipes and `define`s are passed over, and values are kept as text, to
// be expanded where they are used (plan/dependency_words.h). Where the file is absent, or a value is an `@…@`
// that configure fills, that of a release with the same features stands in; such a value is *assumed*, and a
// tree is not blamed for what was only assumed about it. Immutable once read.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "plan/tree_features.h"

namespace stagemake {

class MakeVariables {
 public:
  struct Value {
    std::string text;
    std::string where;  // "build/make/Makefile.in:12"; empty: assumed
    bool assumed() const { return where.empty(); }
  };

  // Throws Error (BadInput) where the file is there and cannot be read; with `faults`, adds that there
  // instead.
  static MakeVariables read(const fs::path& tree, const TreeFeatures& features, Faults* faults = nullptr);

  // The value of a variable; null where the tree has none and none is assumed.
  const Value* find(std::string_view name) const;
  std::vector<std::string> names() const;

  // Prerequisites of the targets `base` and `base-toolchain`. Empty where the tree's Makefile.in has no such
  // rule.
  const Value& base() const { return base_; }
  const Value& base_toolchain() const { return base_toolchain_; }
  // Those of `sagelib-build-deps`, where the library is no package but a rule of the makefile.
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
