// A drawing of things that come after one another: nodes, edges, and what is said of them. How it is shown is
// another matter: as lines of text (here), for Graphviz (emit/dot.h), as a picture (emit/svg.h). Knows no
// packages or stages.
#pragma once

#include <string>
#include <vector>

namespace stagemake {

struct DrawnNode {
  std::string name;
  std::string note = {};               // a few words beside or below the name; may be empty
  std::vector<std::string> told = {};  // lines for who asks for more
  double weight = 0;                   // what it takes, for size and colour; 0: nothing, or not known
  bool is_stressed = false;            // on the way that matters
  bool is_subject = false;             // what the drawing is about
};

struct DrawnEdge {
  std::size_t from = 0;  // position of a node that comes before
  std::size_t to = 0;
  bool is_weak = false;
  bool is_stressed = false;
};

struct Drawing {
  std::string title;
  std::vector<std::string> notes = {};  // lines below the title
  std::vector<DrawnNode> nodes = {};
  std::vector<DrawnEdge> edges = {};  // without circles
};

// Of each node the number of edges on the longest way to it: nodes of a level can stand side by side.
std::vector<std::size_t> levels(const Drawing& drawing);

// For a terminal of 80 columns: where each node has at most one before it, a tree by indentation; else the
// nodes level by level. Text of others is made printable.
std::string as_text(const Drawing& drawing);

}  // namespace stagemake
