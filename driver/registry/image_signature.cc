#include "registry/image_signature.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text/digest.h"
#include "base/text/json_text.h"
#include "base/text/json_values.h"
#include "registry/registry_documents.h"

namespace stagemake {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr const char* kPayloadType = "application/vnd.dev.cosign.simplesigning.v1+json";
constexpr const char* kConfigType = "application/vnd.oci.image.config.v1+json";
constexpr const char* kSignatureNote = "dev.cosignproject.cosign/signature";
constexpr const char* kKind = "cosign container image signature";
constexpr std::size_t kLongestManifest = 4u << 20;  // bytes
constexpr std::size_t kLongestSignature = 4096;     // bytes, as base64

std::string digest_of(const std::string& text) {
  return "sha256:" + sha256_hex(text);
}

}  // namespace

std::string signature_tag(std::string_view digest) {
  if (!is_sha256(digest)) return {};
  return "sha256-" + std::string(digest.substr(7)) + ".sig";
}

bool is_signature_tag(std::string_view tag) {
  return tag.starts_with("sha256-") && tag.ends_with(".sig") && tag.size() == 7 + 64 + 4;
}

std::string signature_payload(const std::string& place, const std::string& digest,
                              const std::map<std::string, std::string>& says, std::int64_t time) {
  ordered_json optional = {{"creator", "stagemake"}, {"timestamp", time}};
  for (const auto& [name, value] : says) optional[name] = value;
  ordered_json payload = {{"critical",
                           {{"identity", {{"docker-reference", place}}},
                            {"image", {{"docker-manifest-digest", digest}}},
                            {"type", kKind}}},
                          {"optional", optional}};
  return payload.dump(-1, ' ', true, ordered_json::error_handler_t::replace);
}

std::optional<std::string> signed_digest(std::string_view payload) {
  std::optional<json> value = json_in(payload, kLongestPayload);
  json critical = value ? member(*value, "critical") : json();
  if (text_at(critical, "type") != kKind) return std::nullopt;
  std::string digest = text_at(member(critical, "image"), "docker-manifest-digest");
  return is_sha256(digest) ? std::optional(std::move(digest)) : std::nullopt;
}

std::optional<std::vector<SignatureEntry>> read_signatures(std::string_view manifest) {
  std::optional<json> value = json_in(manifest, kLongestManifest);
  json layers = value ? member(*value, "layers") : json();
  if (!layers.is_array()) return std::nullopt;
  std::vector<SignatureEntry> entries;
  for (const json& layer : layers) {
    if (entries.size() == kMostSignatures) break;
    SignatureEntry entry{.digest = text_at(layer, "digest"),
                         .size = size_at(layer, "size"),
                         .signature = text_at(member(layer, "annotations"), kSignatureNote)};
    if (text_at(layer, "mediaType") != kPayloadType) continue;
    if (is_sha256(entry.digest) && entry.size > 0 && entry.size <= kLongestPayload &&
        !entry.signature.empty() && entry.signature.size() <= kLongestSignature)
      entries.push_back(std::move(entry));
  }
  return entries;
}

std::optional<SignatureDocuments> with_signature(std::string_view before, const SignatureEntry& entry) {
  // The zero value of Go's time, as cosign writes it, so that the config is always the same.
  constexpr const char* kNever = "0001-01-01T00:00:00Z";
  json layers = json::array();
  if (!before.empty()) {
    std::optional<json> value = json_in(before, kLongestManifest);
    layers = value ? member(*value, "layers") : json();
    if (!layers.is_array() || layers.size() >= kMostSignatures) return std::nullopt;
  }
  layers.insert(layers.begin(), json{{"mediaType", kPayloadType},
                                     {"size", entry.size},
                                     {"digest", entry.digest},
                                     {"annotations", {{kSignatureNote, entry.signature}}}});
  ordered_json ids = ordered_json::array(), history = ordered_json::array();
  for (const json& layer : layers) {
    ids.push_back(text_at(layer, "digest"));
    history.push_back({{"created", kNever}});
  }
  SignatureDocuments documents;
  documents.config = ordered_json({{"architecture", ""},
                                   {"created", kNever},
                                   {"history", history},
                                   {"os", ""},
                                   {"rootfs", {{"type", "layers"}, {"diff_ids", ids}}},
                                   {"config", ordered_json::object()}})
                         .dump();
  documents.manifest = ordered_json({{"schemaVersion", 2},
                                     {"mediaType", kSignatureManifestType},
                                     {"config",
                                      {{"mediaType", kConfigType},
                                       {"size", documents.config.size()},
                                       {"digest", digest_of(documents.config)}}},
                                     {"layers", layers}})
                           .dump();
  return documents;
}

}  // namespace stagemake
