// Uploads an image to a registry by its HTTP API (distribution spec v2): asks which blobs are there, mounts
// those that another repository of the registry has, uploads the others in chunks, several at once, and puts
// the manifest.
//
// After a broken connection, an upload goes on where the registry says that it stands. Everything that a
// registry sends is bounded and checked; uploads stay at the registry's own host.
//
// Thread rule: all calls from any thread, each on a connection and with a token of its own.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "registry/blob_pipe.h"
#include "registry/registry_documents.h"

namespace stagemake {

// An upload that cannot be completed. The message is the reason, safe to print on a terminal, in words that
// is_transient_failure (transfer_failure.h) understands.
class UploadError : public Error {
 public:
  enum class Kind {
    Refused,  // the registry does not accept this, or answers something unexpected: another try is in vain
    Interrupted,  // the registry or the network failed: another try may work
    Stopped,      // a stop was requested
  };
  UploadError(Kind kind, std::string what)
      : Error(ExitStatus::EngineUnusable, std::move(what)), kind_(kind) {}
  Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

struct UploadOptions {
  std::vector<std::string> plain_http = {};   // as in RegistryOptions
  std::vector<std::string> token_hosts = {};  // likewise
  std::chrono::milliseconds connect_patience{10'000};
  std::chrono::milliseconds patience{30'000};         // for an answer, with all its attempts
  std::chrono::milliseconds chunk_patience{600'000};  // for a chunk, and for the end of a blob
  std::chrono::milliseconds silence{60'000};          // without a byte while a chunk is sent
  std::chrono::milliseconds first_pause{500};         // before another attempt; doubled each time
  unsigned tries = 5;                                 // failures in a row, per blob
  std::stop_token stop = {};                          // ends every call with Kind::Stopped
};

class ImageUpload {
 public:
  // Nothing is contacted yet. The name has a tag, or "latest" is meant.
  ImageUpload(UploadOptions options, RegistryName to);
  ~ImageUpload();
  ImageUpload(const ImageUpload&) = delete;
  ImageUpload& operator=(const ImageUpload&) = delete;

  // Those of the blobs that the repository has, with their sizes in bytes, by digest. Size 0 stands for any
  // size; a blob of another size than expected is not there. Throws UploadError.
  std::map<std::string, std::uint64_t> present(const std::vector<RegistryLayer>& blobs);
  // Asks the registry to take blobs from other repositories on it: digests, and for each a repository
  // ("folder/name"). Those that it took, by digest. A refusal is no error.
  std::set<std::string> mounted(const std::vector<std::pair<std::string, std::string>>& blobs);
  // The manifest of this digest in a repository of the registry; nothing if it is not available.
  std::optional<std::string> manifest(const std::string& repository, const std::string& digest);

  // Uploads the blob that `next` gives, chunk by chunk. Throws UploadError, and what `next` throws.
  void upload(const std::function<BlobChunk()>& next);
  // Puts the image's manifest, of this media type, under its tag. Its blobs must be there. Returns its
  // digest. Throws UploadError.
  std::string put_manifest(const std::string& manifest, const std::string& type);

 private:
  class Connection;
  class Session;
  struct Borrowed;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stagemake
