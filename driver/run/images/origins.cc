#include "run/images/origins.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/files/beneath.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

// The digits of an id, in any engine's notation; empty if it is no id.
std::string file_name(const std::string& image) {
  std::string digits = image.starts_with("sha256:") ? image.substr(7) : image;
  bool is_id = digits.size() == 64 && digits.find_first_not_of("0123456789abcdef") == std::string::npos;
  return is_id ? digits : std::string();
}

const PublicKey* key_of(const std::vector<PublicKey>& trusted, const std::string& fingerprint) {
  auto found = std::find_if(trusted.begin(), trusted.end(),
                            [&](const PublicKey& key) { return key.fingerprint() == fingerprint; });
  return found == trusted.end() ? nullptr : &*found;
}

// `problem`: why its signatures could not be read.
std::string doubt(const std::string& from, bool has_keys, const std::string& problem = {}) {
  std::string origin =
      from.empty() ? "it was not made with this state folder" : "it comes from " + printable(from);
  if (!has_keys) return origin + ", and there is no trusted key (--trust)";
  if (!problem.empty()) return origin + ", and its signatures could not be read: " + problem;
  return origin + ", and no trusted key has signed it (--trust)";
}

}  // namespace

void Origins::write(const std::string& image, const std::string& text) const {
  std::string name = file_name(image);
  if (name.empty()) return;
  try {
    write_file(folder_ / name, text);
  } catch (const Error&) {
    // Then nobody vouches for it.
  }
}

void Origins::made(const std::string& image) const {
  write(image, "made\n");
}

// An image made here keeps that origin: a registry may have it as well.
void Origins::fetched(const std::string& image, const std::string& place, const std::string& signer) const {
  if (!of(image).is_here) write(image, fmt::format("fetched {} {}\n", place, signer.empty() ? "-" : signer));
}

Origins::Origin Origins::of(const std::string& image) const {
  std::string name = file_name(image);
  if (name.empty()) return {};
  std::optional<std::string> text;
  try {
    text = read_file(folder_ / name, 4096);
  } catch (const Error&) {
    return {};
  }
  std::vector<std::string_view> parts = words(text ? std::string_view(*text) : std::string_view());
  if (parts.size() == 1 && parts[0] == "made") return {.is_here = true};
  if (parts.size() == 3 && parts[0] == "fetched")
    return {.place = std::string(parts[1]), .signer = std::string(parts[2])};
  return {};
}

std::string Origins::place(const std::string& image) const {
  return of(image).place;
}

void Origins::judge(Snapshot& snapshot, const std::vector<PublicKey>& trusted) const {
  if (!snapshot.container.empty()) return;  // adoption judges containers
  Origin origin = of(snapshot.image);
  bool is_vouched = origin.is_here || key_of(trusted, origin.signer) != nullptr;
  snapshot.signer = is_vouched ? origin.signer : std::string();
  snapshot.unvouched = is_vouched ? std::string() : doubt(origin.place, !trusted.empty());
}

void Origins::judge(std::vector<Snapshot>& snapshots, const std::vector<PublicKey>& trusted) const {
  for (Snapshot& snapshot : snapshots)
    if (!snapshot.is_remote()) judge(snapshot, trusted);
}

// Other trees' images are recorded here, too: the oldest records go.
void Origins::bound(const std::set<std::string>& present, std::size_t most) const {
  std::vector<std::string> names = Beneath(folder_).names("");
  if (names.size() <= most) return;
  std::set<std::string> kept;
  for (const std::string& image : present) kept.insert(file_name(image));
  std::vector<std::pair<std::time_t, std::string>> oldest;
  boost::system::error_code ignored;
  for (const std::string& name : names)
    if (!kept.contains(name)) oldest.emplace_back(fs::last_write_time(folder_ / name, ignored), name);
  std::sort(oldest.begin(), oldest.end());
  oldest.resize(std::min(oldest.size(), names.size() - most));
  for (const auto& [time, name] : oldest) fs::remove(folder_ / name, ignored);
}

std::string reason_not_to_push(const Snapshot& snapshot, const Origins& origins, const std::string& name) {
  if (snapshot.unvouched.empty() || name.starts_with(origins.place(snapshot.image) + ":")) return {};
  return snapshot.unvouched + "; --push-fetched pushes it anyway";
}

namespace {

// The fingerprint of a trusted key that signed the image at a reference; empty if none did.
std::string signer_of(const ImageSignatures& signatures, const std::vector<PublicKey>& trusted) {
  for (const ImageSignature& one : signatures.list)
    for (const PublicKey& key : trusted)
      if (key.verifies(one.payload, one.signature)) return key.fingerprint();
  return {};
}

}  // namespace

void judge_remote(Registry& registry, std::vector<Snapshot>& snapshots,
                  const std::vector<PublicKey>& trusted) {
  std::vector<std::string> images;
  for (const Snapshot& snapshot : snapshots)
    if (snapshot.is_remote()) images.push_back(snapshot.reference);
  std::map<std::string, ImageSignatures> signatures;
  if (!trusted.empty()) signatures = registry.signatures(images);
  for (Snapshot& snapshot : snapshots) {
    if (!snapshot.is_remote()) continue;
    const ImageSignatures& found = signatures[snapshot.reference];
    snapshot.signer = signer_of(found, trusted);
    std::string place = snapshot.reference.substr(0, snapshot.reference.find('@'));
    snapshot.unvouched =
        snapshot.signer.empty() ? doubt(place, !trusted.empty(), found.problem) : std::string();
  }
}

void look_for_signatures(Registry& registry, std::vector<Snapshot>& snapshots, const Origins& origins,
                         const std::vector<PublicKey>& trusted) {
  if (trusted.empty()) return;
  std::map<std::string, Snapshot*> doubted;  // by their references in a registry
  std::vector<std::string> images;
  for (Snapshot& snapshot : snapshots) {
    if (snapshot.is_remote() || snapshot.unvouched.empty() || snapshot.digest.empty()) continue;
    std::string place = origins.place(snapshot.image);
    if (place.empty()) continue;
    images.push_back(place + "@" + snapshot.digest);
    doubted[images.back()] = &snapshot;
  }
  if (images.empty()) return;
  for (const auto& [image, signatures] : registry.signatures(images))
    if (std::string signer = signer_of(signatures, trusted); !signer.empty()) {
      Snapshot& snapshot = *doubted[image];
      origins.fetched(snapshot.image, image.substr(0, image.find('@')), signer);
      origins.judge(snapshot, trusted);
    }
}

std::string sign_image(Registry& registry, const SigningKey& key, const std::string& image,
                       const Snapshot& snapshot, std::int64_t now) {
  std::size_t at = image.find('@');
  if (at == std::string::npos) return "its digest is not known";
  if (!signer_of(registry.signatures({image})[image], {key.public_key()}).empty()) return {};
  std::map<std::string, std::string> says = {
      {"org.stagemake.environment", snapshot.environment},
      {"org.stagemake.stage", snapshot.stage},
      {"org.stagemake.key", snapshot.key()},
      {"org.stagemake.lineage", lineage_digest(snapshot)},
      {"org.stagemake.clean", snapshot.clean ? "true" : "false"},
      {"org.stagemake.complete", snapshot.complete ? "true" : "false"}};
  std::string payload = signature_payload(image.substr(0, at), image.substr(at + 1), says, now);
  return registry.add_signature(image, {payload, key.sign(payload)});
}

}  // namespace stagemake
