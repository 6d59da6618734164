#include "base/digest.h"

#include <openssl/evp.h>

#include <new>

#include "base/error.h"

namespace stagemake {
namespace {

std::string hex_of(const unsigned char* bytes, unsigned size) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    hex += kDigits[bytes[i] >> 4];
    hex += kDigits[bytes[i] & 15];
  }
  return hex;
}

struct Context {
  explicit Context(const EVP_MD* kind) : md(EVP_MD_CTX_new()) {
    if (md == nullptr) throw std::bad_alloc();
    if (EVP_DigestInit_ex(md, kind, nullptr) != 1)
      throw Error(ExitStatus::BadInput, "OpenSSL refuses to start a digest");
  }
  ~Context() { EVP_MD_CTX_free(md); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  void add(std::string_view bytes) { EVP_DigestUpdate(md, bytes.data(), bytes.size()); }
  std::string hex() {
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_DigestFinal_ex(md, out, &size);
    return hex_of(out, size);
  }

  EVP_MD_CTX* md;
};

}  // namespace

struct DigestBuilder::State {
  Context context{EVP_sha256()};
};

DigestBuilder::DigestBuilder() : state_(std::make_unique<State>()) {}
DigestBuilder::~DigestBuilder() = default;

DigestBuilder& DigestBuilder::field(std::string_view bytes) {
  unsigned char length[8];
  for (int i = 0; i < 8; ++i) length[i] = static_cast<unsigned char>(bytes.size() >> (8 * i));
  state_->context.add({reinterpret_cast<const char*>(length), sizeof length});
  state_->context.add(bytes);
  return *this;
}

std::string DigestBuilder::hex() {
  return state_->context.hex();
}

std::string sha256_hex(std::string_view bytes) {
  Context context(EVP_sha256());
  context.add(bytes);
  return context.hex();
}

std::string git_blob_id(std::string_view content) {
  Context context(EVP_sha1());
  std::string header = "blob " + std::to_string(content.size());
  context.add({header.c_str(), header.size() + 1});  // with its closing NUL
  context.add(content);
  return context.hex();
}

}  // namespace stagemake
