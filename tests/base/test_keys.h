// Newly generated keys for tests.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "base/files/files.h"

namespace stagemake::test {

struct KeyTexts {
  std::string secret, open;  // PEM
};

// `kind`: "EC" (P-256), "ED25519", "RSA", or "X25519", which cannot sign.
inline KeyTexts new_key(const std::string& kind = "EC") {
  EVP_PKEY* made = kind == "EC"    ? EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")
                   : kind == "RSA" ? EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048})
                                   : EVP_PKEY_Q_keygen(nullptr, nullptr, kind.c_str());
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(made, &EVP_PKEY_free);
  if (!key) throw std::runtime_error("OpenSSL makes no key of the kind " + kind);
  auto text_of = [](auto write) {
    std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), &BIO_free);
    write(bio.get());
    char* bytes = nullptr;
    long size = BIO_get_mem_data(bio.get(), &bytes);
    return std::string(bytes, static_cast<std::size_t>(size));
  };
  return {text_of([&](BIO* out) {
            PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
          }),
          text_of([&](BIO* out) { PEM_write_bio_PUBKEY(out, key.get()); })};
}

// Writes the private key into a file that only its owner can read.
inline fs::path secret_file(const fs::path& folder, const KeyTexts& key,
                            const std::string& name = "key.pem") {
  write_file(folder / name, key.secret);
  ::chmod((folder / name).c_str(), 0600);
  return folder / name;
}

}  // namespace stagemake::test
