// ci-docker.toml → StageTable.
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "plan/stage_table.h"

namespace stagemake {
namespace {

constexpr std::string_view kWordCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

class Reader {
 public:
  Reader(std::string file, StageTable& table) : file_(std::move(file)), table_(table) {}

  void read(const toml::table& document) {
    check_keys(document, {"name", "root", "image_prefix", "environment_prefix", "default_stage",
                          "environments", "stamp_folders", "package_logs", "uninstall", "stage"});
    text(document, "name", table_.distribution);
    text(document, "root", table_.root);
    text(document, "image_prefix", table_.image_prefix);
    text(document, "environment_prefix", table_.environment_prefix);
    text(document, "default_stage", table_.default_stage);
    texts(document, "environments", table_.environments);
    texts(document, "stamp_folders", table_.stamp_folders);
    text(document, "package_logs", table_.package_logs);
    text(document, "uninstall", table_.uninstall);
    if (const toml::node* stages = document.get("stage")) read_stages(*stages);
    check(document);
    faults_.throw_if_any();
  }

 private:
  std::string at(const toml::node& node) const {
    return fmt::format("{}:{}:{}", file_, node.source().begin.line, node.source().begin.column);
  }

  void check_keys(const toml::table& table, const std::vector<std::string>& known) {
    for (const auto& [key, value] : table) {
      std::string name(key.str());
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      std::vector<std::string> near = nearest(name, known, 1);
      faults_.add(
          fmt::format("{}:{}:{}", file_, key.source().begin.line, key.source().begin.column),
          fmt::format("unknown key `{}`; {}", shown(name),
                      near.empty() ? "known are: " + join(known, ", ") : "did you mean `" + near[0] + "`?"));
    }
  }

  void text(const toml::table& table, const char* key, std::string& into) {
    const toml::node* node = table.get(key);
    if (node == nullptr) return;
    if (auto value = node->value<std::string>(); value && node->is_string())
      into = *value;
    else
      faults_.add(at(*node), fmt::format("`{}` must be a string", key));
  }

  void flag(const toml::table& table, const char* key, bool& into) {
    const toml::node* node = table.get(key);
    if (node == nullptr) return;
    if (node->is_boolean())
      into = *node->value<bool>();
    else
      faults_.add(at(*node), fmt::format("`{}` must be true or false", key));
  }

  void texts(const toml::table& table, const char* key, std::vector<std::string>& into) {
    const toml::node* node = table.get(key);
    if (node == nullptr) return;
    const toml::array* array = node->as_array();
    if (array == nullptr) {
      faults_.add(at(*node), fmt::format("`{}` must be a list of strings", key));
      return;
    }
    into.clear();
    for (const toml::node& item : *array) {
      if (item.is_string())
        into.push_back(*item.value<std::string>());
      else
        faults_.add(at(item), fmt::format("`{}` must hold strings only", key));
    }
  }

  // Paths of files to add stay inside the tree, and are written in one way only: `src`, not `./src/`.
  void paths(const toml::table& table, const char* key, std::vector<std::string>& into) {
    texts(table, key, into);
    for (std::string& path : into) {
      std::vector<std::string> parts;
      bool leads_out = path.starts_with('/');
      for (std::string_view part : split(path, '/')) {
        if (part == "..") leads_out = true;
        if (!part.empty() && part != ".") parts.emplace_back(part);
      }
      if (leads_out || parts.empty())
        faults_.add(
            at(*table.get(key)),
            fmt::format("`{}`: \"{}\" must be a path inside the tree, without `..`, and not all of it", key,
                        shown(path)));
      path = join(parts, "/");
    }
  }

  void read_stages(const toml::node& node) {
    const toml::array* array = node.as_array();
    if (array == nullptr || array->empty()) {
      faults_.add(at(node), "`stage` must be a list of tables, written [[stage]]");
      return;
    }
    table_.stages.clear();
    std::string previous;
    for (const toml::node& item : *array) {
      const toml::table* stage = item.as_table();
      if (stage == nullptr) {
        faults_.add(at(item), "a stage must be a table, written [[stage]]");
        continue;
      }
      read_stage(*stage, previous);
      previous = table_.stages.back().name;
    }
  }

  void read_stage(const toml::table& node, const std::string& previous) {
    check_keys(node, {"name", "section", "parent", "adds", "adds_always", "unkeyed", "recipe", "uses",
                      "passes", "make_targets", "configures", "errors_ignored"});
    StageSpec stage;
    stage.parent = previous;  // a chain is written without saying so
    text(node, "name", stage.name);
    text(node, "section", stage.section);
    text(node, "parent", stage.parent);
    paths(node, "adds", stage.adds);
    paths(node, "adds_always", stage.adds_always);
    paths(node, "unkeyed", stage.unkeyed);
    text(node, "recipe", stage.recipe);
    texts(node, "uses", stage.uses);
    texts(node, "passes", stage.passes);
    texts(node, "make_targets", stage.make_targets);
    flag(node, "configures", stage.configures);
    flag(node, "errors_ignored", stage.errors_ignored);
    if (stage.section.find_first_not_of(kWordCharacters) != std::string::npos)
      faults_.add(at(*node.get("section")),
                  "`section` must be letters, digits, `-`, `_`: it becomes a mark in a Dockerfile");
    if (!fits_in_image_name(stage.name))
      faults_.add(
          at(node),
          "a stage needs a `name` of lower-case letters and digits, with single `-`, `_` or `.` between "
          "them: it becomes part of an image's name");
    if (table_.find(stage.name))
      faults_.add(at(node), fmt::format("stage `{}` is there twice", shown(stage.name)));
    if (!stage.parent.empty() && !table_.find(stage.parent))
      faults_.add(at(node), fmt::format("stage `{}`: its parent `{}` is no stage that stands before it",
                                        shown(stage.name), shown(stage.parent)));
    if (trimmed(stage.recipe).empty())
      faults_.add(at(node), fmt::format("stage `{}` needs a `recipe`", shown(stage.name)));
    table_.stages.push_back(std::move(stage));
  }

  void check(const toml::table& document) {
    auto where = [&](const char* key) { return document.get(key) ? at(*document.get(key)) : file_; };
    std::vector<std::string_view> parts = split(table_.root, '/');
    bool is_absolute = parts.size() > 1 && parts[0].empty();
    if (!is_absolute || std::any_of(parts.begin() + 1, parts.end(),
                                    [](auto p) { return p.empty() || p == "." || p == ".."; }))
      faults_.add(where("root"),
                  "`root` must be an absolute path, other than /, without `.`, `..` and empty parts");
    std::vector<std::string_view> prefix = split(table_.image_prefix, '/');
    if (!std::all_of(prefix.begin(), prefix.end(), fits_in_image_name))
      faults_.add(where("image_prefix"),
                  "`image_prefix` must be what an image's name can begin with: lower-case letters and "
                  "digits, with single `-`, `_`, `.` or `/` between them");
    if (!fits_in_image_name(table_.environment_prefix + "x"))
      faults_.add(where("environment_prefix"),
                  "`environment_prefix` must be lower-case letters and digits, with single `-`, "
                  "`_` or `.` between and after them");
    if (!table_.stages.empty() && !table_.find(table_.default_stage)) {
      if (document.get("default_stage"))
        faults_.add(where("default_stage"),
                    fmt::format("no stage is named `{}`", shown(table_.default_stage)));
      else
        table_.default_stage = table_.stages.back().name;
    }
  }

  std::string file_;
  StageTable& table_;
  Faults faults_;
};

}  // namespace

StageTable read_stage_table(const fs::path& file, Dialect dialect) {
  std::optional<std::string> content = read_file(file);
  if (!content) throw bad_input(file.string(), "is not there");
  StageTable table = built_in_stages(dialect);
  table.origin = file.string();
  try {
    Reader(file.string(), table).read(toml::parse(*content));
  } catch (const toml::parse_error& error) {
    throw bad_input(
        fmt::format("{}:{}:{}", file.string(), error.source().begin.line, error.source().begin.column),
        printable(error.description().substr(0, 300)));
  }
  return table;
}

}  // namespace stagemake
