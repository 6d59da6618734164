#include "engine/fake_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <fstream>
#include <iterator>

#include "base/digest.h"
#include "base/text.h"
#include "engine/engine_program.h"

namespace stagemake {
namespace {

constexpr std::size_t kAnySize = ~std::size_t{0};
constexpr std::int64_t kFirstSecond = 1'000'000'000;
constexpr int kMostLinks = 40;

std::string path_in(const std::string& entry) {
  std::string path = entry;
  while (path.starts_with("./")) path.erase(0, 2);
  while (path.ends_with('/')) path.pop_back();
  return path == "." || path.empty() ? "/" : path.starts_with('/') ? path : "/" + path;
}

std::string whole_file(const fs::path& path) {
  std::ifstream in(path.string(), std::ios::binary);
  if (!in) throw EngineError("fake copy_in: cannot read " + path.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

// `path` with the symlinks of its folders followed, as the kernel would inside the container. The last
// component is followed only with `last`.
std::string followed(const FakeFiles& files, const std::string& path, bool last = false, int links = 0) {
  std::string result;
  std::vector<std::string_view> parts = split(path, '/');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].empty() || parts[i] == ".") continue;
    if (parts[i] == "..") {
      result.erase(std::min(result.rfind('/'), result.size()));
      continue;
    }
    std::string next = fmt::format("{}/{}", result, parts[i]);
    auto found = files.find(next);
    bool link = found != files.end() && found->second.kind == TarEntry::Kind::Symlink;
    if (!link || (i + 1 == parts.size() && !last)) {
      result = std::move(next);
      continue;
    }
    if (links >= kMostLinks) throw EngineError("fake: too many symlinks in " + path);
    const std::string& target = found->second.content;
    result = followed(files, target.starts_with('/') ? target : result + "/" + target, true, links + 1);
  }
  return result;
}

bool below(const std::string& path, const std::string& folder) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

void unpack(FakeFiles& files, const FakeFiles& added) {
  for (const auto& [name, file] : added) {
    if (name == "/") continue;
    std::string path = followed(files, name, file.kind == TarEntry::Kind::Folder);
    if (file.kind != TarEntry::Kind::Folder)
      std::erase_if(files, [&](const auto& entry) { return below(entry.first, path); });
    for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1))
      files.try_emplace(path.substr(0, at), FakeFile{.kind = TarEntry::Kind::Folder, .mode = 0755});
    files[path] = file;
  }
}

}  // namespace

std::string tar_of(const FakeFiles& files) {
  TemporaryFolder folder(fs::temp_directory_path());
  fs::path file = folder.path() / "files.tar";
  TarWriter writer(file);
  for (const auto& [path, entry] : files) {  // a folder sorts before what it holds
    std::string name = path.substr(1);
    if (entry.kind == TarEntry::Kind::Folder) writer.add_folder(name, entry.mode, entry.time);
    if (entry.kind == TarEntry::Kind::File) writer.add_content(name, entry.content, entry.mode, entry.time);
    if (entry.kind == TarEntry::Kind::Symlink) writer.add_symlink(name, entry.content, entry.time);
  }
  writer.close();
  return whole_file(file);
}

FakeFiles files_in(const std::string& tar) {
  FakeFiles files;
  for (TarEntry& entry : read_tar(tar, kAnySize)) {
    if (entry.kind == TarEntry::Kind::Other) continue;
    files[path_in(entry.name)] = {entry.kind, std::move(entry.content), entry.mode & 07777, entry.time};
  }
  return files;
}

// --- What a test prepares and looks at.

std::string FakeEngine::store(FakeImage image) {
  if (image.created == 0) image.created = clock ? clock() : kFirstSecond + made_;
  std::string id = "sha256:" + sha256_hex(fmt::format("fake image {}", made_++));
  images_[id] = std::move(image);
  return id;
}

std::string FakeEngine::add_image(const std::string& name, FakeImage image) {
  std::lock_guard lock(mutex_);
  std::string id = store(std::move(image));
  if (!name.empty()) names_[name] = id;
  return id;
}

void FakeEngine::add_to_registry(const std::string& name, FakeImage image) {
  std::lock_guard lock(mutex_);
  if (image.digest.empty())
    image.digest = "sha256:" + sha256_hex("fake digest " + name + tar_of(image.files));
  registry_[name] = std::move(image);
}

FakeImage FakeEngine::image(const std::string& name_or_id) const {
  std::lock_guard lock(mutex_);
  std::string id = resolve(name_or_id);
  if (id.empty()) throw EngineError("fake: no such image: " + name_or_id);
  return images_.at(id);
}

FakeImage FakeEngine::in_registry(const std::string& name) const {
  std::lock_guard lock(mutex_);
  auto found = registry_.find(name);
  if (found == registry_.end()) throw EngineError("fake: not in the registry: " + name);
  return found->second;
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

// --- The verbs. Each but run holds the lock all the time.

std::optional<std::string> FakeEngine::begin(const std::string& verb) {
  counter_.count(verb);
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
    if (named == id) info.names.push_back(name);
  info.digest = image.digest;
  info.labels = image.labels;
  info.created = image.created;
  for (const auto& [path, file] : image.files) info.size += file.content.size();
  info.layers = image.layers;
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

bool FakeEngine::pull(const std::string& image, std::string& why) {
  std::lock_guard lock(mutex_);
  if (std::optional<std::string> words = begin("pull")) return why = *words, false;
  auto found = registry_.find(image);
  if (found == registry_.end()) return why = "not found: " + image, false;
  names_[image] = store(found->second);
  return true;
}

bool FakeEngine::push(const std::string& image, std::string& why) {
  std::lock_guard lock(mutex_);
  if (std::optional<std::string> words = begin("push")) return why = *words, false;
  std::string id = resolve(image);
  if (id.empty()) return why = "no such image: " + image, false;
  FakeImage& pushed = images_.at(id);
  pushed.digest = "sha256:" + sha256_hex("fake digest of " + id);
  registry_[image] = pushed;
  return true;
}

void FakeEngine::create(const ContainerSpec& spec) {
  std::lock_guard lock(mutex_);
  begin("create");
  std::string id = resolve(spec.image);
  if (id.empty()) throw EngineError("fake create: no such image: " + spec.image);
  if (containers_.contains(spec.name)) throw EngineError("fake create: the name is in use: " + spec.name);
  const FakeImage& image = images_.at(id);
  auto container = std::make_shared<FakeContainer>();
  *container = {spec.name, id, spec.labels, image.files, image.configuration, image.layers, false};
  container->labels.insert(image.labels.begin(), image.labels.end());
  containers_[spec.name] = std::move(container);
}

void FakeEngine::copy_in(const std::string& container, const fs::path& tar_file) {
  std::lock_guard lock(mutex_);
  begin("copy_in");
  unpack(present(container, "copy_in").files, files_in(whole_file(tar_file)));
}

std::optional<std::string> FakeEngine::copy_out(const std::string& container, const std::string& path) {
  std::lock_guard lock(mutex_);
  begin("copy_out");
  const FakeFiles& files = present(container, "copy_out").files;
  std::string real = followed(files, path);
  std::string parent = real.substr(0, real.rfind('/'));
  FakeFiles found;
  for (const auto& [name, file] : files)
    if (name == real || below(name, real)) found[name.substr(parent.size())] = file;
  if (found.empty()) return std::nullopt;
  return tar_of(found);
}

RunOutcome FakeEngine::run(const std::string& container, const std::string& script, const OutputSink& sink,
                           const StopRequest& stop) {
  std::shared_ptr<FakeContainer> runs;
  std::stop_source source;
  {
    std::lock_guard lock(mutex_);
    begin("run");
    present(container, "run");
    runs = containers_.at(container);
    if (runs->running) throw EngineError("fake run: it runs already: " + container);
    runs->running = true;
    runs_[container] = source;
  }
  std::stop_callback pass_on(stop.stop, [&] { source.request_stop(); });
  std::stop_callback pass_kill(stop.kill, [&] { source.request_stop(); });
  RunOutcome outcome;
  std::exception_ptr failed;
  try {
    if (on_run)
      outcome = on_run(
          *runs, script, sink ? sink : [](std::string_view) {}, source.get_token());
  } catch (...) {
    failed = std::current_exception();
  }
  std::lock_guard lock(mutex_);
  runs->running = false;
  ended_.notify_all();
  if (auto found = runs_.find(container); found != runs_.end() && found->second == source) runs_.erase(found);
  if (failed) std::rethrow_exception(failed);
  if (source.stop_requested()) outcome.stopped = true;
  return outcome;
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

// A function cannot be killed: one that does not heed the request is waited for.
void FakeEngine::stop_container(const std::string& container, std::chrono::milliseconds) {
  std::unique_lock lock(mutex_);
  begin("stop_container");
  auto found = containers_.find(container);
  if (found == containers_.end()) return;
  std::shared_ptr<FakeContainer> stopped = found->second;
  if (auto run = runs_.find(container); run != runs_.end()) {
    std::stop_source source = run->second;
    lock.unlock();  // what the request calls may call us
    source.request_stop();
    lock.lock();
    ended_.wait(lock, [&] { return !stopped->running; });
  }
  stopped->running = false;
}

std::string FakeEngine::commit(const std::string& container, const CommitSpec& spec) {
  std::lock_guard lock(mutex_);
  begin("commit");
  const FakeContainer& from = present(container, "commit");
  FakeImage image{.files = from.files, .labels = spec.labels, .configuration = from.configuration};
  image.labels.insert(from.labels.begin(), from.labels.end());
  if (!spec.working_folder.empty()) image.configuration.working_folder = spec.working_folder;
  image.layers = spec.squash ? 1 : from.layers + 1;
  std::string id = store(std::move(image));
  for (const std::string& name : spec.names) names_[name] = id;
  return id;
}

// What runs inside is told to stop, and goes on with files that nobody sees any more until its run returns.
void FakeEngine::remove_container(const std::string& container) {
  std::lock_guard lock(mutex_);
  begin("remove_container");
  if (auto found = runs_.find(container); found != runs_.end()) found->second.request_stop();
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
  return true;
}

std::vector<std::string> FakeEngine::shell_command(const std::string& image) const {
  return {"fake-shell", image};
}

}  // namespace stagemake
