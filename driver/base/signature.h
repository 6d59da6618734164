// Signatures of text with keys in PEM files, using OpenSSL: ECDSA with SHA-256 (P-256, as cosign makes them,
// and other curves), Ed25519, and RSA with SHA-256.
//
// Thread rule: an object may be used by one thread at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/files/files.h"

namespace stagemake {

class PublicKey {
 public:
  // The public keys in a PEM text, which errors call `origin`. Throws Error (BadInput) if there is none, or
  // one of a kind that cannot sign.
  static std::vector<PublicKey> in(std::string_view pem, const std::string& origin);

  // SHA-256 of the key (its SubjectPublicKeyInfo, DER), 64 hex digits: the output of `openssl pkey -pubin
  // -outform DER | sha256sum`.
  const std::string& fingerprint() const { return fingerprint_; }

  // Whether `signature` (base64) is this key's signature of `text`.
  bool verifies(std::string_view text, std::string_view signature) const;

 private:
  friend class SigningKey;
  explicit PublicKey(std::shared_ptr<void> key);
  std::shared_ptr<void> key_;  // OpenSSL's EVP_PKEY
  std::string fingerprint_;
};

class SigningKey {
 public:
  // A private key in PEM without a password, as made by `openssl genpkey -algorithm EC -pkeyopt
  // ec_paramgen_curve:P-256`. Throws Error (BadInput, with the path) if there is none, if it needs a
  // password, or if anybody but its owner can read the file.
  static SigningKey read(const fs::path& file);

  PublicKey public_key() const;
  // In base64.
  std::string sign(std::string_view text) const;

 private:
  explicit SigningKey(std::shared_ptr<void> key) : key_(std::move(key)) {}
  std::shared_ptr<void> key_;
};

}  // namespace stagemake
