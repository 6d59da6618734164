// Answers of a registry. An input is a document and the values of headers. Every reader gets it.
#include "registry/registry_documents.h"

#include "base/text/text.h"
#include "fuzz.h"
#include "registry/image_signature.h"

namespace stagemake {
namespace {

void tell_reason(std::string& answer, bool is_read, const std::string& why) {
  require(is_read == why.empty(), "what is not read has a reason", why);
  require(printable(why) == why && why.size() < 1000, "a reason can be shown", why);
  tell(answer, why);
}

void tell_manifest(std::string& answer, std::string_view text) {
  std::string why;
  std::optional<RegistryManifest> manifest = read_manifest(text, "amd64", why);
  tell_reason(answer, manifest.has_value(), why);
  if (!manifest || !manifest->is_image) return;
  const RegistryReference& next = manifest->chosen ? *manifest->chosen : manifest->config;
  require(is_sha256(next.digest), "a reference has a digest", next.digest);
  std::uint64_t size = next.size;
  for (const RegistryLayer& layer : manifest->layers) {
    require(is_sha256(layer.digest), "a layer has a digest", layer.digest);
    require(size + layer.size >= size, "sizes have a sum", text);
    size += layer.size;
  }
  tell(answer, next.digest + std::to_string(size));
}

void tell_config(std::string& answer, std::string_view text) {
  std::string why;
  std::optional<RegistryConfig> config = read_config(text, why);
  tell_reason(answer, config.has_value(), why);
  if (!config) return;
  require(config->created >= 0, "nothing was made before the epoch", text);
  tell(answer, config->architecture + std::to_string(config->created));
  tell(answer, config->layer_ids);
  for (const auto& [name, value] : config->labels) tell(answer, name + "=" + value);
}

void tell_lists(std::string& answer, std::string_view text) {
  for (const char* key : {"tags", "repositories"}) {
    std::string why;
    std::optional<std::vector<std::string>> list = read_list(text, key, why);
    tell_reason(answer, list.has_value(), why);
    if (list) tell(answer, *list);
  }
  std::string complaint = registry_complaint(text);
  require(printable(complaint) == complaint && complaint.size() < 1000, "a complaint can be shown",
          complaint);
  tell(answer, complaint);
}

void tell_words(std::string& answer, std::string_view text) {
  std::string why;
  std::optional<RegistryName> name = registry_name(std::string(text), why);
  tell_reason(answer, name.has_value(), why);
  if (name) {
    require((name->tag.empty() || is_tag(name->tag)) && (name->digest.empty() || is_sha256(name->digest)),
            "a name has a tag and a digest, or none", text);
    require(name->place().find_first_of(" \t\n?#@") == std::string::npos, "a name can stand in a URL", text);
    tell(answer, {name->place(), name->tag, name->digest});
  }
  std::string next = next_page(text);
  require(next.find_first_of(" \r\n\"") == std::string::npos, "a query can stand in a URL", next);
  tell(answer, next);
  Challenge challenge = read_challenge(text);
  tell(answer, challenge.scheme);
  for (const auto& [key, value] : challenge.parameters) tell(answer, {key, value});
}

void tell_signatures(std::string& answer, std::string_view text) {
  if (std::optional<std::string> digest = signed_digest(text)) {
    require(is_sha256(*digest), "a signature is of a digest", *digest);
    tell(answer, *digest);
  }
  if (std::optional<SignatureDocuments> more = with_signature(text, {})) tell(answer, more->manifest);
  std::optional<std::vector<SignatureEntry>> entries = read_signatures(text);
  if (!entries) return;
  require(entries->size() <= kMostSignatures, "signatures are few", std::to_string(entries->size()));
  for (const SignatureEntry& entry : *entries) {
    require(is_sha256(entry.digest) && entry.size > 0 && entry.size <= kLongestPayload,
            "an entry can be fetched", entry.digest);
    tell(answer, {entry.digest, entry.signature});
  }
}

}  // namespace

std::string answer_to(std::string_view input) {
  std::string answer;
  for (std::string_view text : pieces(input)) {
    tell_manifest(answer, text);
    tell_config(answer, text);
    tell_lists(answer, text);
    tell_signatures(answer, text);
    tell_words(answer, text);
  }
  return answer;
}

void add_seeds(const fs::path&, const SeedSink& seed) {
  const std::string digest = "sha256:" + std::string(64, 'a');
  const std::string descriptor =
      R"({"mediaType":"application/vnd.docker.container.image.v1+json","digest":")" + digest +
      R"(","size":7,"platform":{"os":"linux","architecture":"amd64"}})";
  seed(R"({"schemaVersion":2,"config":)" + descriptor + R"(,"layers":[)" + descriptor + "," + descriptor +
       "]}");
  seed(R"({"schemaVersion":2,"manifests":[{"digest":")" + digest +
       R"(","size":7,"platform":{"os":"linux","architecture":"amd64"}}]})");
  seed(
      R"({"architecture":"amd64","created":"2026-11-22T08:49:16.1Z","config":{"Labels":{"a":"1"}},"rootfs":{"diff_ids":["x"]}})");
  SignatureDocuments signatures =
      with_signature("", {.digest = digest, .size = 7, .signature = "c2lnbmF0dXJl"}).value();
  seed(signatures.manifest);
  seed(signature_payload("127.0.0.1:5000/a/b", digest, {{"stage", "x"}}, 1));
  seed(R"({"name":"a/b","tags":["1","latest"],"repositories":["a/b"]})");
  seed(R"({"errors":[{"code":"UNKNOWN","message":"no\u001b such thing"}]})");
  for (const std::string& word :
       {std::string("127.0.0.1:5000/a/b:1"), "[::1]:5000/a@" + digest, std::string("debian"),
        std::string("</v2/a/tags/list?n=1&last=x>; rel=\"next\""),
        std::string(R"(Bearer realm="https://a/?b=\"c\"",service=x ,scope="r:a:pull,push")")})
    seed(word);
  for (const char* key : {"tags", "errors", "manifests", "layers", "config", "rootfs"}) {
    std::string head = std::string(R"({"schemaVersion":2,")") + key + "\":";
    seed(repeated(head, "[", ""));
    seed(repeated(head, "{\"config\":", ""));
    seed(repeated(head + "[", "[],", "1]}"));
  }
}

}  // namespace stagemake
