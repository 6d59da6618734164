#include "plan/dependency_paths.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <limits>

namespace stagemake {
namespace {

constexpr std::size_t kNowhere = std::numeric_limits<std::size_t>::max();

std::size_t count(const DependencyGraph& graph) {
  return graph.dependencies_first().size();
}

// The members of `among`, each after its dependencies, and their positions in that list.
struct Members {
  Members(const DependencyGraph& graph, const std::vector<PackageId>& among) : at(count(graph), kNowhere) {
    std::vector<bool> is_member(count(graph));
    for (PackageId id : among) is_member[id] = true;
    for (PackageId id : graph.dependencies_first())
      if (is_member[id]) at[id] = list.size(), list.push_back(id);
  }
  std::vector<PackageId> list;
  std::vector<std::size_t> at;  // by PackageId; kNowhere: not a member
};

template <class Visit>
void for_each_need(const DependencyGraph& graph, PackageId id, Visit visit) {
  for (PackageId needed : graph.normal_dependencies(id)) visit(needed, false);
  for (PackageId needed : graph.order_only_dependencies(id)) visit(needed, true);
}

std::vector<PackageId> marked(const DependencyGraph& graph, const std::vector<bool>& marks, PackageId but) {
  std::vector<PackageId> result;
  for (PackageId id : graph.dependencies_first())
    if (marks[id] && id != but) result.push_back(id);
  return result;
}

}  // namespace

DependencyUsers::DependencyUsers(const DependencyGraph& graph)
    : graph_(graph), normal_(count(graph)), order_only_(count(graph)) {
  for (PackageId id = 0; id < count(graph); ++id)
    for_each_need(graph, id, [&](PackageId needed, bool order_only) {
      (order_only ? order_only_ : normal_)[needed].push_back(id);
    });
}

std::vector<PackageId> DependencyUsers::all(PackageId id) const {
  std::vector<bool> marks(count(graph_));
  marks[id] = true;
  for (PackageId user : graph_.dependencies_first())
    for_each_need(graph_, user, [&](PackageId needed, bool) {
      if (marks[needed]) marks[user] = true;
    });
  return marked(graph_, marks, id);
}

std::vector<PackageId> needed_before(const DependencyGraph& graph, PackageId id) {
  std::vector<bool> marks(count(graph));
  marks[id] = true;
  const std::vector<PackageId>& order = graph.dependencies_first();
  for (auto at = order.rbegin(); at != order.rend(); ++at)
    if (marks[*at]) for_each_need(graph, *at, [&](PackageId needed, bool) { marks[needed] = true; });
  return marked(graph, marks, id);
}

// Breadth first, normal dependencies before order-only ones: the first path to a package is the better one.
std::vector<PackageId> shortest_chain(const DependencyGraph& graph, const std::vector<PackageId>& from,
                                      PackageId to) {
  constexpr PackageId kStart = std::numeric_limits<PackageId>::max();
  std::vector<PackageId> came_from(count(graph));
  std::vector<bool> seen(count(graph));
  std::deque<PackageId> open;
  for (PackageId id : from) {
    if (seen[id]) continue;
    seen[id] = true;
    came_from[id] = kStart;
    open.push_back(id);
  }
  for (; !open.empty() && !seen[to]; open.pop_front())
    for_each_need(graph, open.front(), [&](PackageId needed, bool) {
      if (seen[needed]) return;
      seen[needed] = true;
      came_from[needed] = open.front();
      open.push_back(needed);
    });
  std::vector<PackageId> chain;
  if (!seen[to]) return chain;
  for (PackageId at = to; at != kStart; at = came_from[at]) chain.push_back(at);
  return {chain.rbegin(), chain.rend()};
}

LongestWay longest_way(const DependencyGraph& graph, const std::vector<PackageId>& among,
                       const PackageSeconds& seconds) {
  struct Way {
    double seconds = 0;
    std::size_t packages = 0;
    std::size_t before = kNowhere;
    bool operator<(const Way& other) const {
      return std::pair(seconds, packages) < std::pair(other.seconds, other.packages);
    }
  };
  Members members(graph, among);
  std::vector<Way> ways(members.list.size());  // by the member that ends them
  std::size_t last = kNowhere;
  for (std::size_t i = 0; i < members.list.size(); ++i) {
    for_each_need(graph, members.list[i], [&](PackageId needed, bool) {
      std::size_t before = members.at[needed];
      if (before != kNowhere && ways[i] < ways[before])
        ways[i] = {ways[before].seconds, ways[before].packages, before};
    });
    ways[i].seconds += std::max(0.0, seconds(members.list[i]));
    ++ways[i].packages;
    if (last == kNowhere || ways[last] < ways[i]) last = i;
  }
  LongestWay longest;
  if (last != kNowhere) longest.seconds = ways[last].seconds;
  for (std::size_t at = last; at != kNowhere; at = ways[at].before)
    longest.packages.push_back(members.list[at]);
  std::reverse(longest.packages.begin(), longest.packages.end());
  return longest;
}

std::vector<Need> reduced_needs(const DependencyGraph& graph, const std::vector<PackageId>& among) {
  Members members(graph, among);
  std::size_t words = (members.list.size() + 63) / 64;
  std::vector<std::uint64_t> reaches(members.list.size() *
                                     words);  // a row of bits each: all direct and indirect dependencies
  auto row = [&](std::size_t member) { return reaches.data() + member * words; };
  std::vector<Need> kept;
  for (std::size_t i = 0; i < members.list.size(); ++i) {
    std::vector<std::pair<std::size_t, bool>> needs;
    for_each_need(graph, members.list[i], [&](PackageId needed, bool order_only) {
      if (members.at[needed] != kNowhere) needs.emplace_back(members.at[needed], order_only);
    });
    // The latest first: dependencies that it implies come before it in the list.
    std::sort(needs.rbegin(), needs.rend());
    for (auto [needed, order_only] : needs) {
      if ((row(i)[needed / 64] >> (needed % 64) & 1) != 0) continue;
      kept.push_back({members.list[i], members.list[needed], order_only});
      for (std::size_t w = 0; w < words; ++w) row(i)[w] |= row(needed)[w];
      row(i)[needed / 64] |= std::uint64_t{1} << (needed % 64);
    }
  }
  std::sort(kept.begin(), kept.end());
  return kept;
}

}  // namespace stagemake
