// Digests: of keys and manifests (SHA-256), and of file contents as git names them.
//
// File contents are named by git's blob id, because a git checkout has these ids at hand: its index gives the
// name of every unchanged file for the price of one stat. Outside a checkout the same id is computed from the
// content, so that a key is the same on every machine, with git or without.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/files.h"

namespace stagemake {

// SHA-256 over a sequence of fields. Each field is hashed with its length before it, so that no two different
// sequences look alike.
class DigestBuilder {
 public:
  DigestBuilder();
  ~DigestBuilder();
  DigestBuilder(const DigestBuilder&) = delete;
  DigestBuilder& operator=(const DigestBuilder&) = delete;

  DigestBuilder& field(std::string_view bytes);
  // 64 lower-case hex digits. May be called once.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Plain SHA-256 of bytes, 64 lower-case hex digits.
std::string sha256_hex(std::string_view bytes);

// SHA-256 or SHA-1 of the content of an open file, in lower-case hex digits, read piece by piece from where it stands.
// `path` is what errors call it. Throws Error (BadInput) where it cannot be read.
enum class Checksum { Sha1, Sha256 };
std::string checksum_of_file(Checksum kind, const Descriptor& file, const fs::path& path);

// git's blob id: SHA-1 over "blob SIZE\0" and the content, 40 lower-case hex digits.
std::string git_blob_id(std::string_view content);

// The same of content that comes in pieces, of any size.
class BlobDigest {
 public:
  // `size`: bytes of the whole content, known beforehand.
  explicit BlobDigest(std::uint64_t size);
  ~BlobDigest();
  BlobDigest(const BlobDigest&) = delete;
  BlobDigest& operator=(const BlobDigest&) = delete;

  void add(std::string_view piece);
  // The id, if the pieces had `size` bytes together; empty if they had not. May be called once.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// git's blob id of the content of an open file, read piece by piece: a file of any size takes the same memory. `path` is
// what errors call it. Throws Error (BadInput) where the file cannot be read, is not regular, or changes its size
// meanwhile.
std::string git_blob_id_of_file(const Descriptor& file, const fs::path& path);

}  // namespace stagemake
