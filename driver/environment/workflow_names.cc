#include "environment/workflow_names.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>

#include "base/files/beneath.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

const std::string kFolder = ".github/workflows/";
constexpr std::string_view kNameLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

bool is_name(std::string_view text) {
  return !text.empty() && text.front() != '-' &&
         text.find_first_not_of(kNameLetters) == std::string_view::npos;
}

class WorkflowReader {
 public:
  // `systems`: read only lists of systems, and only those for containers.
  WorkflowReader(std::string file, std::string_view text, bool systems, std::vector<ListedName>& names)
      : file_(std::move(file)), lines_(lines(text)), systems_(systems), names_(names) {}

  void read(const YAML::Node& node, unsigned depth = 0) {
    // Aliases can make a short file expand endlessly, or a list contain itself.
    constexpr unsigned kMostNodes = 100'000;
    constexpr unsigned kDeepest = 100;
    if (++nodes_ > kMostNodes || depth > kDeepest) return;
    if (node.IsSequence())
      for (const YAML::Node& item : node) read(item, depth + 1);
    if (node.IsScalar() && !systems_) read_command(node);
    if (!node.IsMap() || (systems_ && is_local_job(node))) return;
    for (const auto& entry : node) {
      const YAML::Node &key = entry.first, &value = entry.second;
      bool lists = key.IsScalar() && key.Scalar().starts_with("tox_system_factor");
      if (lists)
        read_list(value.IsMap() && value["default"] ? value["default"] : value);
      else
        read(value, depth + 1);
    }
  }

 private:
  static bool is_local_job(const YAML::Node& job) {
    const YAML::Node variables = job["env"];
    if (!variables.IsDefined() || !variables.IsMap()) return false;
    const YAML::Node name = variables["TOX_ENV"];
    return name.IsDefined() && name.IsScalar() && name.Scalar().starts_with("local");
  }

  void read_list(const YAML::Node& node) {
    unsigned line = line_of(node);
    if (node.IsSequence()) {
      for (const YAML::Node& item : node)
        if (item.IsScalar()) add(item.Scalar(), line_of(item));
      return;
    }
    if (!node.IsScalar() || trimmed(node.Scalar()).substr(0, 1) != "[") return;
    for (std::string_view part : split(node.Scalar(), '"')) add(part, line);
  }

  // `tox -e NAME` and `tox -e NAME,NAME` in the text of a step.
  void read_command(const YAML::Node& node) {
    const std::string& text = node.Scalar();
    for (std::size_t at = text.find("tox "); at != std::string::npos; at = text.find("tox ", at + 1)) {
      std::vector<std::string_view> all = words(std::string_view(text).substr(at, text.find('\n', at) - at));
      for (std::size_t i = 0; i + 1 < all.size(); ++i)
        if (all[i] == "-e")
          for (std::string_view name : split(all[i + 1], ','))
            if (name.starts_with("docker-") || name.starts_with("local-")) add(name, line_of(node));
    }
  }

  // YAML reports only where a value begins; in a text of several lines the name is further down.
  void add(std::string_view name, unsigned from) {
    if (!is_name(name)) return;
    unsigned line = from;
    for (unsigned at = std::max(1u, from); at <= lines_.size(); ++at) {
      std::size_t found = lines_[at - 1].find(name);
      if (found == std::string_view::npos) continue;
      std::string_view text = lines_[at - 1];
      std::size_t end = found + name.size();
      bool whole = (found == 0 || kNameLetters.find(text[found - 1]) == std::string_view::npos) &&
                   (end == text.size() || kNameLetters.find(text[end]) == std::string_view::npos);
      if (!whole) continue;
      line = at;
      break;
    }
    names_.push_back({std::string(name), file_, line});
  }

  static unsigned line_of(const YAML::Node& node) { return static_cast<unsigned>(node.Mark().line + 1); }

  std::string file_;
  std::vector<std::string_view> lines_;
  bool systems_;
  std::vector<ListedName>& names_;
  unsigned nodes_ = 0;
};

}  // namespace

namespace {

std::vector<ListedName> names_in(const fs::path& tree, const std::string& file, bool systems,
                                 Faults& faults) {
  std::vector<ListedName> names;
  try {
    std::optional<std::string> text = read_inside(tree, file);
    if (text) WorkflowReader(file, *text, systems, names).read(YAML::Load(*text));
  } catch (const YAML::Exception& error) {
    faults.add(fmt::format("{}:{}", file, error.mark.line + 1), "is not YAML: " + printable(error.msg));
  } catch (const Error& error) {
    for (const Fault& fault : error.faults()) faults.add(fault.where, fault.what);
  }
  return names;
}

std::vector<std::string> workflow_files(const fs::path& tree) {
  std::vector<std::string> files;
  for (const std::string& name : Beneath(tree).names(kFolder))
    if (name.ends_with(".yml") || name.ends_with(".yaml")) files.push_back(kFolder + name);
  return files;
}

}  // namespace

std::vector<ListedName> workflow_names_in(const fs::path& tree, const std::string& file, Faults& faults) {
  return names_in(tree, file, false, faults);
}

std::vector<ListedName> workflow_names(const fs::path& tree, Faults& faults) {
  std::vector<ListedName> names;
  for (const std::string& file : workflow_files(tree))
    for (ListedName& name : names_in(tree, file, false, faults)) names.push_back(std::move(name));
  return names;
}

std::vector<ListedName> workflow_systems(const fs::path& tree, Faults& faults) {
  const std::string docker = kFolder + "docker.yml";
  std::vector<std::string> files = workflow_files(tree);
  if (std::find(files.begin(), files.end(), docker) != files.end())
    return names_in(tree, docker, false, faults);
  std::vector<ListedName> systems;
  std::set<std::string> seen;
  for (const std::string& file : files)
    for (ListedName& system : names_in(tree, file, true, faults))
      if (seen.insert(system.name).second) systems.push_back(std::move(system));
  return systems;
}

}  // namespace stagemake
