// The properties of this machine that decide whether code compiled elsewhere runs on it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stagemake {

// The instruction sets of this machine's CPU beyond those that every CPU of its architecture has, as sorted
// words with the kernel's names: "avx avx2 bmi2 fma …". Empty if the kernel does not say.
std::string cpu_features();
// The same, from the text of a /proc/cpuinfo.
std::string cpu_features_in(std::string_view cpuinfo);

// This machine's architecture as container images name it: "amd64", "arm64", "386", …; the kernel's name for
// any other.
std::string machine_architecture();

// The words of `needed` that `present` lacks.
std::vector<std::string> lacking_features(std::string_view needed, std::string_view present);

// From a /proc/meminfo, in bytes; nothing if a value is missing or impossible.
struct MachineMemory {
  std::uint64_t total = 0;      // at least 1
  std::uint64_t available = 0;  // for a new allocation; at most `total`
};
std::optional<MachineMemory> machine_memory(std::string_view meminfo);
// For this machine; nothing if the kernel does not say.
std::optional<MachineMemory> machine_memory();

}  // namespace stagemake
