// A distribution's tree, given as a few lines of text and written to a folder that is removed with the
// object.
//
//   TreeText tree("zlib standard 1.2\n"
//                 "foo standard 2.0: zlib | make_dep\n"      the line of `dependencies`
//                 "bar optional none: foo\n"                 no version and no tarball: source type none
//                 "foo/trees.txt = SAGE_VENV\n"              a file of a package
//                 "/build/make/Makefile.in = PYTHON = py\n"  a file of the tree
#pragma once

#include <string_view>

#include "base/files/files.h"
#include "plan/dependency_graph.h"

namespace stagemake {

class TreeText {
 public:
  explicit TreeText(std::string_view text);

  const fs::path& path() const { return folder_.path(); }
  // Writes a file of the tree, byte for byte, and replaces an existing one.
  TreeText& file(std::string_view path, std::string_view content);
  // Makes a symbolic link.
  TreeText& link(std::string_view path, std::string_view target);
  TreeText& remove(std::string_view path);
  TreeText& make_folder(std::string_view path);

 private:
  void add_line(std::string_view line);

  TemporaryFolder folder_;
};

// A tree's parsed metadata, with ids of names and names of ids.
class ReadTree {
 public:
  explicit ReadTree(const fs::path& tree, const GraphOptions& options = {})
      : packages(PackageIndex::read(tree)),
        variables(MakeVariables::read(tree, packages.features())),
        graph(packages, variables, options) {}
  ReadTree(const ReadTree&) = delete;  // the graph refers to the packages beside it
  ReadTree& operator=(const ReadTree&) = delete;
  explicit ReadTree(const TreeText& tree, const GraphOptions& options = {})
      : ReadTree(tree.path(), options) {}

  PackageId id(std::string_view name) const { return packages.find(name).value(); }
  template <class Ids>
  std::vector<std::string> names(const Ids& ids) const {
    std::vector<std::string> result;
    for (PackageId id : ids) result.push_back(packages[id].name);
    return result;
  }
  std::vector<std::string> build_order(const std::vector<std::string>& targets) const {
    return names(graph.build_order(targets));
  }
  std::vector<std::string> normal(std::string_view name) const {
    return names(graph.normal_dependencies(id(name)));
  }
  std::vector<std::string> order_only(std::string_view name) const {
    return names(graph.order_only_dependencies(id(name)));
  }

  PackageIndex packages;
  MakeVariables variables;
  DependencyGraph graph;
};

// All faults of a tree, of packages and graph together, as lines. Empty if it has none.
std::vector<std::string> faults_of(const fs::path& tree, const GraphOptions& options = {});

}  // namespace stagemake
