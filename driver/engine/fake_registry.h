// A registry in memory, for any number of FakeEngines: two machines and one registry. Images lie in it by the
// digest of their content; tags point to digests. Can be told to fail and to lie.
//
// Thread rule: all calls from any thread. `on_call` is called without a lock; set it while nothing calls.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "engine/fake_image.h"

namespace stagemake {

class FakeRegistry {
 public:
  // Before each pull ("pull") and push ("push") of an engine: where time passes, where somebody else comes
  // in between. What it throws comes out of the engine's verb.
  std::function<void(const std::string& verb, const std::string& image)> on_call;

  // --- What engines do.

  // Stores the image and points the name, "repository:tag", to it. Its FakeImage::digest is that of its
  // content then.
  Transfer push(const std::string& name, FakeImage image);
  // By "repository:tag" or "repository@sha256:…", into `image`.
  Transfer pull(const std::string& name, FakeImage& image) const;

  // --- What a test does.

  // As `push`, whatever fails; a digest that the image has already is kept, and the image is found under it.
  // Returns the digest.
  std::string put(const std::string& name, FakeImage image);
  // Nothing where there is none.
  std::optional<FakeImage> find(const std::string& name) const;
  // Digests by "repository:tag".
  std::map<std::string, std::string> tags() const;
  void remove_tag(const std::string& name);
  // Removes what lies under a digest, and the tags that point to it.
  void remove(const std::string& digest);
  // From now on this image comes where that digest is asked for, by itself or by a tag.
  void lie(const std::string& digest, FakeImage image);

  // The next `times` pulls and pushes of any engine are not ok, with these words; also before the next.
  void fail(const std::string& words, unsigned times = ~0u);
  void mend() { fail({}, 0); }
  // Pulls and pushes since the start, those that failed included.
  unsigned calls() const;

 private:
  std::optional<std::string> begin(const std::string& verb, const std::string& name) const;
  const FakeImage* look(const std::string& name) const;
  std::string store(const std::string& name, FakeImage image);

  mutable std::mutex mutex_;
  std::map<std::string, FakeImage> images_;  // by "repository@digest"
  std::map<std::string, std::string> tags_;  // "repository:tag" to digest
  std::string failure_;
  mutable unsigned failures_ = 0;  // to come
  mutable unsigned calls_ = 0;
};

}  // namespace stagemake
