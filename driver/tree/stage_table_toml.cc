#include "tree/stage_table_toml.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "base/files/beneath.h"
#include "base/text/image_name.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

constexpr std::string_view kWordCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

const std::vector<std::string> kPlaceholders = {"%{configure_args}", "%{guard}", "%{system_packages}"};

bool is_name(std::string_view word) {
  return !word.empty() && word.find_first_not_of(kWordCharacters) == std::string_view::npos;
}

// Whether shell text contains $NAME or ${NAME…}.
bool mentions(std::string_view text, std::string_view name) {
  auto in_name = [&](std::size_t at) {
    return at < text.size() && text[at] != '-' && kWordCharacters.find(text[at]) != std::string_view::npos;
  };
  for (std::size_t at = text.find('$'); at != std::string_view::npos; at = text.find('$', at + 1)) {
    std::size_t begin = at + 1 < text.size() && text[at + 1] == '{' ? at + 2 : at + 1;
    if (text.substr(begin).starts_with(name) && !in_name(begin + name.size())) return true;
  }
  return false;
}

std::string meant(std::string_view word, const std::vector<std::string>& known) {
  std::vector<std::string> near = nearest(word, known, 1);
  return near.empty() ? "known: " + join(known, ", ") : "did you mean `" + near[0] + "`?";
}

class Reader {
 public:
  Reader(std::string file, StageTable& table, const std::optional<fs::path>& tree)
      : file_(std::move(file)), table_(table), tree_(tree) {
    if (!tree_) return;
    is_of_tree_ = fs::path(file_).parent_path() == *tree_;
    folder_.emplace(*tree_);
  }

  void read(const toml::table& document) {
    check_keys(document, stage_table_keys());
    text(document, "name", table_.distribution);
    text(document, "root", table_.root);
    text(document, "image_prefix", table_.image_prefix);
    text(document, "environment_prefix", table_.environment_prefix);
    text(document, "default_stage", table_.default_stage);
    texts(document, "environments", table_.environments);
    paths(document, "stamp_folders", table_.stamp_folders);
    path(document, "package_logs", table_.package_logs);
    text(document, "uninstall", table_.uninstall);
    if (const toml::node* node = document.get("uninstall"))
      check_placeholders(*node, "uninstall", table_.uninstall, {});
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
                      near.empty() ? "known: " + join(known, ", ") : "did you mean `" + near[0] + "`?"));
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

  void network(const toml::table& table, const char* key, Network& into) {
    const toml::node* node = table.get(key);
    if (node == nullptr) return;
    std::optional<std::string> word = node->value<std::string>();
    if (std::optional<Network> named = node->is_string() ? network_named(*word) : std::nullopt)
      into = *named;
    else
      faults_.add(at(*node), fmt::format("`{}` must be \"none\", \"default\" or \"host\"", key));
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
        faults_.add(at(item), fmt::format("`{}` must contain only strings", key));
    }
  }

  // The node of one text of a list, for messages; the list's own node if there is none.
  const toml::node& item_of(const toml::table& table, const char* key, std::size_t place) const {
    const toml::array* array = table.get_as<toml::array>(key);
    return array != nullptr && place < array->size() ? *array->get(place) : *table.get(key);
  }

  // Paths must stay inside the tree and have one spelling only: `src`, not `./src/`.
  void settle_path(const toml::node& node, const char* key, std::string& path) {
    std::vector<std::string> parts;
    bool leads_out = path.starts_with('/');
    for (std::string_view part : split(path, '/')) {
      if (part == "..") leads_out = true;
      if (!part.empty() && part != ".") parts.emplace_back(part);
    }
    if (leads_out || parts.empty())
      faults_.add(at(node),
                  fmt::format("`{}`: \"{}\" must be a path inside the tree, without `..`, and not all of it",
                              key, shown(path)));
    path = join(parts, "/");
  }

  void path(const toml::table& table, const char* key, std::string& into) {
    text(table, key, into);
    if (const toml::node* node = table.get(key); node != nullptr && node->is_string() && !into.empty())
      settle_path(*node, key, into);
  }

  void paths(const toml::table& table, const char* key, std::vector<std::string>& into) {
    if (table.get(key) == nullptr) return;
    texts(table, key, into);
    for (std::size_t i = 0; i < into.size(); ++i) settle_path(item_of(table, key, i), key, into[i]);
    check_once(table, key, into);
  }

  void check_once(const toml::table& table, const char* key, const std::vector<std::string>& all) {
    for (std::size_t i = 0; i < all.size(); ++i)
      if (std::find(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(i), all[i]) !=
          all.begin() + static_cast<std::ptrdiff_t>(i))
        faults_.add(at(item_of(table, key, i)),
                    fmt::format("`{}`: \"{}\" appears twice", key, shown(all[i])));
  }

  // Paths that a stage adds must exist: otherwise a typing mistake would be noticed only after hours.
  void check_present(const toml::table& node, const char* key, const StageSpec& stage) {
    if (!tree_) return;
    for (std::size_t i = 0; i < stage.adds.size(); ++i) {
      if (stage.adds[i].empty()) continue;
      if (folder_->open(stage.adds[i], O_PATH | O_NOFOLLOW).is_open() || errno != ENOENT) continue;
      std::string what = fmt::format("stage `{}` adds \"{}\", which is not in {}{}", shown(stage.name),
                                     shown(stage.adds[i]), printable(tree_->string()), beside(stage.adds[i]));
      const toml::node& item = item_of(node, key, i);
      if (is_of_tree_)
        faults_.add(at(item), what);
      else
        table_.warnings.push_back(fmt::format("{}: {}", printable(at(item)), what));
    }
  }

  // Similar names in the folder of a path.
  std::string beside(const std::string& path) const {
    std::vector<std::string> names = folder_->names(fs::path(path).parent_path().string());
    std::vector<std::string> near = nearest(fs::path(path).filename().string(), names, 1);
    return near.empty() ? ""
                        : fmt::format("; did you mean `{}`?",
                                      printable((fs::path(path).parent_path() / near[0]).string()));
  }

  // A variable that no environment has is always empty.
  void check_variables(const toml::table& node, const StageSpec& stage) {
    const std::vector<std::string>& known = recipe_variables();
    auto check_known = [&](const char* key, std::size_t place, const std::string& name) {
      if (std::find(known.begin(), known.end(), name) == known.end())
        faults_.add(at(item_of(node, key, place)),
                    fmt::format("`{}`: there is no variable `{}`; {}", key, shown(name), meant(name, known)));
    };
    auto is_used = [&](const std::string& name) {
      return std::find(stage.uses.begin(), stage.uses.end(), name) != stage.uses.end();
    };
    for (std::size_t i = 0; i < stage.uses.size(); ++i) check_known("uses", i, stage.uses[i]);
    for (std::size_t i = 0; i < stage.passes.size(); ++i) {
      check_known("passes", i, stage.passes[i]);
      // Every other variable can change the result.
      bool is_known = std::find(known.begin(), known.end(), stage.passes[i]) != known.end();
      if (is_known && stage.passes[i] != "MAKE" && !is_used(stage.passes[i]))
        faults_.add(
            at(item_of(node, "passes", i)),
            fmt::format("`passes`: only MAKE may be passed without being part of the key; name `{}` in "
                        "`uses`",
                        shown(stage.passes[i])));
      if (is_used(stage.passes[i]))
        faults_.add(
            at(item_of(node, "passes", i)),
            fmt::format("`passes`: `{}` is also in `uses`: a value either affects what is built or does not",
                        shown(stage.passes[i])));
    }
    check_once(node, "uses", stage.uses);
    check_once(node, "passes", stage.passes);
    for (std::size_t i = 0; i < stage.make_targets.size(); ++i) {
      const std::string& target = stage.make_targets[i];
      if (target.starts_with('$') && !is_used(target.substr(1)))
        faults_.add(
            at(item_of(node, "make_targets", i)),
            fmt::format(
                "`make_targets`: `{0}` is not in `uses`: add it there, so that the stage runs again when "
                "its value changes",
                shown(target.substr(1))));
    }
    for (const std::string& name : known) {
      bool gets =
          is_used(name) || std::find(stage.passes.begin(), stage.passes.end(), name) != stage.passes.end();
      bool sets = name == "MAKE" || stage.recipe.find(name + "=") != std::string::npos;
      if (!gets && !sets && mentions(stage.recipe, name))
        faults_.add(
            at(*node.get("recipe")),
            fmt::format("`recipe` refers to ${0}, which the stage does not get: add \"{0}\" to `uses`",
                        name));
    }
  }

  // A misspelled placeholder would reach the shell unchanged.
  void check_placeholders(const toml::node& node, const char* key, std::string_view text,
                          const std::vector<std::string>& known) {
    for (std::size_t begin = text.find("%{"); begin != std::string_view::npos;
         begin = text.find("%{", begin + 2)) {
      std::size_t end = text.find('}', begin);
      if (end == std::string_view::npos) return;
      std::string word(text.substr(begin, end + 1 - begin));
      bool is_escaped = begin > 0 && text[begin - 1] == '%';
      if (is_escaped || !is_name(text.substr(begin + 2, end - begin - 2))) continue;
      if (std::find(known.begin(), known.end(), word) != known.end()) continue;
      faults_.add(at_line(node, text, begin),
                  fmt::format("`{}`: there is no placeholder `{}`{} (`%%{{` is a literal `%{{`)", key,
                              shown(word), known.empty() ? " here" : "; " + meant(word, known)));
    }
  }

  // The position of a place in a string: its line if the string has several lines, else the string.
  std::string at_line(const toml::node& node, std::string_view text, std::size_t place) const {
    auto breaks = [](std::string_view part) {
      return static_cast<std::size_t>(std::count(part.begin(), part.end(), '\n'));
    };
    std::size_t begin = node.source().begin.line, end = node.source().end.line;
    std::size_t in_text = breaks(text);
    // A line end directly after the opening quotes is not part of the text.
    bool first_is_next = end - begin == in_text + 1;
    if (begin == end || (end - begin != in_text && !first_is_next)) return at(node);
    return fmt::format("{}:{}", file_, begin + (first_is_next ? 1 : 0) + breaks(text.substr(0, place)));
  }

  // Paths in `unkeyed` must be at or below paths that the stage adds.
  void check_unkeyed(const toml::table& node, const StageSpec& stage) {
    for (std::size_t i = 0; i < stage.unkeyed.size(); ++i)
      if (std::none_of(stage.adds.begin(), stage.adds.end(), [&](const std::string& added) {
            return stage.unkeyed[i] == added || stage.unkeyed[i].starts_with(added + "/");
          }))
        faults_.add(at(item_of(node, "unkeyed", i)),
                    fmt::format("`unkeyed`: \"{}\" is neither in `adds` nor below one of its folders",
                                shown(stage.unkeyed[i])));
  }

  // The key has the tarballs' checksums only if this stage, or one before it, adds them.
  void check_tarballs(const toml::table& node, const StageSpec& stage) {
    auto adds_checksums = [](const StageSpec& one) {
      return std::any_of(one.adds.begin(), one.adds.end(),
                         [](const std::string& path) { return path == "build" || path == "build/pkgs"; }) &&
             !one.leaves_out("build/pkgs");
    };
    if (stage.tarballs.empty()) return;
    const StageSpec* at_stage = &stage;
    // Each parent comes before its child, so the search ends even if a faulty table names a stage as its own
    // parent.
    std::size_t before = table_.stages.size();
    while (at_stage != nullptr && !adds_checksums(*at_stage)) {
      std::optional<std::size_t> parent = table_.find(at_stage->parent);
      at_stage = parent && *parent < before ? &table_.stages[*parent] : nullptr;
      before = parent.value_or(0);
    }
    if (at_stage == nullptr)
      faults_.add(at(*node.get("tarballs")),
                  fmt::format("`tarballs`: neither stage `{}` nor an earlier one adds build/pkgs, whose "
                              "checksums identify the right tarballs",
                              shown(stage.name)));
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
    check_keys(node, stage_keys());
    StageSpec stage;
    stage.parent = previous;  // the default parent, so that a chain needs no `parent` keys
    text(node, "name", stage.name);
    text(node, "section", stage.section);
    text(node, "parent", stage.parent);
    paths(node, "adds", stage.adds);
    paths(node, "adds_always", stage.adds_always);
    paths(node, "tarballs", stage.tarballs);
    paths(node, "unkeyed", stage.unkeyed);
    text(node, "recipe", stage.recipe);
    texts(node, "uses", stage.uses);
    texts(node, "passes", stage.passes);
    texts(node, "make_targets", stage.make_targets);
    flag(node, "configures", stage.configures);
    network(node, "network", stage.network);
    flag(node, "errors_ignored", stage.errors_ignored);
    paths(node, "must_exist", stage.must_exist);
    if (stage.section.find_first_not_of(kWordCharacters) != std::string::npos)
      faults_.add(at(*node.get("section")),
                  "`section` must be letters, digits, `-`, `_`: it becomes a mark in a Dockerfile");
    if (!fits_in_image_name(stage.name))
      faults_.add(
          at(node),
          "a stage needs a `name` of lower-case letters and digits, with single `-`, `_` or `.` between "
          "them: it becomes part of an image's name");
    if (table_.find(stage.name))
      faults_.add(at(node), fmt::format("stage `{}` is defined twice", shown(stage.name)));
    if (!stage.parent.empty() && !table_.find(stage.parent))
      faults_.add(at(node), fmt::format("stage `{}`: its parent `{}` is not an earlier stage",
                                        shown(stage.name), shown(stage.parent)));
    if (trimmed(stage.recipe).empty())
      faults_.add(at(node), fmt::format("stage `{}` needs a `recipe`", shown(stage.name)));
    else
      check_placeholders(*node.get("recipe"), "recipe", stage.recipe, kPlaceholders);
    check_present(node, "adds", stage);
    check_variables(node, stage);
    check_unkeyed(node, stage);
    check_tarballs(node, stage);
    if (mentions(stage.recipe, "MAKE") &&
        std::find(stage.passes.begin(), stage.passes.end(), "MAKE") == stage.passes.end())
      faults_.add(
          at(*node.get("recipe")),
          fmt::format("stage `{}`: its recipe runs $MAKE, so `passes` must name MAKE", shown(stage.name)));
    table_.stages.push_back(std::move(stage));
  }

  void check(const toml::table& document) {
    auto where = [&](const char* key) { return document.get(key) ? at(*document.get(key)) : file_; };
    std::vector<std::string_view> parts = split(table_.root, '/');
    bool is_absolute = parts.size() > 1 && parts[0].empty();
    if (!is_absolute || std::any_of(parts.begin() + 1, parts.end(),
                                    [](auto p) { return p.empty() || p == "." || p == ".."; }))
      faults_.add(where("root"),
                  "`root` must be an absolute path, other than /, without `.`, `..` or empty parts");
    std::vector<std::string_view> prefix = split(table_.image_prefix, '/');
    if (!std::all_of(prefix.begin(), prefix.end(), fits_in_image_name))
      faults_.add(where("image_prefix"),
                  "`image_prefix` must be a valid beginning of an image name: lower-case letters and "
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
  const std::optional<fs::path>& tree_;
  std::optional<Beneath> folder_;  // of the tree
  bool is_of_tree_ = false;
  Faults faults_;
};

}  // namespace

const std::vector<std::string>& stage_table_keys() {
  static const std::vector<std::string> kKeys = {
      "name",         "root",          "image_prefix", "environment_prefix", "default_stage",
      "environments", "stamp_folders", "package_logs", "uninstall",          "stage"};
  return kKeys;
}

const std::vector<std::string>& stage_keys() {
  static const std::vector<std::string> kKeys = {
      "name", "section", "parent",       "adds",       "adds_always", "tarballs",       "unkeyed",   "recipe",
      "uses", "passes",  "make_targets", "configures", "network",     "errors_ignored", "must_exist"};
  return kKeys;
}

StageTable read_stage_table(const fs::path& file, const TreeFeatures& features,
                            const std::optional<fs::path>& tree) {
  std::optional<std::string> content = read_file(file);
  if (!content) throw bad_input(file.string(), "does not exist");
  return parse_stage_table(*content, file, features, tree);
}

StageTable parse_stage_table(std::string_view content, const fs::path& file, const TreeFeatures& features,
                             const std::optional<fs::path>& tree) {
  StageTable table = built_in_stages(features);
  table.origin = file.string();
  try {
    Reader(file.string(), table, tree).read(toml::parse(content));
  } catch (const toml::parse_error& error) {
    throw bad_input(
        fmt::format("{}:{}:{}", file.string(), error.source().begin.line, error.source().begin.column),
        printable(error.description().substr(0, 300)));
  }
  return table;
}

}  // namespace stagemake
