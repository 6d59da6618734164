// A real registry for tests: Debian's docker-registry on a port of this machine, with or without a password
// and TLS, and images for it that need no engine.
#pragma once

#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/files/files.h"

namespace stagemake::test {

// An image as documents, ready to be stored in a registry.
struct ImageDocuments {
  std::string config;
  std::string manifest;
  std::map<std::string, std::string> blobs;  // by digest, including the config

  std::string digest() const;  // of the manifest
};

struct ImageWish {
  std::map<std::string, std::string> labels = {};
  std::string architecture = "amd64";
  std::string created = "2026-11-22T08:49:16.123Z";
  std::string layer = "a layer";
  bool is_oci = true;
};
ImageDocuments image_documents(const ImageWish& wish);
// An index of these images, by architecture.
std::string index_document(const std::map<std::string, ImageDocuments>& images);
std::string digest_of(const std::string& bytes);

int free_port();

class TestRegistry {
 public:
  static constexpr const char* kUser = "somebody";
  static constexpr const char* kPassword = "s3cret:of-mine";

  struct Kind {
    bool password = false;  // kUser and kPassword
    bool tls = false;       // with a certificate that nobody trusts
  };
  // Starts it in a new folder below `parent`.
  explicit TestRegistry(const fs::path& parent) : TestRegistry(parent, Kind{}) {}
  TestRegistry(const fs::path& parent, Kind kind);

  std::string host() const;                          // "127.0.0.1:PORT"
  std::string name(const std::string& image) const;  // "127.0.0.1:PORT/image"
  fs::path certificate() const { return folder_.path() / "certificate.crt"; }

  // Throws std::runtime_error if the registry refuses.
  void put(const std::string& repository, const std::string& tag, const ImageDocuments& image);
  void put_manifest(const std::string& repository, const std::string& tag, const std::string& manifest);
  // The digest of a tag in its storage.
  std::string digest(const std::string& repository, const std::string& tag) const;
  // The file of a digest in its storage.
  fs::path blob(const std::string& digest) const;

 private:
  struct Answer;
  Answer ask(const char* method, const std::string& url, const std::string& body, const std::string& type);

  TemporaryFolder folder_;
  Kind kind_;
  int port_;
  std::map<std::string, bool> put_;  // blobs, by repository and digest
  std::jthread thread_;
};

}  // namespace stagemake::test
