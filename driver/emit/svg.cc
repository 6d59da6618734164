#include "emit/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/markup.h"
#include "base/text.h"
#include "base/wrap.h"
#include "emit/layered_layout.h"

namespace stagemake {
namespace {

// In pixels.
constexpr double kLetter = 6.6;  // width of one of 11 px, at most
constexpr double kRow = 34;      // from one node's top to the next one's
constexpr double kNode = 28;     // height
constexpr double kGap = 46;      // between columns, for edges
constexpr double kMargin = 16;
constexpr double kLine = 18;        // of the title and notes
constexpr double kMostWidth = 230;  // of a node
constexpr int kHeats = 5;           // colours for what nodes take

constexpr std::string_view kStyle = R"(<style>
svg { color-scheme: light dark; font: 11px sans-serif; }
.page { fill: #ffffff; } text { fill: #1b1f24; } .note { fill: #57606a; } .title { font-weight: bold; font-size: 13px; }
.node { fill: #f6f8fa; stroke: #8c959f; } .bar { fill: #0969da; }
.heat1 { fill: #fff3d6; } .heat2 { fill: #ffe0a3; } .heat3 { fill: #ffc36b; } .heat4 { fill: #ff9d4d; }
.edge { fill: none; stroke: #8c959f; stroke-opacity: .55; } .weak { stroke-dasharray: 4 3; }
.stressed { stroke: #cf222e; stroke-width: 2.2; stroke-opacity: 1; } .subject { stroke: #0969da; stroke-width: 3; }
@media (prefers-color-scheme: dark) {
.page { fill: #0d1117; } text { fill: #e6edf3; } .note { fill: #9198a1; }
.node { fill: #161b22; stroke: #6e7681; } .bar { fill: #4493f8; }
.heat1 { fill: #2b2411; } .heat2 { fill: #453208; } .heat3 { fill: #664407; } .heat4 { fill: #8a5306; }
.edge { stroke: #6e7681; } .stressed { stroke: #ff7b72; } .subject { stroke: #4493f8; }
}
</style>
)";

// The first `most` columns of text, with `…` where it goes on.
std::string cut(const std::string& text, std::size_t most) {
  std::string visible = printable(text);
  if (columns(visible) <= most) return visible;
  std::size_t end = 0, seen = 0;
  while (end < visible.size() &&
         (seen < most - 1 || (static_cast<unsigned char>(visible[end]) & 0xC0) == 0x80)) {
    seen += (static_cast<unsigned char>(visible[end]) & 0xC0) != 0x80 ? 1 : 0;
    ++end;
  }
  while (end < visible.size() && (static_cast<unsigned char>(visible[end]) & 0xC0) == 0x80) ++end;
  return visible.substr(0, end) + "…";
}

class Picture {
 public:
  explicit Picture(const Drawing& drawing) : drawing_(drawing), layout_(layered_layout(drawing)) {
    for (const DrawnNode& node : drawing.nodes) most_ = std::max(most_, node.weight);
    top_ = kMargin + kLine * static_cast<double>(1 + drawing.notes.size()) + kLine;
    place();
  }

  std::string text() const {
    std::string edges, stressed, nodes;
    for (const DrawnEdge& edge : drawing_.edges) (edge.is_stressed ? stressed : edges) += edge_text(edge);
    for (std::size_t i = 0; i < drawing_.nodes.size(); ++i) nodes += node_text(i);
    return fmt::format(
               "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 "
               "{0:.0f} "
               "{1:.0f}\" role=\"img\" aria-label=\"{2}\">\n",
               width_, height_, as_markup_text(drawing_.title)) +
           std::string(kStyle) +
           fmt::format("<rect class=\"page\" width=\"{:.0f}\" height=\"{:.0f}\"/>\n", width_, height_) +
           heading() + edges + stressed + nodes + "</svg>\n";
  }

 private:
  struct Box {
    double x = 0, y = 0, width = 0;
    double middle() const { return y + kNode / 2; }
  };

  double width_of(const DrawnNode& node) const {
    std::size_t letters = std::max(columns(printable(node.name)), columns(printable(node.note)));
    return std::min(kMostWidth, 14 + kLetter * static_cast<double>(letters));
  }

  void place() {
    boxes_.resize(drawing_.nodes.size());
    double x = kMargin, bottom = top_;
    for (const std::vector<std::size_t>& column : layout_.columns) {
      double widest = 0;
      for (std::size_t node : column) widest = std::max(widest, width_of(drawing_.nodes[node]));
      for (std::size_t node : column) {
        boxes_[node] = {x, top_ + kRow * layout_.rows[node], widest};
        bottom = std::max(bottom, boxes_[node].y + kNode);
      }
      x += widest + kGap;
    }
    std::size_t letters = columns(printable(drawing_.title)) * 13 / 11;
    for (const std::string& note : drawing_.notes) letters = std::max(letters, columns(printable(note)));
    double headings = 2 * kMargin + kLetter * static_cast<double>(letters);
    width_ = std::max(x - kGap + kMargin, headings);
    height_ = bottom + kMargin;
  }

  std::string heading() const {
    double y = kMargin + kLine / 2;
    std::string text = fmt::format("<text class=\"title\" x=\"{:.0f}\" y=\"{:.0f}\">{}</text>\n", kMargin, y,
                                   as_markup_text(drawing_.title));
    for (const std::string& note : drawing_.notes)
      text += fmt::format("<text class=\"note\" x=\"{:.0f}\" y=\"{:.0f}\">{}</text>\n", kMargin, y += kLine,
                          as_markup_text(note));
    return text;
  }

  std::string edge_text(const DrawnEdge& edge) const {
    const Box& from = boxes_[edge.from];
    const Box& to = boxes_[edge.to];
    double x1 = from.x + from.width, x2 = to.x, bend = std::max(kGap / 2, (x2 - x1) * 0.4);
    return fmt::format(
        "<path class=\"edge{}{}\" d=\"M{:.0f} {:.1f}C{:.0f} {:.1f} {:.0f} {:.1f} {:.0f} {:.1f}\"/>\n",
        edge.is_weak ? " weak" : "", edge.is_stressed ? " stressed" : "", x1, from.middle(), x1 + bend,
        from.middle(), x2 - bend, to.middle(), x2, to.middle());
  }

  // Square roots: what takes a minute is seen beside what takes an hour.
  double share(const DrawnNode& node) const {
    return most_ > 0 ? std::sqrt(std::max(0.0, node.weight) / most_) : 0;
  }

  std::string node_text(std::size_t i) const {
    const DrawnNode& node = drawing_.nodes[i];
    const Box& box = boxes_[i];
    int heat = std::min(kHeats - 1, static_cast<int>(share(node) * kHeats));
    std::string heats = heat > 0 ? fmt::format(" heat{}", heat) : "";
    std::string told = as_markup_text(node.name);
    for (const std::string& line : node.told) told += "\n" + as_markup_text(line);
    auto room = static_cast<std::size_t>((box.width - 14) / kLetter + 0.5);
    std::string text = fmt::format(
        "<g><title>{}</title><rect class=\"node{}{}{}\" x=\"{:.0f}\" y=\"{:.1f}\" width=\"{:.0f}\" "
        "height=\"{:.0f}\" "
        "rx=\"4\"/>",
        told, heats, node.is_stressed ? " stressed" : "", node.is_subject ? " subject" : "", box.x, box.y,
        box.width, kNode);
    if (node.weight > 0)
      text += fmt::format("<rect class=\"bar\" x=\"{:.0f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"2\"/>",
                          box.x + 2, box.y + kNode - 3, std::max(1.0, (box.width - 4) * node.weight / most_));
    bool two_lines = !node.note.empty();
    text += fmt::format("<text x=\"{:.0f}\" y=\"{:.1f}\">{}</text>", box.x + 7,
                        box.y + (two_lines ? 11.5 : 17.5), as_markup_text(cut(node.name, room)));
    if (two_lines)
      text += fmt::format("<text class=\"note\" x=\"{:.0f}\" y=\"{:.1f}\">{}</text>", box.x + 7, box.y + 22.5,
                          as_markup_text(cut(node.note, room)));
    return text + "</g>\n";
  }

  const Drawing& drawing_;
  LayeredLayout layout_;
  std::vector<Box> boxes_;
  double most_ = 0, top_ = 0, width_ = 0, height_ = 0;
};

}  // namespace

std::string as_svg(const Drawing& drawing) {
  return Picture(drawing).text();
}

}  // namespace stagemake
