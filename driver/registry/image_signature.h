// Signatures of images in registries, in cosign's format (its "simple signing" and the tag
// `sha256-DIGEST.sig`; see SIGNATURE_SPEC.md of github.com/sigstore/cosign), so that `cosign verify --key`
// and cluster policies understand them.
//
// Text in, values out; no network, no keys. All input comes from strangers and is checked.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stagemake {

struct ImageSignature {
  std::string payload;    // the signed text: JSON
  std::string signature;  // base64
};

// The signatures of one image.
struct ImageSignatures {
  std::vector<ImageSignature> list;
  std::string problem = {};  // why there may be more, fit for a terminal; empty: these are all
};

// The tag that holds an image's signatures: "sha256-HEX.sig". Empty if `digest` is not a digest.
std::string signature_tag(std::string_view digest);
bool is_signature_tag(std::string_view tag);

// The signed text of an image: that this content ("sha256:…") is at that place ("host/repository"), with the
// signer's statements about it.
std::string signature_payload(const std::string& place, const std::string& digest,
                              const std::map<std::string, std::string>& says, std::int64_t time);
// The digest that a payload is about; nothing if it is not the payload of an image's signature.
std::optional<std::string> signed_digest(std::string_view payload);

// The parts of a signature: a blob for each payload, listed in the manifest under signature_tag().
struct SignatureEntry {
  std::string digest;      // of the payload
  std::uint64_t size = 0;  // bytes, of the payload
  std::string signature;   // base64
};
// Nothing if this is not a manifest of signatures. Reads at most kMostSignatures.
std::optional<std::vector<SignatureEntry>> read_signatures(std::string_view manifest);
inline constexpr std::size_t kMostSignatures = 32;
inline constexpr std::size_t kLongestPayload = 64u << 10;  // bytes

// A manifest of signatures, and the config that it names.
struct SignatureDocuments {
  std::string config;
  std::string manifest;
};
// The documents with a signature in front of those in `before`, a manifest; empty: it is the first. What
// others wrote about theirs (certificates, transparency logs) stays. Nothing if `before` is something else,
// or is full.
std::optional<SignatureDocuments> with_signature(std::string_view before, const SignatureEntry& entry);

inline constexpr const char* kSignatureManifestType = "application/vnd.oci.image.manifest.v1+json";

}  // namespace stagemake
