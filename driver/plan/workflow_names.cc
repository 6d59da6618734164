#include "plan/workflow_names.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "base/text.h"

namespace stagemake {
namespace {

constexpr std::string_view kNameLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

bool is_name(std::string_view text) {
  return !text.empty() && text.front() != '-' &&
         text.find_first_not_of(kNameLetters) == std::string_view::npos;
}

class WorkflowReader {
 public:
  WorkflowReader(std::string file, std::string_view text, std::vector<ListedName>& names)
      : file_(std::move(file)), lines_(lines(text)), names_(names) {}

  void read(const YAML::Node& node, unsigned depth = 0) {
    // Aliases can make a short file stand for an endless one, also a list that holds itself.
    constexpr unsigned kMostNodes = 100'000;
    constexpr unsigned kDeepest = 100;
    if (++nodes_ > kMostNodes || depth > kDeepest) return;
    if (node.IsSequence())
      for (const YAML::Node& item : node) read(item, depth + 1);
    if (node.IsScalar()) read_command(node);
    if (!node.IsMap()) return;
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

  // YAML tells where a value begins; in a text of several lines the name stands further down.
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
  std::vector<ListedName>& names_;
  unsigned nodes_ = 0;
};

}  // namespace

std::vector<ListedName> workflow_names_in(const fs::path& tree, const std::string& file, Faults& faults) {
  std::vector<ListedName> names;
  try {
    std::optional<std::string> text = read_inside(tree, file);
    if (text) WorkflowReader(file, *text, names).read(YAML::Load(*text));
  } catch (const YAML::Exception& error) {
    faults.add(fmt::format("{}:{}", file, error.mark.line + 1), "is no YAML: " + printable(error.msg));
  } catch (const Error& error) {
    for (const Fault& fault : error.faults()) faults.add(fault.where, fault.what);
  }
  return names;
}

std::vector<ListedName> workflow_names(const fs::path& tree, Faults& faults) {
  const std::string folder = ".github/workflows";
  std::vector<std::string> files;
  boost::system::error_code failed;
  for (fs::directory_iterator at(tree / folder, failed), end; !failed && at != end; at.increment(failed))
    if (at->path().extension() == ".yml" || at->path().extension() == ".yaml")
      files.push_back(folder + "/" + at->path().filename().string());
  std::sort(files.begin(), files.end());
  std::vector<ListedName> names;
  for (const std::string& file : files)
    for (ListedName& name : workflow_names_in(tree, file, faults)) names.push_back(std::move(name));
  return names;
}

}  // namespace stagemake
