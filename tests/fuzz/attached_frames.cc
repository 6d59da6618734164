// The frames in which docker sends a container's output. An input is what comes over the connection.
#include "engine/docker/attached_frames.h"

#include <algorithm>

#include "engine/container_engine.h"
#include "fuzz.h"

namespace stagemake {
namespace {

// What is heard if the connection brings pieces of that size.
std::string heard_of(std::string_view input, std::size_t size) {
  AttachedFrames frames;
  std::string heard;
  AttachedFrames::Stream last{};
  try {
    for (std::size_t at = 0; at < input.size(); at += size)
      frames.take(input.substr(at, size), [&](AttachedFrames::Stream stream, std::string_view content) {
        if (heard.empty() || stream != last) heard += "\n" + std::to_string(static_cast<int>(stream)) + ":";
        last = stream;
        heard += content;
      });
  } catch (const EngineError& error) {
    return heard + "\n" + error.what();
  }
  return heard + (frames.is_whole() ? "\nwhole" : "\ncut");
}

}  // namespace

std::string answer_to(std::string_view input) {
  std::string whole = heard_of(input, std::max<std::size_t>(input.size(), 1));
  for (std::size_t size : {1, 3, 8})
    require(heard_of(input, size) == whole, "the cuts make no difference", whole);
  return whole;
}

void add_seeds(const fs::path&, const SeedSink& seed) {
  seed(std::string("\1\0\0\0\0\0\0\3out\2\0\0\0\0\0\0\0\2\0\0\0\0\0\0\6errors", 32));
  seed(std::string("\1\0\0\0\xff\xff\xff\xffx", 9));
  seed("HTTP/1.1 200 OK\r\n\r\n");
}

}  // namespace stagemake
