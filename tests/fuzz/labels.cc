// The labels of an image. An input is NAME=VALUE for each, without the prefix.
#include "fuzz.h"
#include "snapshot/snapshot.h"

namespace stagemake {

std::string answer_to(std::string_view input) {
  std::map<std::string, std::string> labels;
  for (std::string_view piece : pieces(input)) {
    std::size_t equals = std::min(piece.find('='), piece.size());
    std::string_view value = piece.substr(std::min(equals + 1, piece.size()));
    labels[std::string(kLabelPrefix) + std::string(piece.substr(0, equals))] = value;
  }
  std::string answer;
  std::optional<Snapshot> snapshot = from_labels(labels);
  tell(answer, snapshot ? "snapshot" : "none");
  if (!snapshot) return answer;
  require(!snapshot->lineage.empty() && snapshot->lineage.back().stage == snapshot->stage,
          "a snapshot holds its own stage", input);
  require(snapshot->holds(snapshot->stage) == &snapshot->lineage.back(), "a stage is held once", input);
  std::map<std::string, std::string> written = to_labels(*snapshot);
  std::optional<Snapshot> again = from_labels(written);
  require(again.has_value(), "what a snapshot says of itself is a snapshot", input);
  require(to_labels(*again) == written, "it says the same again", input);
  for (const auto& [name, value] : written) {
    tell(answer, name);
    tell(answer, value);
  }
  return answer;
}

void add_seeds(const fs::path& tree, const SeedSink& seed) {
  Snapshot snapshot;
  snapshot.distribution = "minidist";
  snapshot.environment = "debian-bookworm-minimal";
  snapshot.stage = "configured";
  snapshot.complete = true;
  snapshot.base_digest = "sha256:abc";
  snapshot.revision = "9.8-3-gabc-dirty";
  snapshot.made_by = "0.1.0";
  snapshot.manifest = std::string(64, 'a');
  snapshot.lineage = {
      {"bootstrapped", std::string(64, '1'), {{"base image", "debian:x"}, {"recipe", "a\nb"}}},
      {"configured", std::string(64, '2'), {{"parent", std::string(64, '1')}}}};
  for (const fs::path& package : seed_packages(tree))
    if (snapshot.packages.size() < 20)
      snapshot.packages[package.filename().string()] = {"1.2.p1", "0123abcd"};
  auto write = [&] {
    std::vector<std::string> all;
    for (const auto& [name, value] : to_labels(snapshot))
      all.push_back(name.substr(kLabelPrefix.size()) + "=" + value);
    seed(joined_pieces(all));
  };
  write();
  snapshot.packages = {{"half", {"2", ""}}};
  snapshot.lineage.erase(snapshot.lineage.begin());
  snapshot.clean = snapshot.complete = false;
  write();
  std::string head("schema=1");
  head.append(1, '\0').append("lineage=");
  seed(repeated(head, "[", ""));
}

}  // namespace stagemake
