#include "run/package_channel.h"

#include "base/text.h"

namespace stagemake {
namespace {

constexpr char kMark = '\x1e';
constexpr std::string_view kBeginning = "\x1epackage ";
constexpr std::size_t kLongest = 256;  // bytes of a line of the guard's

std::optional<PackageState> state_told(std::string_view word) {
  if (word == "begun") return PackageState::Building;
  if (word == "built") return PackageState::Built;
  if (word == "failed") return PackageState::Failed;
  if (word == "refused") return PackageState::Refused;
  return std::nullopt;
}

}  // namespace

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
  if (!line.starts_with(kBeginning)) return false;
  std::vector<std::string_view> parts = words(line.substr(kBeginning.size()));
  std::optional<PackageState> state = parts.size() == 2 ? state_told(parts[0]) : std::nullopt;
  if (!state || printable(parts[1]) != parts[1]) return false;
  tell({.name = std::string(parts[1]), .state = *state});
  return true;
}

void PackageChannel::tell(const PackageStatus& package) {
  unsigned& begun = building_[package.name];
  if (package.state == PackageState::Building) {
    if (++begun == 1) heard_(package);
  } else if (begun <= 1) {
    begun = 0;
    heard_(package);
  } else {
    --begun;
  }
}

}  // namespace stagemake
