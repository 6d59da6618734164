#include "base/process/machine.h"

#include <sys/utsname.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/files/files.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

// The flags that matter to a compiler (-march), or to a library that chooses code when it is configured; not
// the many flags about virtualization, power and mitigations. (x86; the kernel's names.)
bool matters(std::string_view flag) {
  static const std::set<std::string_view> kNames = {
      "pni",       "ssse3", "sse4_1", "sse4_2", "sse4a", "popcnt", "abm",       "bmi1", "bmi2",
      "adx",       "f16c",  "fma",    "fma4",   "xop",   "movbe",  "aes",       "vaes", "sha_ni",
      "pclmulqdq", "gfni",  "rdrand", "rdseed", "avx",   "avx2",   "vpclmulqdq"};
  return kNames.contains(flag) || flag.starts_with("avx512") || flag.starts_with("avx_") ||
         flag.starts_with("amx");
}

}  // namespace

std::string cpu_features_in(std::string_view cpuinfo) {
  for (std::string_view line : lines(cpuinfo)) {
    std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    std::string_view name = trimmed(line.substr(0, colon));
    bool is_x86 = name == "flags";
    if (!is_x86 && name != "Features") continue;  // "Features" is arm's, where all of them matter
    std::vector<std::string> features;
    for (std::string_view word : words(line.substr(colon + 1)))
      if (!is_x86 || matters(word)) features.emplace_back(word);
    std::sort(features.begin(), features.end());
    features.erase(std::unique(features.begin(), features.end()), features.end());
    return join(features, " ");
  }
  return {};
}

std::string cpu_features() {
  static const std::string features = [] {
    try {
      return cpu_features_in(read_file("/proc/cpuinfo", 64u << 20).value_or(""));
    } catch (const std::exception&) {
      return std::string();
    }
  }();
  return features;
}

std::string machine_architecture() {
  struct utsname name {};
  if (::uname(&name) != 0) return {};
  std::string_view machine = name.machine;
  constexpr std::pair<std::string_view, const char*> kNames[] = {{"x86_64", "amd64"}, {"aarch64", "arm64"},
                                                                 {"i686", "386"},     {"i386", "386"},
                                                                 {"armv7l", "arm"},   {"armv6l", "arm"}};
  for (const auto& [kernel, image] : kNames)
    if (machine == kernel) return image;
  return std::string(machine);  // ppc64le, s390x, riscv64: the same name
}

std::vector<std::string> lacking_features(std::string_view needed, std::string_view present) {
  std::vector<std::string_view> here = words(present);
  std::vector<std::string> lacking;
  for (std::string_view word : words(needed))
    if (std::find(here.begin(), here.end(), word) == here.end()) lacking.emplace_back(word);
  return lacking;
}

std::optional<MachineMemory> machine_memory(std::string_view meminfo) {
  std::optional<std::uint64_t> total, available;
  for (std::string_view line : lines(meminfo)) {
    // "MemTotal:       24689424 kB"
    std::vector<std::string_view> fields = words(line);
    if (fields.size() < 2) continue;
    std::uint64_t kilobytes = 0;
    auto [end, error] = std::from_chars(fields[1].data(), fields[1].data() + fields[1].size(), kilobytes);
    if (error != std::errc() || end != fields[1].data() + fields[1].size()) continue;
    if (fields[0] == "MemTotal:") total = kilobytes;
    if (fields[0] == "MemAvailable:") available = kilobytes;
  }
  if (!total || !available || *total == 0 || *available > *total) return std::nullopt;
  return MachineMemory{.total = *total * 1024, .available = *available * 1024};
}

std::optional<MachineMemory> machine_memory() {
  try {
    return machine_memory(read_file("/proc/meminfo").value_or(""));
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace stagemake
