// What of this machine decides whether code that was compiled elsewhere runs on it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stagemake {

// The instruction sets of this machine's CPU beyond those that every CPU of its kind has, sorted words, as
// the kernel names them: "avx avx2 bmi2 fma …". Empty where the kernel does not say.
std::string cpu_features();
// The same, of the text of a /proc/cpuinfo.
std::string cpu_features_in(std::string_view cpuinfo);

// This machine's architecture as container images name it: "amd64", "arm64", "386", …; the kernel's word for
// one that is none of them.
std::string machine_architecture();

// Those words of `needed` that `present` lacks.
std::vector<std::string> lacking_features(std::string_view needed, std::string_view present);

// Of a /proc/meminfo, in bytes; nothing where it does not say both, or what cannot be.
struct MachineMemory {
  std::uint64_t total = 0;      // at least 1
  std::uint64_t available = 0;  // to whoever asks now; at most `total`
};
std::optional<MachineMemory> machine_memory(std::string_view meminfo);
// This machine's; nothing where the kernel is none that says so.
std::optional<MachineMemory> machine_memory();

}  // namespace stagemake
