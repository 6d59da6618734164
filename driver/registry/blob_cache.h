// Remembers in which form registries have layers: for a layer's content id, the digest and size of its
// compressed form, and the repository that has it. So a layer that a registry has is neither compressed nor
// sent again.
//
// A file with a line per fact, which any number of processes append to. A line that was cut short is ignored.
// Losing the file, or not being able to write it, only costs time: a registry is asked before a fact counts.
//
// Thread rule: all calls from any thread.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/files/files.h"
#include "registry/registry_documents.h"

namespace stagemake {

struct KnownBlob {
  RegistryLayer blob;
  std::string place;     // "host/repository"
  bool is_ours = false;  // compressed by stagemake: the engine does not know this form
};

class BlobCache {
 public:
  // If `file` is empty, only this object remembers.
  explicit BlobCache(fs::path file) : file_(std::move(file)) {}

  // The forms of a layer ("sha256:…"), newest first.
  std::vector<KnownBlob> find(const std::string& diff_id);
  void remember(const std::string& diff_id, const KnownBlob& known);

 private:
  void read();

  std::mutex mutex_;  // guards all below
  fs::path file_;
  bool is_read_ = false;
  std::map<std::string, std::vector<KnownBlob>> known_;  // by content id, newest last
};

}  // namespace stagemake
