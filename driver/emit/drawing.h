// A drawing of things in an order: nodes, edges and their texts. It can be shown as lines of text (here) or
// for Graphviz (emit/dot.h). Knows neither packages nor stages.
#pragma once

#include <string>
#include <vector>

namespace stagemake {

struct DrawnNode {
  std::string name;
  std::string note = {};               // a few words beside or below the name; may be empty
  std::vector<std::string> told = {};  // lines of detail
  double weight = 0;                   // cost, for size and colour; 0: none, or unknown
  bool is_stressed = false;            // on the critical path
  bool is_subject = false;             // the drawing is about this node
};

struct DrawnEdge {
  std::size_t from = 0;  // position of the earlier node
  std::size_t to = 0;
  bool is_weak = false;
  bool is_stressed = false;
};

struct Drawing {
  std::string title;
  std::vector<std::string> notes = {};  // lines below the title
  std::vector<DrawnNode> nodes = {};
  std::vector<DrawnEdge> edges = {};  // without cycles
};

// For each node, the number of edges on the longest path to it. Nodes of a level can be drawn side by side.
std::vector<std::size_t> levels(const Drawing& drawing);

// For a terminal of 80 columns: an indented tree if each node has at most one predecessor, else the nodes
// level by level. Foreign text is made printable.
std::string as_text(const Drawing& drawing);

}  // namespace stagemake
