#include "run/container/package_channel.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text/text.h"

namespace stagemake {
namespace {

constexpr char kMark = '\x1e';
constexpr std::size_t kLongest = 256;  // bytes of a line from the guard
constexpr unsigned kMostOpen = 2;      // the builder, and the logger around it

std::optional<PackageState> state_told(std::string_view word) {
  if (word == "begun") return PackageState::Building;
  if (word == "built") return PackageState::Built;
  if (word == "failed") return PackageState::Failed;
  if (word == "refused") return PackageState::Refused;
  return std::nullopt;
}

}  // namespace

PackageChannel::PackageChannel(std::string_view nonce, std::function<bool(const std::string&)> is_known,
                               std::function<void(const PackageStatus&)> heard, std::size_t targets)
    : beginning_(fmt::format("{}package {} ", kMark, nonce)),
      is_known_(std::move(is_known)),
      heard_(std::move(heard)),
      most_times_(kMostTimes * std::max<std::size_t>(targets, 1)) {}

std::string PackageChannel::dropped_text() const {
  if (dropped_ == 0) return {};
  return fmt::format(
      "stagemake: ignored {} about the beginning or end of packages that the tree does not have, or that "
      "cannot begin or end then\n",
      counted(dropped_, "line"));
}

std::string PackageChannel::take(std::string_view piece) {
  std::string joined;
  if (!held_.empty()) {
    joined = std::move(held_) + std::string(piece);
    held_.clear();
    piece = joined;
  }
  std::string text;
  while (!piece.empty()) {
    std::size_t mark = piece.find(kMark);
    text += piece.substr(0, mark);
    if (mark == std::string_view::npos) break;
    piece.remove_prefix(mark);
    std::size_t end = piece.substr(0, kLongest).find('\n');
    if (end != std::string_view::npos && tells(piece.substr(0, end))) {
      piece.remove_prefix(end + 1);
    } else if (end == std::string_view::npos && piece.size() < kLongest) {
      held_ = piece;
      break;
    } else {
      text += kMark;
      piece.remove_prefix(1);
    }
  }
  return text;
}

bool PackageChannel::tells(std::string_view line) {
  if (!line.starts_with(beginning_)) return false;
  std::vector<std::string_view> parts = words(line.substr(beginning_.size()));
  std::optional<PackageState> state = parts.size() == 2 ? state_told(parts[0]) : std::nullopt;
  if (!state || printable(parts[1]) != parts[1]) return false;
  PackageStatus package{.name = std::string(parts[1]), .state = *state};
  if (!is_known_(package.name) || !tell(package)) ++dropped_;
  return true;
}

bool PackageChannel::tell(const PackageStatus& package) {
  Building& building = packages_[package.name];
  bool is_end = package.state == PackageState::Built || package.state == PackageState::Failed;
  if (is_end && building.refused) {
    building.refused = false;
    return true;
  }
  if (is_end) {
    if (building.open == 0) return false;
    if (--building.open == 0) heard_(package);
    return true;
  }
  if (package.state == PackageState::Building && building.open > 0)
    return building.open < kMostOpen && ++building.open > 0;
  if (building.times == most_times_) return false;
  ++building.times;
  building.refused = package.state == PackageState::Refused && building.open > 0;
  building.open = package.state == PackageState::Building ? 1 : 0;
  heard_(package);
  return true;
}

}  // namespace stagemake
