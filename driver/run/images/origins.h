// Where the images on this machine come from: made by runs of this state folder, or fetched. Labels cannot
// say that, because anybody who makes an image can copy the labels of another.
//
// A file for each image, named after its id, which is a digest of its content: a file that says "made here"
// can mean no other image. An image without a file counts as not made here.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/files/files.h"
#include "base/signature.h"
#include "registry/registry.h"
#include "snapshot/snapshot.h"

namespace stagemake {

class Origins {
 public:
  // `folder` need not exist.
  explicit Origins(fs::path folder) : folder_(std::move(folder)) {}

  // A run of this state folder made the image. If that cannot be written, the image counts as of unknown
  // origin.
  void made(const std::string& image) const;
  // The image was fetched from this place ("host/repository"), and signed by the key with this fingerprint;
  // empty: by no key trusted at that time.
  void fetched(const std::string& image, const std::string& place, const std::string& signer) const;

  // The place that an image was fetched from; empty if that is not known, or it was made here.
  std::string place(const std::string& image) const;

  // Sets for each snapshot on this machine why nobody vouches for it (Snapshot::unvouched), or that somebody
  // does.
  void judge(std::vector<Snapshot>& snapshots, const std::vector<PublicKey>& trusted) const;
  void judge(Snapshot& snapshot, const std::vector<PublicKey>& trusted) const;

  // Forgets the oldest records of images that are not among `present`, if there are more than `most`.
  void bound(const std::set<std::string>& present, std::size_t most = 20'000) const;

 private:
  struct Origin {
    bool is_here = false;
    std::string place, signer;
  };
  Origin of(const std::string& image) const;
  void write(const std::string& image, const std::string& text) const;

  fs::path folder_;
};

// Why an image on this machine must not be pushed under this name ("host/repository:tag"); empty if it may.
// An unvouched image may only be pushed to the repository that it comes from.
std::string reason_not_to_push(const Snapshot& snapshot, const Origins& origins, const std::string& name);

// Like Origins::judge(), for snapshots in registries: which of `trusted` signed them. Asks the registries
// only if a key is trusted.
void judge_remote(Registry& registry, std::vector<Snapshot>& snapshots,
                  const std::vector<PublicKey>& trusted);

// For images on this machine that were fetched without a trusted signature: their registry may have one now.
void look_for_signatures(Registry& registry, std::vector<Snapshot>& snapshots, const Origins& origins,
                         const std::vector<PublicKey>& trusted);

// Signs an image in a registry ("host/repository@sha256:…") with a statement of what the snapshot is; only
// once with the same key. Empty if that worked, else the reason.
std::string sign_image(Registry& registry, const SigningKey& key, const std::string& image,
                       const Snapshot& snapshot, std::int64_t now);

}  // namespace stagemake
