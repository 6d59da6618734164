#include "engine/fake/fake_engine.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "base/files/descriptor.h"
#include "base/text/digest.h"
#include "base/text/labels.h"
#include "base/text/text.h"
#include "engine/engine_program.h"

namespace stagemake {
namespace {

constexpr std::int64_t kFirstSecond = 1'000'000'000;

}  // namespace

// --- For tests: preparation and inspection.

std::string FakeEngine::store(FakeImage image) {
  if (image.created == 0) image.created = clock ? clock() : kFirstSecond + made_;
  std::string id = "sha256:" + sha256_hex(fmt::format("fake image {}{}", machine_, made_++));
  image.layer_ids.push_back(id);
  std::uint64_t& size = sizes_[id] = 0;
  for (const auto& [path, file] : std::as_const(image.files)) size += file.content.size();
  images_[id] = std::move(image);
  return id;
}

std::string FakeEngine::add_image(const std::string& name, FakeImage image) {
  std::lock_guard lock(mutex_);
  std::string id = store(std::move(image));
  if (!name.empty()) names_[name] = id;
  return id;
}

FakeImage FakeEngine::image(const std::string& name_or_id) const {
  std::lock_guard lock(mutex_);
  std::string id = resolve(name_or_id);
  if (id.empty()) throw EngineError("fake: no such image: " + name_or_id);
  return images_.at(id);
}

FakeImage FakeEngine::in_registry(const std::string& name) const {
  std::optional<FakeImage> found = registry_->find(name);
  if (!found) throw EngineError("fake: not in the registry: " + name);
  return *std::move(found);
}

FakeContainer FakeEngine::container(const std::string& name) const {
  std::lock_guard lock(mutex_);
  auto found = containers_.find(name);
  if (found == containers_.end()) throw EngineError("fake: no such container: " + name);
  return *found->second;
}

std::vector<std::string> FakeEngine::container_names() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> all;
  for (const auto& [name, container] : containers_) all.push_back(name);
  return all;
}

void FakeEngine::fail(const std::string& verb, const std::string& words, unsigned times) {
  std::lock_guard lock(mutex_);
  failures_[verb] = {words, times};
}

void FakeEngine::mend(const std::string& verb) {
  std::lock_guard lock(mutex_);
  failures_.erase(verb);
}

// --- The verbs. All except run hold the lock for their whole duration.

std::optional<std::string> FakeEngine::begin(const std::string& verb) {
  counter_.count(verb);
  if (on_verb) on_verb(verb);
  auto found = failures_.find(verb);
  if (found == failures_.end() || found->second.times == 0) return std::nullopt;
  if (found->second.times != ~0u) --found->second.times;
  if (!found->second.words.empty()) throw EngineError(fmt::format("fake {}: {}", verb, found->second.words));
  return "the registry does not answer";
}

std::string FakeEngine::resolve(const std::string& image) const {
  if (images_.contains(image)) return image;
  bool tagged = image.substr(image.rfind('/') + 1).find(':') != std::string::npos;  // "host:5000/name" is not
  auto found = names_.find(tagged ? image : image + ":latest");
  return found == names_.end() ? std::string() : found->second;
}

FakeContainer& FakeEngine::present(const std::string& container, const std::string& verb) {
  auto found = containers_.find(container);
  if (found == containers_.end())
    throw EngineError(fmt::format("fake {}: no such container: {}", verb, container));
  return *found->second;
}

ImageInfo FakeEngine::info(const std::string& id) const {
  const FakeImage& image = images_.at(id);
  ImageInfo info;
  info.id = id;
  for (const auto& [name, named] : names_)
    if (named == id && digest_in(name).empty()) info.names.push_back(name);
  info.digest = image.digest;
  info.labels = image.labels;
  info.created = image.created;
  info.size = sizes_.at(id);
  info.layers = image.layers;
  info.layer_ids = image.layer_ids;
  info.volumes = image.configuration.volumes;
  return info;
}

bool FakeEngine::in_use(const std::string& id) const {
  return std::any_of(containers_.begin(), containers_.end(),
                     [&](const auto& entry) { return entry.second->image == id; });
}

std::string FakeEngine::probe() {
  std::lock_guard lock(mutex_);
  begin("probe");
  return "1";
}

std::optional<ImageInfo> FakeEngine::find_image(const std::string& image) {
  std::lock_guard lock(mutex_);
  begin("find_image");
  std::string id = resolve(image);
  return id.empty() ? std::nullopt : std::optional(info(id));
}

std::vector<ImageInfo> FakeEngine::list_images(const std::string& label, const std::string& value) {
  std::lock_guard lock(mutex_);
  begin("list_images");
  std::vector<ImageInfo> found;
  for (const auto& [id, image] : images_)
    if (has_label(image.labels, label, value)) found.push_back(info(id));
  return found;
}

std::vector<ContainerInfo> FakeEngine::list_containers(const std::string& label, const std::string& value) {
  std::lock_guard lock(mutex_);
  begin("list_containers");
  std::vector<ContainerInfo> found;
  for (const auto& [name, container] : containers_)
    if (has_label(container->labels, label, value))
      found.push_back({name, container->running, container->labels});
  return found;
}

Transfer FakeEngine::pull(const std::string& image, const std::stop_token&) {
  {
    std::lock_guard lock(mutex_);
    if (std::optional<std::string> words = begin("pull")) return {.why = *words};
  }
  FakeImage pulled;
  Transfer transfer = registry_->pull(image, pulled);  // may take time
  if (!transfer.ok) return transfer;
  std::lock_guard lock(mutex_);
  auto same = std::find_if(images_.begin(), images_.end(), [&](const auto& entry) {
    const FakeImage& here = entry.second;
    return here.digest == pulled.digest && here.labels == pulled.labels && here.files == pulled.files;
  });
  names_[image] = same != images_.end() ? same->first : store(std::move(pulled));
  return transfer;
}

// Fake engines of one process share a table: what is sent is only the id in it.
namespace {

struct SentImages {
  std::mutex mutex;
  std::map<std::string, FakeImage> images;  // by id
};
SentImages& sent_images() {
  static SentImages sent;
  return sent;
}

}  // namespace

void FakeEngine::save_image(const std::string& image, int descriptor, const std::stop_token& stop) {
  std::string id;
  {
    std::lock_guard lock(mutex_);
    begin("save_image");
    id = resolve(image);
    if (id.empty()) throw EngineError("fake save: no such image: " + image);
    if (stop.stop_requested()) throw EngineError("fake save: the run was stopped");
    SentImages& sent = sent_images();
    std::lock_guard lock_sent(sent.mutex);
    sent.images[id] = images_.at(id);
  }
  std::string name = image == id ? std::string() : image;
  if (int failed = write_all(descriptor, id + " " + name + "\n"); failed != 0)
    throw EngineError("fake save: " + write_failure(failed));
}

void FakeEngine::load_image(int descriptor) {
  std::string line;
  char byte = 0;
  while (::read(descriptor, &byte, 1) == 1 && byte != '\n') line += byte;
  std::string id = line.substr(0, line.find(' ')), name = line.substr(std::min(line.size(), id.size() + 1));
  std::lock_guard lock(mutex_);
  begin("load_image");
  SentImages& sent = sent_images();
  std::lock_guard lock_sent(sent.mutex);
  auto found = sent.images.find(id);
  if (byte != '\n' || found == sent.images.end()) throw EngineError("fake load: the stream is incomplete");
  images_[id] = found->second;
  if (!name.empty()) names_[name] = id;
  sizes_[id] = 0;
  for (const auto& [path, file] : std::as_const(images_[id].files)) sizes_[id] += file.content.size();
}

Transfer FakeEngine::push(const std::string& image, const std::stop_token&) {
  FakeImage pushed;
  std::string id;
  {
    std::lock_guard lock(mutex_);
    if (std::optional<std::string> words = begin("push")) return {.why = *words};
    id = resolve(image);
    if (id.empty()) return {.why = "no such image: " + image};
    pushed = images_.at(id);
  }
  Transfer transfer = registry_->push(image, std::move(pushed));
  std::lock_guard lock(mutex_);
  if (auto found = images_.find(id); transfer.ok && found != images_.end())
    found->second.digest = transfer.digest;
  return transfer;
}

void FakeEngine::create(const ContainerSpec& spec) {
  std::lock_guard lock(mutex_);
  begin("create");
  if (!unfit_label(spec.labels).empty()) throw EngineError("fake create: Argument list too long");
  std::string id = resolve(spec.image);
  if (id.empty()) throw EngineError("fake create: no such image: " + spec.image);
  if (containers_.contains(spec.name)) throw EngineError("fake create: the name is in use: " + spec.name);
  const FakeImage& image = images_.at(id);
  auto container = std::make_shared<FakeContainer>();
  *container = {spec.name,           id,           spec.labels, image.files,
                image.configuration, image.layers, false,       image.layer_ids};
  container->labels.insert(image.labels.begin(), image.labels.end());
  container->network = spec.network;
  containers_[spec.name] = std::move(container);
}

void FakeEngine::copy_in(const std::string& container, const fs::path& tar_file) {
  std::lock_guard lock(mutex_);
  begin("copy_in");
  unpack(present(container, "copy_in").files, files_in(tar_file));
}

std::optional<std::string> FakeEngine::copy_out(const std::string& container, const std::string& path) {
  std::lock_guard lock(mutex_);
  begin("copy_out");
  const FakeFiles& files = present(container, "copy_out").files;
  std::string real = followed(files, path);
  std::string parent = real.substr(0, real.rfind('/'));
  FakeFiles found;
  for (const auto& [name, file] : files)
    if (name == real || lies_below(name, real)) found[name.substr(parent.size())] = file;
  if (found.empty()) return std::nullopt;
  return tar_of(found);
}

bool FakeEngine::copy_out_to(const std::string& container, const std::string& path, int descriptor) {
  std::optional<std::string> tar = copy_out(container, path);
  if (tar && write_all(descriptor, *tar) != 0) throw EngineError("fake copy_out: its reader is gone");
  return tar.has_value();
}

RunOutcome FakeEngine::run(const std::string& container, const std::string& script, const OutputSink& sink,
                           const StopRequest& stop) {
  std::shared_ptr<FakeContainer> runs;
  auto run = std::make_shared<Run>();
  {
    std::lock_guard lock(mutex_);
    begin("run");
    present(container, "run");
    runs = containers_.at(container);
    if (runs->running) throw EngineError("fake run: it runs already: " + container);
    runs->running = true;
    runs_[container] = run;
  }
  std::stop_callback pass_on(stop.stop, [&] { run->stop.request_stop(); });
  std::stop_callback pass_kill(stop.kill, [&] { run->stop.request_stop(); });
  RunOutcome outcome;
  std::exception_ptr failed;
  try {
    if (on_run)
      outcome = on_run(
          *runs, script, sink ? sink : [](std::string_view) {}, run->stop.get_token());
  } catch (...) {
    failed = std::current_exception();
  }
  std::lock_guard lock(mutex_);
  runs->running = run->left_running;
  if (auto found = runs_.find(container); found != runs_.end() && found->second == run) runs_.erase(found);
  ended_.notify_all();
  if (failed) std::rethrow_exception(failed);
  if (run->crashed) throw EngineError("fake run: the engine was killed");
  if (run->stop.stop_requested()) outcome.stopped = true;
  return outcome;
}

std::string FakeEngine::network_gap(Network network) {
  auto found = network_gaps.find(network);
  return found == network_gaps.end() ? std::string() : found->second;
}

void FakeEngine::crash(bool leave_running) {
  std::vector<std::shared_ptr<Run>> hit;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [container, run] : runs_) {
      run->crashed = true;
      run->left_running = leave_running;
      hit.push_back(run);
    }
  }
  for (const std::shared_ptr<Run>& run : hit) run->stop.request_stop();  // it may call this engine
}

std::vector<ContainerProcess> FakeEngine::processes(const std::string& container) {
  {
    std::lock_guard lock(mutex_);
    begin("processes");
    auto found = containers_.find(container);
    if (found == containers_.end() || !found->second->running) return {};
  }
  if (on_processes) return on_processes(container);
  return {{.pid = 1, .command = "/bin/sh"}};
}

std::map<std::string, std::uint64_t> FakeEngine::memory_in_use(const std::vector<std::string>& containers) {
  std::vector<std::string> running;
  {
    std::lock_guard lock(mutex_);
    begin("memory_in_use");
    for (const std::string& container : containers)
      if (auto found = containers_.find(container); found != containers_.end() && found->second->running)
        running.push_back(container);
  }
  std::map<std::string, std::uint64_t> bytes;
  for (const std::string& container : running)
    if (on_memory) bytes[container] = on_memory(container);
  return bytes;
}

bool FakeEngine::pause(const std::string& container) {
  {
    std::lock_guard lock(mutex_);
    begin("pause");
    auto found = containers_.find(container);
    if (found == containers_.end() || !found->second->running) return false;
    found->second->paused = true;
  }
  if (on_pause) on_pause(container, true);
  return true;
}

void FakeEngine::resume(const std::string& container) {
  {
    std::lock_guard lock(mutex_);
    begin("resume");
    auto found = containers_.find(container);
    if (found == containers_.end() || !found->second->paused) return;
  }
  if (on_pause) on_pause(container, false);
  std::lock_guard lock(mutex_);
  if (auto found = containers_.find(container); found != containers_.end()) found->second->paused = false;
}

// A function cannot be killed: this waits for one that ignores the request.
void FakeEngine::stop_container(const std::string& container, std::chrono::milliseconds,
                                const std::stop_token&) {
  std::unique_lock lock(mutex_);
  begin("stop_container");
  auto found = containers_.find(container);
  if (found == containers_.end()) return;
  std::shared_ptr<FakeContainer> stopped = found->second;
  stopped->paused = false;
  if (auto at = runs_.find(container); at != runs_.end()) {
    std::shared_ptr<Run> run = at->second;
    lock.unlock();  // the request's callbacks may call this engine
    run->stop.request_stop();
    lock.lock();
    ended_.wait(lock, [&] { return !runs_.contains(container) || runs_[container] != run; });
  }
  stopped->running = false;
}

std::string FakeEngine::commit(const std::string& container, const CommitSpec& spec) {
  std::lock_guard lock(mutex_);
  begin("commit");
  if (!unfit_label(spec.labels).empty()) throw EngineError("fake commit: Argument list too long");
  const FakeContainer& from = present(container, "commit");
  FakeImage image{.files = from.files, .labels = spec.labels, .configuration = from.configuration};
  image.labels.insert(from.labels.begin(), from.labels.end());
  if (!spec.working_folder.empty()) image.configuration.working_folder = spec.working_folder;
  image.layers = spec.squash ? 1 : from.layers + 1;
  if (!spec.squash) image.layer_ids = from.layer_ids;
  std::string id = store(std::move(image));
  for (const std::string& name : spec.names) names_[name] = id;
  return id;
}

void FakeEngine::export_files(const std::string& container, int descriptor) {
  std::lock_guard lock(mutex_);
  begin("export_files");
  if (int failed = write_all(descriptor, tar_of(present(container, "export_files").files)); failed != 0)
    throw EngineError("fake export_files: " + write_failure(failed));
}

// Asks the run inside to stop; until it returns, its files are no longer visible to anybody else.
void FakeEngine::remove_container(const std::string& container) {
  std::lock_guard lock(mutex_);
  begin("remove_container");
  if (auto found = runs_.find(container); found != runs_.end()) found->second->stop.request_stop();
  runs_.erase(container);
  containers_.erase(container);
}

void FakeEngine::tag(const std::string& image, const std::string& new_name) {
  std::lock_guard lock(mutex_);
  begin("tag");
  std::string id = resolve(image);
  if (id.empty()) throw EngineError("fake tag: no such image: " + image);
  names_[new_name] = id;
}

bool FakeEngine::remove_image(const std::string& name) {
  std::lock_guard lock(mutex_);
  begin("remove_image");
  std::string id = resolve(name);
  if (id.empty()) return true;
  auto names =
      std::count_if(names_.begin(), names_.end(), [&](const auto& entry) { return entry.second == id; });
  bool last = names <= 1 || name == id;
  if (last && in_use(id)) return false;
  std::erase_if(names_,
                [&](const auto& entry) { return entry.first == name || (name == id && entry.second == id); });
  if (last) images_.erase(id);
  if (last) sizes_.erase(id);
  return true;
}

std::optional<fs::path> FakeEngine::storage_folder() {
  std::lock_guard lock(mutex_);
  begin("storage_folder");
  return storage;
}

std::vector<std::string> FakeEngine::shell_command(const std::string& image) const {
  return {"fake-shell", image};
}

std::vector<std::string> FakeEngine::open_shell(const ContainerSpec& spec,
                                                const std::vector<std::string>& argv, bool terminal) {
  create(spec);
  return command_inside(spec.name, argv, terminal);
}

std::vector<std::string> FakeEngine::command_inside(const std::string& container,
                                                    const std::vector<std::string>& argv, bool) const {
  std::vector<std::string> command = {"fake-exec", container};
  command.insert(command.end(), argv.begin(), argv.end());
  return command;
}

}  // namespace stagemake
