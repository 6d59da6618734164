// A registry in memory, for any number of FakeEngines: it can model two machines and one registry. Images are
// stored by the digest of their content; tags point to digests. It can be made to fail and to lie.
//
// Thread rule: all calls from any thread. `on_call` is called without a lock; set it while there are no
// calls.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "engine/fake/fake_image.h"

namespace stagemake {

class FakeRegistry {
 public:
  // Called before each pull ("pull") and push ("push") of an engine, so that a test can let time pass or act
  // as another client. The engine's verb rethrows its exceptions.
  std::function<void(const std::string& verb, const std::string& image)> on_call;

  // --- What engines do.

  // Stores the image and points the name, "repository:tag", to it. FakeImage::digest becomes that of its
  // content.
  Transfer push(const std::string& name, FakeImage image);
  // Pulls "repository:tag" or "repository@sha256:…" into `image`.
  Transfer pull(const std::string& name, FakeImage& image) const;

  // --- What a test does.

  // Like `push`, but never fails. If the image already has a digest, it is kept, and the image is found under
  // it. Returns the digest.
  std::string put(const std::string& name, FakeImage image);
  // Nothing if there is none.
  std::optional<FakeImage> find(const std::string& name) const;
  // Digests by "repository:tag".
  std::map<std::string, std::string> tags() const;
  void remove_tag(const std::string& name);
  // Removes the image with this digest, and the tags that point to it.
  void remove(const std::string& digest);
  // From now on, requests for that digest, directly or by a tag, return this image.
  void lie(const std::string& digest, FakeImage image);

  // The next `times` pulls and pushes of any engine fail with these words. Another call replaces the previous
  // one.
  void fail(const std::string& words, unsigned times = ~0u);
  void mend() { fail({}, 0); }
  // Number of pulls and pushes since the start, including failed ones.
  unsigned calls() const;

 private:
  std::optional<std::string> begin(const std::string& verb, const std::string& name) const;
  const FakeImage* look(const std::string& name) const;
  std::string store(const std::string& name, FakeImage image);

  mutable std::mutex mutex_;
  std::map<std::string, FakeImage> images_;  // by "repository@digest"
  std::map<std::string, std::string> tags_;  // "repository:tag" to digest
  std::string failure_;
  mutable unsigned failures_ = 0;  // still to come
  mutable unsigned calls_ = 0;
};

}  // namespace stagemake
