// Digests: of keys and manifests (SHA-256), and of file contents as git names them.
//
// File contents are named by git's blob id, because a git checkout has these ids at hand: its index gives the
// name of every unchanged file for the price of one stat. Outside a checkout the same id is computed from the
// content, so that a key is the same on every machine, with git or without.
#pragma once

#include <memory>
#include <string>
#include <string_view>

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

// git's blob id: SHA-1 over "blob SIZE\0" and the content, 40 lower-case hex digits.
std::string git_blob_id(std::string_view content);

}  // namespace stagemake
