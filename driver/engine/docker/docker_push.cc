#include "engine/docker/docker_push.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/files/descriptor.h"
#include "base/process/callers_environment.h"
#include "base/text/digest.h"
#include "base/text/image_name.h"
#include "base/text/json_values.h"
#include "engine/docker/docker_answers.h"
#include "engine/docker/image_export.h"
#include "engine/engine_program.h"
#include "registry/image_upload.h"
#include "registry/layer_gzip.h"

namespace stagemake {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr unsigned kUploads = 4;     // layers on the way at once
constexpr int kPipe = 1 << 20;       // bytes
constexpr std::uint64_t kWorth = 4;  // an export costs as much as the daemon's push of 1/4 of it
constexpr const char* kManifestType = "application/vnd.docker.distribution.manifest.v2+json";
constexpr const char* kConfigType = "application/vnd.docker.container.image.v1+json";
constexpr const char* kLayerType = "application/vnd.docker.image.rootfs.diff.tar.gzip";

fs::path cache_place() {
  fs::path cache = user_cache_folder();
  keep_cache_private();
  return cache.empty() ? cache : cache / "docker-layers";
}

// Ends the upload of a layer that is not needed after all.
struct Abandoned {};

// The layers on their way to a registry.
class Uploads {
 public:
  using Finished = std::function<void(const CompressedLayer&)>;

  Uploads(ImageUpload& to, Finished finished, std::stop_token stop)
      : to_(to), finished_(std::move(finished)), stop_(std::move(stop)) {}
  ~Uploads() {
    fail(std::make_exception_ptr(Abandoned{}));
    threads_.clear();
  }
  Uploads(const Uploads&) = delete;
  Uploads& operator=(const Uploads&) = delete;

  // Waits until another upload may begin. Throws the failure of an earlier one.
  std::unique_ptr<LayerTaker> begin();
  // Waits for all.
  void finish() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return failure_ || running_ == 0; });
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  class Layer;
  void fail(std::exception_ptr with) {
    std::lock_guard lock(mutex_);
    if (!failure_) failure_ = with;
    for (const std::weak_ptr<BlobPipe>& one : pipes_)
      if (std::shared_ptr<BlobPipe> pipe = one.lock()) pipe->fail(with);
    changed_.notify_all();
  }
  void upload(BlobPipe& pipe) {
    try {
      to_.upload([&] { return pipe.next(); });
    } catch (const Abandoned&) {
    } catch (...) {
      pipe.fail(std::current_exception());
      fail(std::current_exception());
    }
    std::lock_guard lock(mutex_);
    --running_;
    changed_.notify_all();
  }

  ImageUpload& to_;
  const Finished finished_;
  const std::stop_token stop_;
  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  unsigned running_ = 0;
  std::exception_ptr failure_;
  std::vector<std::weak_ptr<BlobPipe>> pipes_;
  std::vector<std::jthread> threads_;
};

class Uploads::Layer : public LayerTaker {
 public:
  Layer(Uploads& uploads, std::shared_ptr<BlobPipe> pipe)
      : uploads_(uploads),
        pipe_(std::move(pipe)),
        gzip_([this](std::string_view piece) { pipe_->add(piece); },
              std::max(1u, std::thread::hardware_concurrency()), uploads.stop_) {}
  ~Layer() override {
    if (!is_accepted_) pipe_->fail(std::make_exception_ptr(Abandoned{}));
  }
  void add(std::string_view piece) override { gzip_.add(piece); }
  std::string layer_id() override {
    layer_ = gzip_.finish();
    return layer_.diff_id;
  }
  void accept() override {
    pipe_->finish(layer_.digest);
    is_accepted_ = true;
    uploads_.finished_(layer_);
  }

 private:
  Uploads& uploads_;
  std::shared_ptr<BlobPipe> pipe_;
  CompressedLayer layer_;
  bool is_accepted_ = false;
  LayerGzip gzip_;  // last: its threads use the others
};

std::unique_ptr<LayerTaker> Uploads::begin() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return failure_ || running_ < kUploads; });
  if (failure_) std::rethrow_exception(failure_);
  auto pipe = std::make_shared<BlobPipe>();
  pipes_.push_back(pipe);
  ++running_;
  threads_.emplace_back([this, pipe] { upload(*pipe); });
  return std::make_unique<Layer>(*this, std::move(pipe));
}

}  // namespace

struct DockerPush::Plan {
  ImageInfo image;
  RegistryName to;
  std::map<std::string, KnownBlob> blobs = {};  // that the repository has, by content id; with the config

  std::vector<std::string> missing() const {
    std::vector<std::string> list;
    for (const std::string& layer : image.layer_ids)
      if (!blobs.contains(layer)) list.push_back(layer);
    return list;
  }
};

DockerPush::DockerPush(const DockerApi& api, FindImage find)
    : api_(api), find_(std::move(find)), cache_(cache_place()) {}

void DockerPush::allow_plain_http(const std::vector<std::string>& hosts) {
  plain_http_.insert(plain_http_.end(), hosts.begin(), hosts.end());
}

void DockerPush::allow_token_hosts(const std::vector<std::string>& hosts) {
  token_hosts_.insert(token_hosts_.end(), hosts.begin(), hosts.end());
}

// A daemon on another machine would send its layers here, uncompressed. One with containerd's image store has
// them compressed.
bool DockerPush::is_worth_it() {
  if (!api_.endpoint().is_local()) return false;
  std::lock_guard lock(mutex_);
  if (!is_worth_it_) {
    json info = api_.ask({.verb = "info", .path = "/info"});
    std::vector<json> status = {};
    for (const json& pair : elements(member(info, "DriverStatus"))) status.push_back(pair);
    is_worth_it_ = std::none_of(status.begin(), status.end(), [](const json& pair) {
      std::vector<std::string> texts = texts_in(pair);
      return texts.size() == 2 && texts[1].starts_with("io.containerd.snapshotter");
    });
  }
  return *is_worth_it_;
}

// Looks for a local image that was pulled from this registry and shares layers with ours: its manifest says
// in which form the registry has them.
void DockerPush::learn(const Plan& plan, ImageUpload& upload) {
  const std::vector<std::string>& ours = plan.image.layer_ids;
  auto is_unknown = [&](const std::string& layer) { return cache_.find(layer).empty(); };
  std::size_t known =
      static_cast<std::size_t>(std::find_if(ours.begin(), ours.end(), is_unknown) - ours.begin());
  std::string best;
  std::vector<std::string> layers;
  for (const json& listed : elements(api_.ask({.verb = "images", .path = "/images/json"})))
    for (const std::string& reference : texts_in(member(listed, "RepoDigests"))) {
      std::string why;
      std::optional<RegistryName> name = registry_name(reference, why);
      if (!name || name->digest.empty() || name->api_host() != plan.to.api_host()) continue;
      std::optional<ImageInfo> image = find_(text_at(listed, "Id"));
      if (!image) continue;
      auto [end, ignored] =
          std::mismatch(ours.begin(), ours.end(), image->layer_ids.begin(), image->layer_ids.end());
      auto shared = static_cast<std::size_t>(end - ours.begin());
      if (shared <= known) continue;
      known = shared;
      best = reference;
      layers = image->layer_ids;
    }
  std::string why;
  std::optional<RegistryName> name = best.empty() ? std::nullopt : registry_name(best, why);
  if (!name) return;
  std::optional<std::string> text = upload.manifest(name->repository, name->digest);
  std::optional<RegistryManifest> manifest;
  if (text) manifest = read_manifest(*text, "", why);
  if (!manifest || manifest->chosen || manifest->layers.size() != layers.size()) return;
  for (std::size_t i = 0; i < layers.size(); ++i)
    cache_.remember(layers[i], {.blob = manifest->layers[i], .place = name->place()});
  const RegistryReference& config = manifest->config;
  cache_.remember(config.digest, {.blob = {config.digest, config.size}, .place = name->place()});
}

// Finds out what the repository has, and gets what its siblings have.
void DockerPush::look(Plan& plan, ImageUpload& upload) {
  std::vector<std::string> ids = plan.image.layer_ids;
  ids.push_back(plan.image.id);
  std::vector<RegistryLayer> asked = {{plan.image.id, 0}};
  for (const std::string& id : ids)
    for (const KnownBlob& known : cache_.find(id))
      if (std::none_of(asked.begin(), asked.end(),
                       [&](const auto& one) { return one.digest == known.blob.digest; }))
        asked.push_back(known.blob);
  std::map<std::string, std::uint64_t> there = upload.present(asked);
  if (there.contains(plan.image.id))
    plan.blobs[plan.image.id] = {.blob = {plan.image.id, there[plan.image.id]}, .place = plan.to.place()};
  std::vector<std::pair<std::string, std::string>> wanted;  // from siblings
  for (const std::string& id : ids)
    for (const KnownBlob& known : cache_.find(id)) {
      if (plan.blobs.contains(id)) break;
      std::string why;
      std::optional<RegistryName> from = registry_name(known.place, why);
      if (there.contains(known.blob.digest))
        plan.blobs[id] = known;
      else if (from && from->api_host() == plan.to.api_host() && from->repository != plan.to.repository)
        wanted.emplace_back(known.blob.digest, from->repository);
    }
  std::set<std::string> taken;
  if (!wanted.empty()) taken = upload.mounted(wanted);
  for (const std::string& id : ids)
    for (const KnownBlob& known : cache_.find(id))
      if (!plan.blobs.contains(id) && taken.contains(known.blob.digest)) plan.blobs[id] = known;
  for (auto& [id, known] : plan.blobs) {
    known.place = plan.to.place();
    cache_.remember(id, known);
  }
}

// Whether the daemon's own push has so little to do that it costs less than an export of the whole image. The
// daemon has to send what we compressed ourselves, too, because it does not know that form.
bool DockerPush::engine_is_better(const Plan& plan) const {
  std::vector<json> history;  // newest first
  for (json& entry :
       elements(api_.ask({.verb = "history", .path = docker_path("/images/", plan.image.id, "/history")})))
    history.push_back(std::move(entry));
  if (history.size() != plan.image.layer_ids.size()) return false;  // it has steps without a layer
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < history.size(); ++i) {
    auto known = plan.blobs.find(plan.image.layer_ids[history.size() - 1 - i]);
    if (known == plan.blobs.end() || known->second.is_ours) bytes += size_at(history[i], "Size");
  }
  return bytes < plan.image.size / kWorth;
}

// Returns the config.
std::string DockerPush::export_layers(Plan& plan, ImageUpload& upload, const std::stop_token& stop) {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) throw EngineError("docker save: there is no pipe for it");
  Descriptor out(ends[0]), in(ends[1]);
  ::fcntl(in.get(), F_SETPIPE_SZ, kPipe);
  std::stop_source over;
  std::stop_callback on_stop(stop, [&] { over.request_stop(); });
  std::string problem;
  std::jthread exporter([&] {
    Descriptor to(in.release());
    try {
      DockerAnswer answer = api_.call({.verb = "save",
                                       .path = docker_path("/images/", plan.image.id, "/get"),
                                       .sink =
                                           [&](std::string_view piece) {
                                             if (int failed = write_all(to.get(), piece); failed != 0)
                                               throw EngineError("docker save: " + write_failure(failed));
                                           },
                                       .stop = over.get_token()});
      if (!answer.ok() && !answer.stopped) problem = answer.message();
    } catch (const std::exception& error) {
      problem = error.what();
    }
  });
  auto end = [&] {
    over.request_stop();
    out = Descriptor();
    if (exporter.joinable()) exporter.join();
  };
  std::string config;
  std::mutex mutex;
  std::map<std::string, KnownBlob> sent;
  try {
    Uploads uploads(
        upload,
        [&](const CompressedLayer& layer) {
          std::lock_guard lock(mutex);
          sent[layer.diff_id] = {
              .blob = {layer.digest, layer.size}, .place = plan.to.place(), .is_ours = true};
        },
        stop);
    std::vector<std::string> missing = plan.missing();
    ExportWish wish{.image_id = plan.image.id,
                    .layer_ids = plan.image.layer_ids,
                    .wanted = {missing.begin(), missing.end()},
                    .most_bytes = 2 * plan.image.size + (std::uint64_t{4} << 30)};
    TarReader tar(out.get());
    config = read_export(tar, wish, [&] { return uploads.begin(); });
    end();
    uploads.finish();
  } catch (...) {
    end();
    throw;
  }
  for (const auto& [id, known] : sent) cache_.remember(id, known);
  plan.blobs.merge(sent);
  return config;
}

std::string DockerPush::publish(Plan& plan, ImageUpload& upload, const std::stop_token& stop) {
  if (!plan.missing().empty() || !plan.blobs.contains(plan.image.id)) {
    std::string config = export_layers(plan, upload, stop);
    KnownBlob& known = plan.blobs[plan.image.id];
    known = {.blob = {plan.image.id, config.size()}, .place = plan.to.place()};
    upload.upload([&] { return BlobChunk{config, plan.image.id}; });
    cache_.remember(plan.image.id, known);
  }
  ordered_json layers = ordered_json::array();
  for (const std::string& id : plan.image.layer_ids) {
    const RegistryLayer& blob = plan.blobs.at(id).blob;
    layers.push_back({{"mediaType", kLayerType}, {"size", blob.size}, {"digest", blob.digest}});
  }
  const RegistryLayer& config = plan.blobs.at(plan.image.id).blob;
  ordered_json manifest = {
      {"schemaVersion", 2},
      {"mediaType", kManifestType},
      {"config", {{"mediaType", kConfigType}, {"size", config.size}, {"digest", config.digest}}},
      {"layers", layers}};
  return upload.put_manifest(manifest.dump(), kManifestType);
}

std::optional<Transfer> DockerPush::push(const std::string& image, const std::stop_token& stop) {
  bool has_begun = false;  // the registry takes our requests
  std::string why;
  std::optional<RegistryName> to = registry_name(image, why);
  if (!to || !to->digest.empty()) return std::nullopt;
  try {
    if (!is_worth_it()) return std::nullopt;
    std::optional<ImageInfo> found = find_(image);
    if (!found || !is_sha256(found->id) || found->layer_ids.empty()) return std::nullopt;
    if (!std::all_of(found->layer_ids.begin(), found->layer_ids.end(), is_sha256)) return std::nullopt;
    Plan plan{.image = *std::move(found), .to = *to};
    ImageUpload upload({.plain_http = plain_http_, .token_hosts = token_hosts_, .stop = stop}, *to);
    learn(plan, upload);
    look(plan, upload);
    has_begun = true;
    bool is_there = plan.missing().empty() && plan.blobs.contains(plan.image.id);
    if (!is_there && engine_is_better(plan)) return std::nullopt;
    return Transfer{.ok = true, .digest = publish(plan, upload, stop)};
  } catch (const UploadError& error) {
    if (!stop.stop_requested() && error.kind() == UploadError::Kind::Interrupted && has_begun)
      return Transfer{.ok = false, .why = fmt::format("{}: {}", to->place(), error.what())};
  } catch (const std::exception&) {
    // The daemon's own push has words for what is wrong, if it is wrong for it as well.
  }
  if (stop.stop_requested()) return Transfer{.ok = false, .why = "the run was stopped"};
  return std::nullopt;
}

}  // namespace stagemake
