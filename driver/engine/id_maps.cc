#include "engine/id_maps.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <charconv>
#include <vector>

#include "base/text/text.h"

namespace stagemake {
namespace {

constexpr unsigned long long kWanted = 65536;  // Debian's nobody is 65534; images may use any id up to it

// The sum of the third columns.
unsigned long long ids_in_map(std::string_view map) {
  unsigned long long sum = 0;
  for (std::string_view line : lines(map)) {
    std::vector<std::string_view> columns = words(line);
    unsigned long long count = 0;
    if (columns.size() == 3) std::from_chars(columns[2].data(), columns[2].data() + columns[2].size(), count);
    sum += count;
  }
  return sum;
}

}  // namespace

std::string lack_of_ids(std::string_view maps, std::string_view user) {
  std::size_t middle = maps.find("\n\n");
  unsigned long long users = ids_in_map(maps.substr(0, middle));
  unsigned long long groups = middle == maps.npos ? 0 : ids_in_map(maps.substr(middle));
  std::string lack;
  auto add = [&](unsigned long long count, std::string_view noun, std::string_view file) {
    if (count < kWanted)
      lack += fmt::format("{}{} in containers ({} grants {} no more), but images need {}",
                          lack.empty() ? "" : "; ", counted(count, noun), file, user, kWanted);
  };
  add(users, "user id", "/etc/subuid");
  add(groups, "group id", "/etc/subgid");
  return lack.empty() ? lack : fmt::format("user {} has only {}", user, lack);
}

std::string ids_advice(std::string_view user) {
  return fmt::format(
      "give yourself ids, as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {} "
      "(choose a range that is free in /etc/subuid); then, as {}: buildah unshare true, or podman system "
      "migrate",
      user, user);
}

std::string user_name() {
  const passwd* entry = ::getpwuid(::geteuid());
  return entry != nullptr ? entry->pw_name : std::to_string(::geteuid());
}

}  // namespace stagemake
