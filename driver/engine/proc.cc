#include "engine/proc.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <charconv>

#include "base/files/descriptor.h"
#include "base/files/files.h"
#include "base/text/text.h"

namespace stagemake {

void for_each_process(const std::function<void(pid_t)>& visit) {
  boost::system::error_code failed;
  for (fs::directory_iterator at("/proc", failed), end; !failed && at != end; at.increment(failed)) {
    std::string name = at->path().filename().string();
    pid_t process = 0;
    auto [rest, error] = std::from_chars(name.data(), name.data() + name.size(), process);
    if (error == std::errc() && rest == name.data() + name.size()) visit(process);
  }
}

std::string proc_file(pid_t process, const char* name) {
  std::string text;
  Descriptor file(::open(fmt::format("/proc/{}/{}", process, name).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return text;
  std::array<char, 16384> block;
  ssize_t n = 0;
  while ((n = ::read(file.get(), block.data(), block.size())) > 0)
    text.append(block.data(), static_cast<std::size_t>(n));
  return text;
}

std::string mount_namespace_of(pid_t process) {
  std::array<char, 64> target;
  ssize_t n = ::readlink(fmt::format("/proc/{}/ns/mnt", process).c_str(), target.data(), target.size());
  return n > 0 ? std::string(target.data(), static_cast<std::size_t>(n)) : std::string();
}

std::uint64_t held_memory(std::string_view status) {
  std::uint64_t bytes = 0;
  for (std::string_view line : lines(status)) {
    // "RssAnon:     1234 kB"
    if (!line.starts_with("RssAnon:") && !line.starts_with("RssShmem:") && !line.starts_with("VmSwap:"))
      continue;
    std::vector<std::string_view> fields = words(line);
    std::uint64_t kilobytes = 0;
    if (fields.size() == 3 && fields[2] == "kB")
      std::from_chars(fields[1].data(), fields[1].data() + fields[1].size(), kilobytes);
    bytes += kilobytes * 1024;
  }
  return bytes;
}

}  // namespace stagemake
