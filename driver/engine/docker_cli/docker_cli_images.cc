#include "engine/docker_cli/docker_cli_images.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/files/files.h"
#include "base/text/text.h"
#include "engine/docker/docker_answers.h"

namespace stagemake {
namespace {

using nlohmann::json;

constexpr std::size_t kInspectedAtOnce = 500;  // ids of 71 bytes; a command line holds about 128 KiB

// The digest that the last lines of a pull or push tell.
std::string printed_digest(const std::string& output) {
  std::string digest;
  for (std::string_view line : lines(output))
    if (std::string found = digest_in_line(line); !found.empty()) digest = found;
  return digest;
}

// The results of `image inspect` for each image. Images without a result are inspected one by one, so that a
// broken image does not affect others.
std::vector<json> inspected_images(const EngineProgram& program, const std::vector<std::string>& ids,
                                   std::vector<ImageInfo>& broken) {
  std::vector<std::string> arguments{"image", "inspect"};
  arguments.insert(arguments.end(), ids.begin(), ids.end());
  std::vector<json> all;
  try {
    Finished finished = program.call(std::move(arguments));
    // Another process may have removed one of them in between; the others are printed anyway.
    if (!finished.ok() && !says_absent(finished)) throw program.error("image inspect", finished);
    for (json& image : elements(parsed_answer(program.name(), finished.output)))
      all.push_back(std::move(image));
    return all;
  } catch (const EngineError& error) {
    if (ids.size() == 1) {
      broken.push_back({.id = ids[0], .problem = printable(error.what())});
      return {};
    }
  }
  for (const std::string& id : ids)
    for (json& image : inspected_images(program, {id}, broken)) all.push_back(std::move(image));
  return all;
}

}  // namespace

std::optional<ImageInfo> DockerCliImages::find(const std::string& image) const {
  Finished finished = program_.call({"image", "inspect", image});
  if (!finished.ok() && says_absent(finished)) return std::nullopt;
  if (!finished.ok()) throw program_.error("image inspect", finished);
  json found = parsed_answer(program_.name(), finished.output);
  if (!found.is_array() || found.empty()) return std::nullopt;
  return image_info(found[0]);
}

std::vector<ImageInfo> DockerCliImages::list(const std::string& label, const std::string& value) const {
  // --all includes an image whose name moved on to an image made from it.
  std::vector<std::string> question{"images", "--all", "--quiet", "--no-trunc"};
  if (!label.empty()) question.insert(question.end(), {"--filter", label_filter(label, value)});
  std::vector<std::string> ids = ids_in(program_.ask(std::move(question)));
  std::vector<json> inspected;
  std::vector<ImageInfo> images;  // starts with the broken ones
  for (std::size_t at = 0; at < ids.size(); at += kInspectedAtOnce) {
    std::vector<std::string> some(
        ids.begin() + static_cast<long>(at),
        ids.begin() + static_cast<long>(std::min(at + kInspectedAtOnce, ids.size())));
    for (json& image : inspected_images(program_, some, images)) inspected.push_back(std::move(image));
  }
  if (inspected.empty() && !images.empty() && !program_.examine().usable)
    throw EngineError(images[0].problem);
  HalfWayImages half_way;
  for (const json& image : inspected) half_way.add_child(text_at(image, "Parent"), image_info(image).layers);
  for (const json& image : inspected) {
    ImageInfo info = image_info(image);
    if (!half_way.contains(info) && has_label(info.labels, label, value)) images.push_back(std::move(info));
  }
  return images;
}

Transfer DockerCliImages::transfer(const std::string& verb, const std::string& image,
                                   const std::stop_token& stop) const {
  TemporaryFolder folder(fs::temp_directory_path());
  fs::path file = folder.path() / "digest";
  std::vector<std::string> arguments{verb};
  if (program_.dialect().transfer_options && plain_http_.allows_image(image))
    arguments.push_back("--tls-verify=false");
  if (program_.dialect().transfer_options && verb == "push")
    arguments.insert(arguments.end(), {"--digestfile", file.string()});
  arguments.push_back(image);
  Command command = program_.command(std::move(arguments));
  command.stop = stop;
  Finished finished = program_.run(command);
  if (finished.ok()) {
    std::string digest = program_.dialect().transfer_options
                             ? digest_in("@" + std::string(trimmed(read_file(file).value_or(""))))
                             : printed_digest(finished.output);
    return {.ok = true, .digest = digest.empty() ? digest_in(image) : digest};
  }
  if (finished.stopped) return {.ok = false, .why = "the run was stopped"};
  // A registry's fault is an answer; the engine's own is not.
  if (!program_.examine().usable) throw program_.error(verb, finished);
  return {.ok = false, .why = last_words(finished)};
}

void DockerCliImages::tag(const std::string& image, const std::string& new_name) const {
  program_.ask({"tag", image, new_name});
}

bool DockerCliImages::remove(const std::string& name) const {
  Finished finished = program_.call({"rmi", name});
  if (finished.ok() || says_absent(finished)) return true;
  if (says_in_use(finished)) return false;
  throw program_.error("rmi", finished);
}

}  // namespace stagemake
