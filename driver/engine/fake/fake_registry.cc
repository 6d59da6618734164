#include "engine/fake/fake_registry.h"

#include "engine/engine_program.h"

namespace stagemake {
namespace {

// "repository" of "repository:tag" and "repository@digest".
std::string repository_of(const std::string& name) {
  std::string bare = name.substr(0, name.find('@'));
  std::size_t colon = bare.find(':', bare.rfind('/') == std::string::npos ? 0 : bare.rfind('/'));
  return bare.substr(0, colon);
}

}  // namespace

std::optional<std::string> FakeRegistry::begin(const std::string& verb, const std::string& name) const {
  if (on_call) on_call(verb, name);
  std::lock_guard lock(mutex_);
  ++calls_;
  if (failures_ == 0) return std::nullopt;
  if (failures_ != ~0u) --failures_;
  return failure_;
}

const FakeImage* FakeRegistry::look(const std::string& name) const {
  std::string digest = digest_in(name);
  if (digest.empty()) {
    auto tag = tags_.find(name);
    if (tag == tags_.end()) return nullptr;
    digest = tag->second;
  }
  auto found = images_.find(repository_of(name) + "@" + digest);
  return found == images_.end() ? nullptr : &found->second;
}

std::string FakeRegistry::store(const std::string& name, FakeImage image) {
  if (image.digest.empty()) image.digest = content_digest(image);
  std::string digest = image.digest;
  images_[repository_of(name) + "@" + digest] = std::move(image);
  tags_[name] = digest;
  return digest;
}

Transfer FakeRegistry::push(const std::string& name, FakeImage image) {
  if (std::optional<std::string> words = begin("push", name)) return {.why = *words};
  std::lock_guard lock(mutex_);
  image.digest.clear();
  return {.ok = true, .digest = store(name, std::move(image))};
}

Transfer FakeRegistry::pull(const std::string& name, FakeImage& image) const {
  if (std::optional<std::string> words = begin("pull", name)) return {.why = *words};
  std::lock_guard lock(mutex_);
  const FakeImage* found = look(name);
  if (found == nullptr) return {.why = "not found: " + name};
  image = *found;
  return {.ok = true, .digest = image.digest};
}

std::string FakeRegistry::put(const std::string& name, FakeImage image) {
  std::lock_guard lock(mutex_);
  return store(name, std::move(image));
}

std::optional<FakeImage> FakeRegistry::find(const std::string& name) const {
  std::lock_guard lock(mutex_);
  const FakeImage* found = look(name);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

std::map<std::string, std::string> FakeRegistry::tags() const {
  std::lock_guard lock(mutex_);
  return tags_;
}

void FakeRegistry::remove_tag(const std::string& name) {
  std::lock_guard lock(mutex_);
  tags_.erase(name);
}

void FakeRegistry::remove(const std::string& digest) {
  std::lock_guard lock(mutex_);
  std::erase_if(images_, [&](const auto& entry) { return digest_in(entry.first) == digest; });
  std::erase_if(tags_, [&](const auto& entry) { return entry.second == digest; });
}

void FakeRegistry::lie(const std::string& digest, FakeImage image) {
  std::lock_guard lock(mutex_);
  image.digest = digest;
  for (auto& [name, stored] : images_)
    if (digest_in(name) == digest) stored = image;
}

void FakeRegistry::fail(const std::string& words, unsigned times) {
  std::lock_guard lock(mutex_);
  failure_ = words;
  failures_ = times;
}

unsigned FakeRegistry::calls() const {
  std::lock_guard lock(mutex_);
  return calls_;
}

}  // namespace stagemake
