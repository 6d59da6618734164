// How long it takes to read a registry's images: all manifests and configs of a repository, in process.
//
// Usage: registry_bench [IMAGES]. Starts Debian's docker-registry on a port of this machine and puts images
// into it (default 1000). Their configs differ and have labels of 40 kB, like those of a snapshot. Each round
// is a new client; a cold one has no cached config, a warm one has them all. Prints figures without judging
// them.
#include "registry/registry_bench.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>

#include "base/text/text.h"
#include "registry/registry.h"

namespace stagemake {
namespace {

constexpr unsigned kRounds = 5;
constexpr std::size_t kLabelSize = 40'000;  // bytes

// Text like that of stagemake's labels: JSON, so the config has it with a backslash before each quote.
std::string label_text(unsigned number) {
  std::string text = "{";
  for (unsigned i = 0; text.size() < kLabelSize; ++i)
    text += fmt::format(R"("package_{}":{{"version":"{}.{}","fingerprint":"{:016x}"}},)", i, number, i,
                        (i + 1) * 0x9e3779b97f4a7c15u * (number + 1));
  return text + "}";
}

struct Times {
  double least = 1e9, most = 0;  // seconds
  double processor = 1e9;        // seconds of this process, without the registry's
};

double processor_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  auto seconds = [](const timeval& time) { return double(time.tv_sec) + 1e-6 * double(time.tv_usec); };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

void print(std::string_view what, const Times& times, std::string_view note = "") {
  fmt::print("  {:<40} {:>8.0f} ms {:>8.0f} ms {:>8.0f} ms  {}\n", what, 1000 * times.least,
             1000 * times.most, 1000 * times.processor, note);
}

void bench(unsigned count) {
  fs::path parent = fs::temp_directory_path();
  TemporaryFolder folder(parent);
  test::TestRegistry registry(folder.path());
  for (unsigned i = 0; i < count; ++i)
    registry.put("some/image", fmt::format("tag-{}", i),
                 test::image_documents({.labels = {{"packages", label_text(i)}}}));

  auto survey = [&](const fs::path& cache, Times& times) {
    double used = processor_seconds();
    auto began = std::chrono::steady_clock::now();
    Registry client({.cache = cache});
    RegistrySurvey found = client.survey({registry.name("some/image")});
    double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    times = {std::min(times.least, seconds), std::max(times.most, seconds),
             std::min(times.processor, processor_seconds() - used)};
    for (const RegistryProblem& problem : found.problems) fmt::print("  {}\n", problem.text());
    if (found.images.size() != count)
      throw std::runtime_error(fmt::format("only {} of {} images came", found.images.size(), count));
  };
  Times cold, warm, without;
  for (unsigned round = 0; round < kRounds; ++round) {
    fs::path cache = folder.path() / fmt::format("cache-{}", round);
    survey("", without);
    survey(cache, cold);
    survey(cache, warm);
  }
  fmt::print("{} images with labels of {} each, {} rounds: best, worst, own processor time (best)\n", count,
             size_text(kLabelSize), kRounds);
  print("survey, no cache", without);
  print("survey, cold cache", cold, "aim: under 1 s");
  print("survey, warm cache", warm);
}

}  // namespace
}  // namespace stagemake

int main(int argc, char** argv) {
  try {
    stagemake::bench(argc > 1 ? static_cast<unsigned>(std::stoul(argv[1])) : 1000);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "registry_bench: {}\n", error.what());
    return 2;
  }
}
