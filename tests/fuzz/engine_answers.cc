// Answers of docker, podman and buildah, and what is parsed from them. An input is the output of a command.
#include <nlohmann/json.hpp>

#include "base/text/text.h"
#include "engine/engine_program.h"
#include "fuzz.h"

namespace stagemake {
namespace {

void tell_object(std::string& answer, const nlohmann::json& object) {
  nlohmann::json config = member(object, "Config");
  tell(answer, text_at(object, "Id"));
  tell(answer, texts_in(member(object, "RepoTags")));
  tell(answer, volumes_in(config));
  std::uint64_t size = size_at(object, "Size");
  require(size <= std::uint64_t{1} << 50, "an image has a size that can be", std::to_string(size));
  tell(answer, std::to_string(size + static_cast<std::uint64_t>(epoch_seconds(text_at(object, "Created")))));
  for (const auto& [name, value] : labels_in(member(config, "Labels"))) tell(answer, {name, value});
}

}  // namespace

std::string answer_to(std::string_view input) {
  std::string answer;
  std::string output(input);
  try {
    nlohmann::json value = parsed_answer("docker", output);
    tell_object(answer, value);
    for (const nlohmann::json& one : elements(value)) tell_object(answer, one);
  } catch (const EngineError& error) {
    require(printable(error.what()) == error.what(), "an error can be shown", error.what());
    tell(answer, error.what());
  }
  Finished finished;
  finished.errors = output;
  std::string words = last_words(finished);
  require(printable(words) == words && words.size() < 2000, "last words can be shown", words);
  tell(answer, words);
  tell(answer, ids_in(output));
  tell(answer, {registry_of(output), digest_in(output), plain_name(output)});
  return answer;
}

void add_seeds(const fs::path&, const SeedSink& seed) {
  seed(
      R"([{"Id":"sha256:1","RepoTags":["a:1"],"Created":"2026-11-22T08:49:16.9+01:00","Size":7,"Config":{"Labels":{"a":"1"},"Volumes":{"/v":{}}}}])");
  seed("Error response from daemon: conflict: unable to delete 0123456789ab (must be forced)\n");
  seed("time=\"now\" level=error msg=\"x\"\nerror at https://user:word@host/ and " + std::string(64, 'a') +
       "\n");
  for (const char* head : {"", "[{\"Config\":", "[{\"Config\":{\"Labels\":"})
    for (const char* part : {"[", "{\"Config\":", "[{\"a\":"}) seed(repeated(head, part, ""));
}

}  // namespace stagemake
