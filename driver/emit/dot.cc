#include "emit/dot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text/text.h"

namespace stagemake {
namespace {

// In double quotes, dot knows `\"` and its own escapes that begin with a backslash (`
// `, `\N`). In labels it also knows HTML entities, which begin with `&`.
std::string in_quotes(std::string_view text) {
  std::string result = "\"";
  for (char c : printable(text)) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
    if (c == '&') result += "amp;";
  }
  return result + "\"";
}

std::string label(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) {
    if (line.empty()) continue;
    std::string one = in_quotes(line);
    all += (all.empty() ? "" : "\\n") + one.substr(1, one.size() - 2);
  }
  return "\"" + all + "\"";
}

}  // namespace

std::string as_dot(const Drawing& drawing) {
  double most = 0;
  for (const DrawnNode& node : drawing.nodes) most = std::max(most, node.weight);
  std::vector<std::string> head{drawing.title};
  head.insert(head.end(), drawing.notes.begin(), drawing.notes.end());
  std::string text = fmt::format(
      "digraph stages {{\n"
      "  graph [rankdir=LR, labelloc=t, fontname=\"sans-serif\", label={}];\n"
      "  node [shape=box, style=\"rounded,filled\", fillcolor=white, fontname=\"sans-serif\", fontsize=11];\n"
      "  edge [color=\"#777777\", arrowsize=0.6];\n",
      label(head));
  for (std::size_t i = 0; i < drawing.nodes.size(); ++i) {
    const DrawnNode& node = drawing.nodes[i];
    double share = most > 0 ? std::sqrt(std::max(0.0, node.weight) / most) : 0;
    text += fmt::format("  n{} [label={}, tooltip={}, fillcolor=\"0.08 {:.3f} 1.000\", width={:.2f}{}];\n", i,
                        label({node.name, node.note}),
                        label(node.told.empty() ? std::vector<std::string>{node.name} : node.told),
                        0.75 * share, 0.75 + 2.25 * share,
                        node.is_stressed || node.is_subject ? ", color=\"#c0392b\", penwidth=2.5" : "");
  }
  for (const DrawnEdge& edge : drawing.edges)
    text += fmt::format("  n{} -> n{}{};\n", edge.from, edge.to,
                        edge.is_stressed ? " [color=\"#c0392b\", penwidth=2.5]"
                        : edge.is_weak   ? " [style=dashed]"
                                         : "");
  return text + "}\n";
}

}  // namespace stagemake
