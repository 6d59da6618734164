#include "registry/registry_documents.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "base/process/machine.h"
#include "base/text/image_name.h"
#include "base/text/json_text.h"
#include "base/text/json_values.h"
#include "base/text/text.h"

namespace stagemake {

using nlohmann::json;

const char* const kImageManifest =
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";
const char* const kAnyManifest =
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, "
    "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json";

namespace {

constexpr std::uint64_t kLargest = std::uint64_t{1} << 50;  // bytes of a blob; sums fit in 64 bits
constexpr std::size_t kLongestDocument = 8u << 20;          // bytes; readers of documents reject longer ones
constexpr std::size_t kLongestName = 1000;
constexpr std::size_t kMostLayers = 500;     // engines can store about 120
constexpr std::size_t kLongestWord = 200;    // bytes of an architecture or an id
constexpr std::size_t kLongestQuery = 4096;  // bytes of the next page's query
constexpr std::string_view kIndexTypes[] = {"application/vnd.oci.image.index.v1+json",
                                            "application/vnd.docker.distribution.manifest.list.v2+json"};
constexpr std::string_view kImageTypes[] = {"application/vnd.oci.image.manifest.v1+json",
                                            "application/vnd.docker.distribution.manifest.v2+json"};
constexpr std::string_view kConfigTypes[] = {"application/vnd.oci.image.config.v1+json",
                                             "application/vnd.docker.container.image.v1+json"};

template <std::size_t N>
bool is_one_of(const std::string& type, const std::string_view (&types)[N]) {
  return std::find(std::begin(types), std::end(types), type) != std::end(types);
}

bool only(std::string_view text, std::string_view beside_letters, bool upper = true) {
  return std::all_of(text.begin(), text.end(), [&](unsigned char c) {
    return std::isdigit(c) != 0 || (c >= 'a' && c <= 'z') || (upper && c >= 'A' && c <= 'Z') ||
           beside_letters.find(static_cast<char>(c)) != std::string_view::npos;
  });
}

bool is_host(std::string_view host) {
  std::size_t close = host.starts_with('[') ? host.find(']') : 0;
  if (close == std::string_view::npos) return false;
  std::size_t colon = host.find(':', close);
  std::string_view name = host.substr(0, colon);
  bool port_is_good = true;
  if (colon != std::string_view::npos) {
    std::string_view port = host.substr(colon + 1);
    port_is_good =
        !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string_view::npos;
  }
  bool name_is_good = close == 0 ? only(name, ".-") && !name.starts_with('-') : only(name, "[]:");
  return port_is_good && name_is_good && !name.empty();
}

bool is_repository(const std::string& text) {
  if (text.empty() || text.size() > 255) return false;
  std::vector<std::string_view> parts = split(text, '/');
  return std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
    return !part.empty() && only(part, "._-", false) &&
           std::isalnum(static_cast<unsigned char>(part[0])) != 0;
  });
}

// A member of an object without a copy, which would be slow for large members; null if it is missing.
const json& below(const json& object, const char* key) {
  static const json kNothing;
  auto found = object.is_object() ? object.find(key) : object.end();
  return found == object.end() ? kNothing : *found;
}

// Parses a document that must be an object; nothing if it is not.
std::optional<json> parsed_object(std::string_view text, std::string& why) {
  std::string fault = "is not a JSON object";
  std::optional<json> value = json_in(text, kLongestDocument, &fault);
  if (value && value->is_object()) return value;
  why = "its answer " + fault;
  return std::nullopt;
}

std::optional<RegistryReference> reference_in(const json& descriptor, std::string& why) {
  json size = member(descriptor, "size");
  RegistryReference reference{text_at(descriptor, "digest"), 0};
  bool has_size = size.is_number_unsigned() && size.get<std::uint64_t>() <= kLargest;
  if (has_size && is_sha256(reference.digest)) {
    reference.size = size.get<std::uint64_t>();
    return reference;
  }
  why = "its manifest is damaged: an entry without a digest (sha256) or a size";
  return std::nullopt;
}

std::optional<RegistryManifest> read_index(const json& value, const std::string& architecture,
                                           std::string& why) {
  for (const json& entry : value["manifests"]) {
    const json& platform = below(entry, "platform");
    if (text_at(platform, "os") != "linux" || text_at(platform, "architecture") != architecture) continue;
    if (std::string type = text_at(entry, "mediaType"); !type.empty() && !is_one_of(type, kImageTypes))
      continue;
    std::optional<RegistryReference> chosen = reference_in(entry, why);
    if (!chosen) return std::nullopt;
    return RegistryManifest{.chosen = chosen};
  }
  why = fmt::format("it has no image for linux/{}", architecture);
  return std::nullopt;
}

std::optional<RegistryManifest> read_image(const json& value, std::string& why) {
  RegistryManifest manifest;
  manifest.is_image = is_one_of(text_at(value["config"], "mediaType"), kConfigTypes);
  if (!manifest.is_image) return manifest;
  std::optional<RegistryReference> config = reference_in(value["config"], why);
  if (!config) return std::nullopt;
  manifest.config = *config;
  if (value["layers"].size() > kMostLayers) {
    why = fmt::format("its manifest has more than {}", counted(kMostLayers, "layer"));
    return std::nullopt;
  }
  for (const json& entry : value["layers"]) {
    std::optional<RegistryReference> layer = reference_in(entry, why);
    if (!layer) return std::nullopt;
    manifest.layers.push_back({layer->digest, layer->size});
  }
  return manifest;
}

}  // namespace

std::string RegistryName::api_host() const {
  return host == "docker.io" || host == "index.docker.io" ? "registry-1.docker.io" : host;
}

std::optional<RegistryName> registry_name(const std::string& image, std::string& why) {
  RegistryName name;
  std::string rest = image;
  why = "is no name of an image: " + shown(image);
  if (image.size() > kLongestName) return std::nullopt;
  if (std::size_t at = rest.find('@'); at != std::string::npos) {
    name.digest = rest.substr(at + 1);
    rest.resize(at);
    if (!is_sha256(name.digest)) return std::nullopt;
  }
  name.host = registry_of(rest);
  if (!name.host.empty()) rest.erase(0, name.host.size() + 1);
  if (std::size_t colon = rest.find(':'); colon != std::string::npos) {
    name.tag = rest.substr(colon + 1);
    rest.resize(colon);
    if (!is_tag(name.tag)) return std::nullopt;
  }
  if (name.host.empty()) name.host = "docker.io";
  if (name.api_host() != name.host && rest.find('/') == std::string::npos) rest = "library/" + rest;
  name.repository = rest;
  if (!is_host(name.host) || !is_repository(rest)) return std::nullopt;
  why.clear();
  return name;
}

bool is_tag(std::string_view text) {
  return !text.empty() && text.size() <= 128 && only(text, "._-") && text[0] != '.' && text[0] != '-';
}

bool is_sha256(std::string_view text) {
  constexpr std::string_view kPrefix = "sha256:";
  return text.starts_with(kPrefix) && text.size() == kPrefix.size() + 64 &&
         text.find_first_not_of("0123456789abcdef", kPrefix.size()) == std::string_view::npos;
}

std::optional<RegistryManifest> read_manifest(std::string_view text, const std::string& architecture,
                                              std::string& why) {
  std::optional<json> value = parsed_object(text, why);
  if (!value) return std::nullopt;
  std::string type = text_at(*value, "mediaType");
  json version = member(*value, "schemaVersion");
  if (!version.is_number_integer() || version != 2) {
    why = "its manifest is of a kind that nobody reads any more, or of none";
    return std::nullopt;
  }
  // A document that is both could be interpreted differently by the program that pulls it.
  bool is_index =
      below(*value, "manifests").is_array() && !value->contains("config") && !value->contains("layers");
  bool is_image = below(*value, "config").is_object() && below(*value, "layers").is_array() &&
                  !value->contains("manifests");
  if (is_index && (type.empty() || is_one_of(type, kIndexTypes)))
    return read_index(*value, architecture, why);
  if (is_image && (type.empty() || is_one_of(type, kImageTypes))) return read_image(*value, why);
  why = "its manifest is damaged: it describes neither an image nor an index";
  return std::nullopt;
}

std::optional<RegistryConfig> read_config(std::string_view text, std::string& why) {
  std::string fault = "is not a JSON object";
  std::optional<json> value = json_in(text, kLongestDocument, &fault);
  if (!value || !value->is_object()) {
    why = "its config " + fault;
    return std::nullopt;
  }
  const json& labels = below(below(*value, "config"), "Labels");
  if (!labels.is_null() && !labels.is_object()) {
    why = "its config is damaged: the labels are not an object";
    return std::nullopt;
  }
  RegistryConfig config;
  config.architecture = text_at(*value, "architecture");
  config.created = std::max<std::int64_t>(0, epoch_seconds(text_at(*value, "created")));
  config.labels = labels_in(labels);
  for (const json& id : elements(below(below(*value, "rootfs"), "diff_ids")))
    if (id.is_string()) config.layer_ids.push_back(id.get<std::string>());
  auto is_long = [](const std::string& word) { return word.size() > kLongestWord; };
  if (is_long(config.architecture) || config.layer_ids.size() > kMostLayers ||
      std::any_of(config.layer_ids.begin(), config.layer_ids.end(), is_long)) {
    why = "its config is damaged: its list of layers or its platform is too long";
    return std::nullopt;
  }
  return config;
}

std::optional<std::vector<std::string>> read_list(std::string_view text, const char* key, std::string& why) {
  std::optional<json> value = parsed_object(text, why);
  if (!value) return std::nullopt;
  const json& list = below(*value, key);
  std::vector<std::string> strings;
  if (list.is_null() && value->contains(key)) return strings;  // docker-registry: if all were deleted
  if (!list.is_array()) {
    why = fmt::format("its answer is damaged: there is no list of {}", key);
    return std::nullopt;
  }
  for (const json& one : list) strings.push_back(one.is_string() ? one.get<std::string>() : "");
  return strings;
}

std::string next_page(std::string_view link) {
  std::size_t open = link.find('<');
  std::size_t close = link.find('>');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return {};
  std::string_view after = link.substr(close);
  if (after.find("rel=\"next\"") == std::string_view::npos &&
      after.find("rel=next") == std::string_view::npos)
    return {};
  std::string_view target = link.substr(open + 1, close - open - 1);
  std::size_t query = target.find('?');
  if (query == std::string_view::npos || target.size() > kLongestQuery ||
      !only(target, "._~!$&'()*+,;=:@%/?-[]"))
    return {};
  return std::string(target.substr(query + 1));
}

std::string upload_path(std::string_view location, std::string_view host) {
  if (std::size_t scheme = location.find("://"); scheme != std::string_view::npos) {
    location.remove_prefix(scheme + 3);
    if (!location.starts_with(host)) return {};
    location.remove_prefix(host.size());
  }
  bool is_sound = location.starts_with('/') && location.size() <= kLongestQuery &&
                  only(location, "._~!$&'()*+,;=:@%/?-[]");
  return is_sound ? std::string(location) : std::string();
}

std::string registry_complaint(std::string_view text) {
  const json answer = json_in(text, kLongestDocument).value_or(nullptr);
  const json& errors = below(answer, "errors");
  if (!errors.is_array() || errors.empty()) return {};
  std::string message = text_at(errors[0], "message");
  return shown(message.empty() ? text_at(errors[0], "code") : message);
}

Challenge read_challenge(std::string_view header) {
  auto lower = [](std::string_view text) {
    std::string result(text);
    for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return result;
  };
  Challenge challenge;
  std::string_view rest = trimmed(header);
  std::size_t blank = std::min(rest.find(' '), rest.size());
  challenge.scheme = lower(rest.substr(0, blank));
  rest.remove_prefix(blank);
  while (true) {
    rest = rest.substr(std::min(rest.find_first_not_of(", \t"), rest.size()));
    std::size_t equals = rest.find('=');
    if (equals == std::string_view::npos) return challenge;
    std::string& value = challenge.parameters[lower(trimmed(rest.substr(0, equals)))];
    rest.remove_prefix(equals + 1);
    std::size_t end = 0;
    if (rest.starts_with('"')) {
      for (end = 1; end < rest.size() && rest[end] != '"'; ++end) {
        if (rest[end] == '\\' && end + 1 < rest.size()) ++end;
        value += rest[end];
      }
      end = std::min(end + 1, rest.size());
    } else {
      end = std::min(rest.find_first_of(", \t"), rest.size());
      value = rest.substr(0, end);
    }
    rest.remove_prefix(end);
  }
}

}  // namespace stagemake
