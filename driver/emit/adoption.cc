#include "emit/adoption.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text/text.h"
#include "emit/line_patch.h"
#include "emit/manual/topics.h"

namespace stagemake {
namespace {

constexpr std::string_view kDocker = "docker:";

// The code below a heading of the manual's page about make, tox and CI.
std::vector<std::string> code_below(std::string_view heading) {
  std::vector<MarkdownBlock> blocks;
  for (ManualTopic& topic : manual_topics("stagemake"))
    if (topic.name == "ci") blocks = std::move(topic.blocks);
  bool is_below = false;
  for (const MarkdownBlock& block : blocks) {
    if (block.kind == MarkdownBlock::Kind::Heading) is_below = plain(block.text) == heading;
    if (is_below && block.kind == MarkdownBlock::Kind::Code) return block.lines;
  }
  return {};
}

bool is_comment(std::string_view line) {
  return trimmed(line).starts_with('#');
}

// "NAME" if a setting begins in this line; else empty.
std::string setting_in(std::string_view line) {
  std::size_t end = line.find('=');
  if (end == std::string_view::npos || line.starts_with('#') || line.starts_with(' ') ||
      line.starts_with('\t'))
    return {};
  return std::string(trimmed(line.substr(0, end)));
}

// "docker: X" with one blank, as equal lines may be indented differently.
std::string comparable(std::string_view line) {
  std::vector<std::string> all;
  for (std::string_view word : words(line)) all.emplace_back(word);
  return join(all, " ");
}

// The lines of a setting: from its name to its last line with a value.
struct Setting {
  std::size_t begin = 0, end = 0;
};

// [testenv] of a tox.ini, by setting.
class Testenv {
 public:
  explicit Testenv(const std::vector<std::string>& lines) : lines_(lines) {
    auto is_header = [](const std::string& line) { return line.starts_with('['); };
    auto begin = std::find_if(lines.begin(), lines.end(),
                              [](const std::string& line) { return trimmed(line) == "[testenv]"; });
    if (begin == lines.end()) return;
    begin_ = static_cast<std::size_t>(begin - lines.begin()) + 1;
    end_ = begin_;
    auto next = std::find_if(begin + 1, lines.end(), is_header);
    Setting* setting = nullptr;
    for (std::size_t i = begin_; i < static_cast<std::size_t>(next - lines.begin()); ++i) {
      if (trimmed(lines[i]).empty() || is_comment(lines[i])) continue;
      if (std::string name = setting_in(lines[i]); !name.empty()) setting = &(settings_[name] = {.begin = i});
      if (setting != nullptr) setting->end = i + 1;
      end_ = i + 1;
    }
  }

  bool exists() const { return begin_ > 0; }
  std::size_t begin() const { return begin_; }
  std::size_t end() const { return end_; }
  const Setting* find(const std::string& name) const {
    auto found = settings_.find(name);
    return found == settings_.end() ? nullptr : &found->second;
  }
  // The place behind the setting's last line for docker's environments, or at its end.
  std::size_t place_in(const Setting& setting) const {
    for (std::size_t i = setting.end; i > setting.begin; --i)
      if (trimmed(lines_[i - 1]).starts_with(kDocker)) return i;
    return setting.end;
  }
  bool has(const Setting& setting, const std::string& line) const {
    return std::any_of(lines_.begin() + static_cast<long>(setting.begin),
                       lines_.begin() + static_cast<long>(setting.end),
                       [&](const std::string& one) { return comparable(one) == comparable(line); });
  }

 private:
  const std::vector<std::string>& lines_;
  std::size_t begin_ = 0, end_ = 0;
  std::map<std::string, Setting> settings_;
};

// Removes docker's own commands and returns the place of the last one.
std::size_t remove_commands(LinePatch& tox, const Testenv& testenv, const Setting& commands) {
  std::size_t place = testenv.place_in(commands);
  bool continues = false;
  for (std::size_t i = commands.begin + 1; i < commands.end; ++i) {
    const std::string& line = tox.lines()[i];
    bool is_ours = continues || trimmed(line).starts_with(kDocker);
    continues = is_ours && trimmed(line).ends_with('\\');
    if (!is_ours) continue;
    tox.remove(i);
    place = i + 1;
  }
  return place;
}

// Adds what the manual's lines of one setting say.
void add_setting(LinePatch& tox, const Testenv& testenv, const std::string& name,
                 const std::vector<std::string>& new_lines) {
  const Setting* setting = testenv.find(name);
  if (setting == nullptr && name == "allowlist_externals") setting = testenv.find("whitelist_externals");
  if (setting == nullptr) {
    for (const std::string& line : new_lines) tox.add(testenv.end(), line);
    return;
  }
  if (!setting_in(new_lines.back()).empty()) return;  // a setting of one line
  std::vector<std::string> missing;
  for (std::size_t i = 1; i < new_lines.size(); ++i)
    if (!testenv.has(*setting, new_lines[i])) missing.push_back(new_lines[i]);
  if (missing.empty()) return;
  std::size_t place =
      name == "commands" ? remove_commands(tox, testenv, *setting) : testenv.place_in(*setting);
  for (const std::string& line : missing) tox.add(place, line);
}

void adopt_tox(const AdoptedTree& tree, Adoption& adoption) {
  if (!tree.tox) return adoption.notes.emplace_back("tox.ini: there is none"), void();
  LinePatch tox(*tree.tox);
  Testenv testenv(tox.lines());
  if (!testenv.exists()) return adoption.notes.emplace_back("tox.ini: it has no [testenv]"), void();
  std::vector<std::string> lines;  // of one setting, after the comments in front of it
  std::string name;
  auto add = [&] {
    if (!name.empty()) add_setting(tox, testenv, name, lines);
    lines.clear();
  };
  std::vector<std::string> comments;
  for (const std::string& line : code_below("From tox")) {
    if (line.starts_with('[')) continue;
    if (is_comment(line)) {
      comments.push_back(line);
      continue;
    }
    if (std::string next = setting_in(line); !next.empty()) {
      add();
      name = next;
      if (line.find('=') + 1 < trimmed(line).size()) lines = comments;  // a setting of one line
      comments.clear();
    }
    lines.push_back(line);
  }
  add();
  adoption.patch += tox.diff("tox.ini");
  adoption.notes.emplace_back(tox.is_empty() ? "tox.ini: docker's environments call stagemake already"
                                             : "tox.ini: docker's environments call `stagemake tox`");
}

void adopt_makefile(const AdoptedTree& tree, Adoption& adoption) {
  if (!tree.makefile) return adoption.notes.emplace_back("Makefile: there is none"), void();
  LinePatch makefile(*tree.makefile);
  const std::vector<std::string>& lines = makefile.lines();
  bool includes = std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
    return line.find("include") != std::string::npos && line.find("ci-docker.mk") != std::string::npos &&
           !is_comment(line);
  });
  if (!includes) {
    makefile.add(lines.size(), "");
    for (std::string& line : code_below("In a distribution's Makefile"))
      makefile.add(lines.size(), std::move(line));
    if (!tree.fragment) adoption.patch += new_file_diff("ci-docker.mk", makefile_fragments().front().text);
  }
  adoption.patch += makefile.diff("Makefile");
  adoption.notes.emplace_back(includes
                                  ? "Makefile: it includes ci-docker.mk already"
                                  : "Makefile: it gets targets such as ci-docker-ENV, from ci-docker.mk");
}

}  // namespace

Adoption adoption_of(const AdoptedTree& tree) {
  Adoption adoption;
  adopt_makefile(tree, adoption);
  adopt_tox(tree, adoption);
  return adoption;
}

}  // namespace stagemake
