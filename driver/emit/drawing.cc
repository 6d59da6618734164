#include "emit/drawing.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/text/text.h"
#include "base/text/wrap.h"

namespace stagemake {
namespace {

std::vector<std::vector<std::size_t>> followers(const Drawing& drawing) {
  std::vector<std::vector<std::size_t>> all(drawing.nodes.size());
  for (const DrawnEdge& edge : drawing.edges) all[edge.from].push_back(edge.to);
  return all;
}

bool is_forest(const Drawing& drawing) {
  std::vector<std::size_t> before(drawing.nodes.size());
  return std::all_of(drawing.edges.begin(), drawing.edges.end(),
                     [&](const DrawnEdge& edge) { return ++before[edge.to] == 1; });
}

std::string tree_text(const Drawing& drawing) {
  std::vector<std::size_t> level = levels(drawing);
  std::vector<std::vector<std::size_t>> next = followers(drawing);
  std::size_t width = 0;
  for (std::size_t i = 0; i < drawing.nodes.size(); ++i)
    width = std::max(width, 2 * level[i] + columns(printable(drawing.nodes[i].name)));
  std::string text;
  std::vector<std::size_t> open;  // the next one is at the end
  for (std::size_t i = drawing.nodes.size(); i-- > 0;)
    if (level[i] == 0) open.push_back(i);
  while (!open.empty()) {
    std::size_t at = open.back();
    open.pop_back();
    const DrawnNode& node = drawing.nodes[at];
    std::string name = std::string(2 * level[at], ' ') + printable(node.name);
    std::string gap(width + 2 - columns(name), ' ');
    text += node.note.empty() ? name + "\n" : name + gap + printable(node.note) + "\n";
    open.insert(open.end(), next[at].rbegin(), next[at].rend());
  }
  return text;
}

std::string levels_text(const Drawing& drawing) {
  std::vector<std::size_t> level = levels(drawing);
  std::vector<std::vector<std::string>> names;
  for (std::size_t i = 0; i < drawing.nodes.size(); ++i) {
    if (names.size() <= level[i]) names.resize(level[i] + 1);
    const DrawnNode& node = drawing.nodes[i];
    std::string name = printable(node.name);
    names[level[i]].push_back(node.is_subject ? "[" + name + "]" : node.is_stressed ? name + "*" : name);
  }
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::sort(names[i].begin(), names[i].end());
    text += wrapped(fmt::format("{:>3}  ", i + 1), names[i]);
  }
  return text;
}

}  // namespace

std::vector<std::size_t> levels(const Drawing& drawing) {
  std::vector<std::vector<std::size_t>> next = followers(drawing);
  std::vector<std::size_t> level(drawing.nodes.size()), waiting(drawing.nodes.size());
  for (const DrawnEdge& edge : drawing.edges) ++waiting[edge.to];
  std::vector<std::size_t> ready;
  for (std::size_t i = 0; i < waiting.size(); ++i)
    if (waiting[i] == 0) ready.push_back(i);
  while (!ready.empty()) {
    std::size_t at = ready.back();
    ready.pop_back();
    for (std::size_t follower : next[at]) {
      level[follower] = std::max(level[follower], level[at] + 1);
      if (--waiting[follower] == 0) ready.push_back(follower);
    }
  }
  return level;
}

std::string as_text(const Drawing& drawing) {
  auto lines_of = [](const std::string& line) {
    std::vector<std::string> all;
    for (std::string_view word : words(line)) all.push_back(printable(word));
    return wrapped("", all);
  };
  std::string text = lines_of(drawing.title);
  for (const std::string& note : drawing.notes) text += lines_of(note);
  if (drawing.nodes.empty()) return text;
  return text + "\n" + (is_forest(drawing) ? tree_text(drawing) : levels_text(drawing));
}

}  // namespace stagemake
