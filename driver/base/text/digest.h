// Digests of keys and manifests (SHA-256), and of file contents (git's blob ids).
//
// Blob ids name file contents because a git checkout already has them: its index gives the id of every
// unchanged file at the cost of one stat. Outside a checkout, the same id is computed from the content, so
// keys are the same on every machine, with or without git.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/files/files.h"

namespace stagemake {

// SHA-256 over a sequence of fields. Each field is preceded by its length, so two different sequences never
// look alike.
class DigestBuilder {
 public:
  DigestBuilder();
  ~DigestBuilder();
  DigestBuilder(const DigestBuilder&) = delete;
  DigestBuilder& operator=(const DigestBuilder&) = delete;

  DigestBuilder& field(std::string_view bytes);
  // 64 lower-case hex digits. Call it only once.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Plain SHA-256 of bytes, 64 lower-case hex digits.
std::string sha256_hex(std::string_view bytes);

// The same for bytes that come in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void add(std::string_view piece);
  // 64 lower-case hex digits. Call it only once.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// SHA-256 or SHA-1 of the content of an open file, in lower-case hex digits, read in pieces from its current
// position. Errors call the file `path`. Throws Error (BadInput) if it cannot be read.
enum class Checksum { Sha1, Sha256 };
std::string checksum_of_file(Checksum kind, const Descriptor& file, const fs::path& path);

// git's blob id: SHA-1 over "blob SIZE\0" and the content, 40 lower-case hex digits.
std::string git_blob_id(std::string_view content);

// The same for content of any size that comes in pieces.
class BlobDigest {
 public:
  // `size`: bytes of the whole content, known in advance.
  explicit BlobDigest(std::uint64_t size);
  ~BlobDigest();
  BlobDigest(const BlobDigest&) = delete;
  BlobDigest& operator=(const BlobDigest&) = delete;

  void add(std::string_view piece);
  // The id if the pieces add up to `size` bytes, else empty. Call it only once.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// git's blob id of the content of an open file, read in pieces, so that a file of any size needs the same
// memory. Errors call the file `path`. Throws Error (BadInput) if the file cannot be read, is not regular, or
// changes its size meanwhile.
std::string git_blob_id_of_file(const Descriptor& file, const fs::path& path);

}  // namespace stagemake
