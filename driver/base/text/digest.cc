#include "base/text/digest.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <new>
#include <vector>

#include "base/error.h"
#include "base/files/descriptor.h"
#include "base/text/text.h"

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
      throw Error(ExitStatus::BadInput, "OpenSSL cannot compute a digest");
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

struct Sha256::State {
  Context context{EVP_sha256()};
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;

void Sha256::add(std::string_view piece) {
  state_->context.add(piece);
}

std::string Sha256::hex() {
  return state_->context.hex();
}

std::string git_blob_id(std::string_view content) {
  BlobDigest digest(content.size());
  digest.add(content);
  return digest.hex();
}

struct BlobDigest::State {
  Context context{EVP_sha1()};
  std::uint64_t missing;
  bool too_much = false;
};

BlobDigest::BlobDigest(std::uint64_t size) : state_(std::make_unique<State>()) {
  state_->missing = size;
  std::string header = "blob " + std::to_string(size);
  state_->context.add({header.c_str(), header.size() + 1});  // with its terminating NUL
}

BlobDigest::~BlobDigest() = default;

void BlobDigest::add(std::string_view piece) {
  if (piece.size() > state_->missing) state_->too_much = true;
  state_->missing -= std::min<std::uint64_t>(piece.size(), state_->missing);
  state_->context.add(piece);
}

std::string BlobDigest::hex() {
  return state_->missing == 0 && !state_->too_much ? state_->context.hex() : std::string();
}

namespace {

void read_pieces(const Descriptor& file, const fs::path& path,
                 const std::function<void(std::string_view)>& take) {
  constexpr std::size_t kPiece = 256u << 10;  // bytes; larger pieces are no faster
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) throw cannot_read(path);
  if (!S_ISREG(facts.st_mode)) throw bad_input(printable(path.string()), "is not a regular file");
  (void)!::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  std::vector<char> piece(std::min(kPiece, static_cast<std::size_t>(facts.st_size) + 1));
  while (true) {
    ssize_t n = ::read(file.get(), piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw cannot_read(path);
    if (n == 0) return;
    take({piece.data(), static_cast<std::size_t>(n)});
  }
}

}  // namespace

std::string checksum_of_file(Checksum kind, const Descriptor& file, const fs::path& path) {
  Context context(kind == Checksum::Sha256 ? EVP_sha256() : EVP_sha1());
  read_pieces(file, path, [&](std::string_view piece) { context.add(piece); });
  return context.hex();
}

std::string git_blob_id_of_file(const Descriptor& file, const fs::path& path) {
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) throw cannot_read(path);
  BlobDigest digest(static_cast<std::uint64_t>(facts.st_size));
  read_pieces(file, path, [&](std::string_view piece) { digest.add(piece); });
  std::string id = digest.hex();
  if (id.empty())
    throw bad_input(printable(path.string()), "changed while it was being read; run the command again");
  return id;
}

}  // namespace stagemake
