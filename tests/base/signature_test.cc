#include "base/signature.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "base/test_keys.h"

namespace stagemake {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::BadInput);
    return error.what();
  }
  return "no error";
}

TEST(Signature, IsRightForThisTextAndThisKeyOnly) {
  TemporaryFolder folder(fs::temp_directory_path());
  for (const char* kind : {"EC", "ED25519", "RSA"}) {
    test::KeyTexts one = test::new_key(kind), other = test::new_key(kind);
    SigningKey key = SigningKey::read(test::secret_file(folder.path(), one));
    std::string signature = key.sign("what was made");
    PublicKey own = PublicKey::in(one.open, "x").front(), foreign = PublicKey::in(other.open, "x").front();
    EXPECT_TRUE(own.verifies("what was made", signature)) << kind;
    EXPECT_TRUE(key.public_key().verifies("what was made", signature)) << kind;
    EXPECT_EQ(own.fingerprint(), key.public_key().fingerprint());
    EXPECT_NE(own.fingerprint(), foreign.fingerprint());
    EXPECT_FALSE(own.verifies("what was made.", signature)) << kind;
    EXPECT_FALSE(foreign.verifies("what was made", signature)) << kind;
    std::string damaged = signature;
    damaged[10] = damaged[10] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(own.verifies("what was made", damaged)) << kind;
    for (const char* none : {"", "A", "====", "AAAA", "not base64!!"})
      EXPECT_FALSE(own.verifies("what was made", none));
  }
}

TEST(Signature, AFileMayHoldSeveralPublicKeys) {
  test::KeyTexts one = test::new_key(), other = test::new_key("ED25519");
  EXPECT_THAT(PublicKey::in("# ours\n" + one.open + "\n" + other.open, "keys"), SizeIs(2));
}

TEST(Signature, InvalidKeysAreErrorsWithAdvice) {
  TemporaryFolder folder(fs::temp_directory_path());
  EXPECT_THAT(refusal([] { PublicKey::in("", "keys.pub"); }),
              HasSubstr("keys.pub: contains no public key in PEM"));
  EXPECT_THAT(refusal([] { PublicKey::in(test::new_key().secret, "keys.pub"); }), HasSubstr("-pubout"));
  EXPECT_THAT(refusal([] { PublicKey::in(test::new_key("X25519").open, "x"); }),
              HasSubstr("cannot make signatures"));
  EXPECT_THAT(refusal([&] { SigningKey::read(folder.path() / "none"); }), HasSubstr("does not exist"));
  write_file(folder.path() / "text", "text\n");
  EXPECT_THAT(refusal([&] { SigningKey::read(folder.path() / "text"); }),
              HasSubstr("contains no private key"));
  fs::path open = test::secret_file(folder.path(), test::new_key());
  ::chmod(open.c_str(), 0644);
  EXPECT_THAT(refusal([&] { SigningKey::read(open); }), HasSubstr("chmod 600"));
}

// Made with a password (`openssl pkcs8 -topk8`): stagemake does not prompt for it.
TEST(Signature, AKeyWithAPasswordIsRefused) {
  TemporaryFolder folder(fs::temp_directory_path());
  EVP_PKEY* key = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
  BIO* out = BIO_new(BIO_s_mem());
  char word[] = "password";
  PEM_write_bio_PKCS8PrivateKey(out, key, EVP_aes_256_cbc(), word, 8, nullptr, nullptr);
  char* bytes = nullptr;
  long size = BIO_get_mem_data(out, &bytes);
  write_file(folder.path() / "key", std::string(bytes, static_cast<std::size_t>(size)));
  ::chmod((folder.path() / "key").c_str(), 0600);
  BIO_free(out);
  EVP_PKEY_free(key);
  EXPECT_THAT(refusal([&] { SigningKey::read(folder.path() / "key"); }), HasSubstr("without a password"));
}

}  // namespace
}  // namespace stagemake
