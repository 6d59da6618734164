#include "base/signature.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <new>
#include <utility>

#include "base/error.h"
#include "base/text/digest.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

constexpr std::size_t kLongestKeyFile = 64u << 10;  // bytes

EVP_PKEY* pkey(const std::shared_ptr<void>& key) {
  return static_cast<EVP_PKEY*>(key.get());
}

std::shared_ptr<void> owned(EVP_PKEY* key) {
  return {key, [](void* one) { EVP_PKEY_free(static_cast<EVP_PKEY*>(one)); }};
}

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
Bio memory(std::string_view text) {
  Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free);
  if (!bio) throw std::bad_alloc();
  return bio;
}

// Never prompts for a password.
int no_password(char*, int, int, void*) {
  return 0;
}

// Ed25519 does its own hashing.
const EVP_MD* digest_for(EVP_PKEY* key) {
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256();
}

bool can_sign(EVP_PKEY* key) {
  int kind = EVP_PKEY_get_base_id(key);
  return kind == EVP_PKEY_EC || kind == EVP_PKEY_ED25519 || kind == EVP_PKEY_RSA;
}

using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;
Context context() {
  Context made(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  if (!made) throw std::bad_alloc();
  return made;
}

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string base64(std::string_view raw) {
  std::string text((raw.size() + 2) / 3 * 4 + 1, '\0');
  text.resize(static_cast<std::size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                                       bytes(raw), static_cast<int>(raw.size()))));
  return text;
}

// Empty if it is not base64.
std::string from_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return {};
  std::string raw(text.size() / 4 * 3, '\0');
  int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(raw.data()), bytes(text),
                             static_cast<int>(text.size()));
  if (size < 0) return {};
  std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  raw.resize(static_cast<std::size_t>(size) - padding);
  return raw;
}

}  // namespace

PublicKey::PublicKey(std::shared_ptr<void> key) : key_(std::move(key)) {
  unsigned char* der = nullptr;
  int size = i2d_PUBKEY(pkey(key_), &der);
  if (size <= 0) throw std::bad_alloc();
  fingerprint_ = sha256_hex({reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)});
  OPENSSL_free(der);
}

std::vector<PublicKey> PublicKey::in(std::string_view pem, const std::string& origin) {
  if (pem.size() > kLongestKeyFile) throw bad_input(origin, "is too long for a file of public keys");
  std::vector<PublicKey> keys;
  Bio bio = memory(pem);
  while (EVP_PKEY* key = PEM_read_bio_PUBKEY(bio.get(), nullptr, no_password, nullptr)) {
    std::shared_ptr<void> one = owned(key);
    if (!can_sign(key))
      throw bad_input(origin, "contains a key that cannot make signatures; use EC (P-256), Ed25519 or RSA");
    keys.push_back(PublicKey(std::move(one)));
  }
  if (keys.empty())
    throw bad_input(origin,
                    "contains no public key in PEM (-----BEGIN PUBLIC KEY-----); `openssl pkey -in KEY "
                    "-pubout` extracts one from a private key");
  return keys;
}

bool PublicKey::verifies(std::string_view text, std::string_view signature) const {
  std::string raw = from_base64(signature);
  if (raw.empty()) return false;
  Context check = context();
  return EVP_DigestVerifyInit(check.get(), nullptr, digest_for(pkey(key_)), nullptr, pkey(key_)) == 1 &&
         EVP_DigestVerify(check.get(), bytes(raw), raw.size(), bytes(text), text.size()) == 1;
}

SigningKey SigningKey::read(const fs::path& file) {
  std::optional<std::string> pem = read_file(file, kLongestKeyFile);
  if (!pem)
    throw bad_input(printable(file.string()), "does not exist; it must be the private key that signs images");
  struct stat facts {};
  if (::stat(file.c_str(), &facts) == 0 && (facts.st_mode & 077) != 0)
    throw bad_input(printable(file.string()),
                    "can be read by other users, so it is not private; run `chmod 600` on it");
  Bio bio = memory(*pem);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr);
  if (key == nullptr)
    throw bad_input(
        printable(file.string()),
        "contains no private key in PEM without a password; `openssl genpkey -algorithm EC -pkeyopt "
        "ec_paramgen_curve:P-256` makes one");
  std::shared_ptr<void> one = owned(key);
  if (!can_sign(key))
    throw bad_input(printable(file.string()), "contains a key that cannot make signatures; use EC (P-256)");
  return SigningKey(std::move(one));
}

PublicKey SigningKey::public_key() const {
  return PublicKey(key_);
}

std::string SigningKey::sign(std::string_view text) const {
  Context make = context();
  std::size_t size = 0;
  bool ready = EVP_DigestSignInit(make.get(), nullptr, digest_for(pkey(key_)), nullptr, pkey(key_)) == 1 &&
               EVP_DigestSign(make.get(), nullptr, &size, bytes(text), text.size()) == 1;
  std::string raw(size, '\0');
  if (!ready || EVP_DigestSign(make.get(), reinterpret_cast<unsigned char*>(raw.data()), &size, bytes(text),
                               text.size()) != 1)
    throw engine_unusable("OpenSSL cannot sign with this key");
  raw.resize(size);
  return base64(raw);
}

}  // namespace stagemake
