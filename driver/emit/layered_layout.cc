#include "emit/layered_layout.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace stagemake {
namespace {

constexpr int kSweeps = 8;  // there and back; further ones hardly change anything

class Layout {
 public:
  explicit Layout(const Drawing& drawing) : before_(drawing.nodes.size()), after_(drawing.nodes.size()) {
    for (const DrawnEdge& edge : drawing.edges) {
      before_[edge.to].push_back(edge.from);
      after_[edge.from].push_back(edge.to);
    }
    std::vector<std::size_t> level = levels(drawing);
    pull_to_followers(level);
    result_.rows.resize(drawing.nodes.size());
    for (std::size_t i = 0; i < drawing.nodes.size(); ++i) {
      bool is_alone = before_[i].empty() && after_[i].empty();
      if (is_alone) alone_.push_back(i);
      if (result_.columns.size() <= level[i]) result_.columns.resize(level[i] + 1);
      if (!is_alone) result_.columns[level[i]].push_back(i);
    }
    for (const auto& column : result_.columns) number(column);
  }

  LayeredLayout result() {
    for (int i = 0; i < kSweeps; ++i) {
      for (auto& column : result_.columns) order(column, before_);
      for (auto column = result_.columns.rbegin(); column != result_.columns.rend(); ++column)
        order(*column, after_);
    }
    begin_at_zero();
    add_alone();
    return std::move(result_);
  }

 private:
  // What nothing comes before stands just before what follows it, not far off at the left end: its edge is
  // short then.
  void pull_to_followers(std::vector<std::size_t>& level) const {
    for (std::size_t i = 0; i < level.size(); ++i) {
      if (!before_[i].empty() || after_[i].empty()) continue;
      std::size_t next = level[after_[i].front()];
      for (std::size_t follower : after_[i]) next = std::min(next, level[follower]);
      level[i] = next - 1;
    }
  }

  void number(const std::vector<std::size_t>& column) {
    for (std::size_t row = 0; row < column.size(); ++row)
      result_.rows[column[row]] = static_cast<double>(row);
  }

  // By the mean place of the neighbours, as a share of their column so that long and short columns compare;
  // what has none stays about where it is.
  void order(std::vector<std::size_t>& column, const std::vector<std::vector<std::size_t>>& neighbours) {
    std::vector<double> wish(result_.rows.size());
    for (std::size_t node : column) {
      const std::vector<std::size_t>& near = neighbours[node];
      double sum = std::accumulate(near.begin(), near.end(), 0.0, [&](double so_far, std::size_t other) {
        return so_far + result_.rows[other];
      });
      wish[node] = near.empty() ? result_.rows[node] : sum / static_cast<double>(near.size());
    }
    std::stable_sort(column.begin(), column.end(),
                     [&](std::size_t a, std::size_t b) { return wish[a] < wish[b]; });
    place(column, wish);
  }

  // As near to what they wish as the order allows, a row apart: each block of nodes that would overlap moves
  // as one.
  void place(const std::vector<std::size_t>& column, const std::vector<double>& wish) {
    struct Block {
      double sum;  // of the places at which its first node would satisfy each member
      std::size_t size;
      double at() const { return sum / static_cast<double>(size); }
    };
    std::vector<Block> blocks;
    for (std::size_t node : column) {
      blocks.push_back({wish[node], 1});
      while (blocks.size() > 1) {
        Block last = blocks.back();
        Block& previous = blocks[blocks.size() - 2];
        if (previous.at() + static_cast<double>(previous.size) <= last.at()) break;
        blocks.pop_back();
        previous.sum += last.sum - static_cast<double>(last.size * previous.size);
        previous.size += last.size;
      }
    }
    std::size_t next = 0;
    for (const Block& block : blocks)
      for (std::size_t i = 0; i < block.size; ++i)
        result_.rows[column[next++]] = block.at() + static_cast<double>(i);
  }

  void begin_at_zero() {
    double least = std::numeric_limits<double>::infinity();
    for (const auto& column : result_.columns)
      for (std::size_t node : column) least = std::min(least, result_.rows[node]);
    for (const auto& column : result_.columns)
      for (std::size_t node : column) result_.rows[node] -= least;
  }

  // What no edge leads to or from stands below the rest, line by line: it says nothing about levels.
  void add_alone() {
    double next = 0;
    bool is_first = true;
    for (const auto& column : result_.columns)
      for (std::size_t node : column) next = std::max(next, result_.rows[node] + 1.5), is_first = false;
    std::size_t width = result_.columns.size();
    if (is_first)
      width = std::max<std::size_t>(
          1, static_cast<std::size_t>(std::sqrt(static_cast<double>(alone_.size()) / 4)));
    result_.columns.resize(std::max(width, result_.columns.size()));
    for (std::size_t i = 0; i < alone_.size(); ++i) {
      result_.columns[i % width].push_back(alone_[i]);
      result_.rows[alone_[i]] = next + static_cast<double>(i / width);
    }
  }

  std::vector<std::size_t> alone_;
  std::vector<std::vector<std::size_t>> before_, after_;
  LayeredLayout result_;
};

}  // namespace

LayeredLayout layered_layout(const Drawing& drawing) {
  return Layout(drawing).result();
}

}  // namespace stagemake
