#include "tree/package_index.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/files/beneath.h"
#include "base/text/text.h"
#include "tree/package_reader.h"

namespace stagemake {
namespace {

constexpr std::array<std::string_view, 4> kTypes = {"base", "standard", "optional", "experimental"};
constexpr std::array<std::string_view, 5> kSources = {"normal", "wheel", "pip", "script", "none"};
constexpr std::array<std::string_view, 3> kRules = {"normal", "pip", "script"};

}  // namespace

std::string_view name(PackageType type) {
  return kTypes[static_cast<std::size_t>(type)];
}
std::string_view name(SourceType source) {
  return kSources[static_cast<std::size_t>(source)];
}
std::string_view name(MakeRule rule) {
  return kRules[static_cast<std::size_t>(rule)];
}

MakeRule make_rule(SourceType source) {
  switch (source) {
    case SourceType::Normal:
    case SourceType::Wheel:
      return MakeRule::Normal;
    case SourceType::Pip:
      return MakeRule::Pip;
    default:
      return MakeRule::Script;
  }
}

PackageIndex PackageIndex::read(const fs::path& tree, std::optional<TreeFeatures> features, Faults* faults) {
  Faults all;
  PackageIndex index;
  index.tree_ = tree;
  MetadataFolder folder(tree, all);
  if (folder.is_open()) index.read_listings(folder, all);
  if (!features) features = features_by_scripts(tree);
  if (!features)
    features = features_by_files([&](std::string_view file) {
      return std::any_of(index.listings_.begin(), index.listings_.end(),
                         [&](const auto& listing) { return find_entry(listing, file) != nullptr; });
    });
  index.features_ = *std::move(features);
  PackageReader reader(folder, index.features_, all);
  for (PackageId id = 0; id < index.size(); ++id) {
    std::size_t first = all.list().size();
    reader.read(index.listings_[id], index.packages_[id]);
    all.assign(first, index.packages_[id].name);
  }
  index.index_names();
  Faults of_tree;
  for (const Fault& fault : all.list())
    if (fault.owner.empty())
      of_tree.add(fault.where, fault.what);
    else
      index.faults_.push_back(fault);
  if (faults != nullptr)
    faults->add(all.list());
  else
    of_tree.throw_if_any();
  return index;
}

PackageIndex PackageIndex::without_packages(const fs::path& tree) {
  PackageIndex index;
  index.tree_ = tree;
  return index;
}

void PackageIndex::read_listings(MetadataFolder& folder, Faults& faults) {
  for (const FolderEntry& entry : folder.folders()) {
    std::size_t first = faults.list().size();
    std::vector<FolderEntry> listing = folder.listing(entry);
    faults.assign(first, entry.name);
    if (find_entry(listing, "type") == nullptr) {
      bare_folders_.push_back(entry.name);
      continue;
    }
    packages_.emplace_back().name = entry.name;
    listings_.push_back(std::move(listing));
  }
  if (packages_.empty())
    faults.add("build/pkgs", "contains no package, that is, no folder with a file named type");
}

void PackageIndex::index_names() {
  by_name_.reserve(packages_.size());
  for (PackageId id = 0; id < packages_.size(); ++id) by_name_.emplace(packages_[id].name, id);
  if (!features_.urls) return;
  by_purl_.reserve(packages_.size());
  for (PackageId id = 0; id < packages_.size(); ++id) {
    // If two packages claim a URL, it belongs to the one with that name, else to the first.
    const Package& package = packages_[id];
    auto [claim, fresh] = by_purl_.emplace(package.purl, id);
    if (fresh) continue;
    std::string_view last = std::string_view(package.purl).substr(package.purl.rfind('/') + 1);
    if (last == normalized_purl(package.name)) claim->second = id;
  }
}

std::optional<PackageId> PackageIndex::find(std::string_view name) const {
  auto found = by_name_.find(name);
  return found == by_name_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<PackageId> PackageIndex::find_purl(std::string_view purl) const {
  auto found = by_purl_.find(normalized_purl(purl));
  return found == by_purl_.end() ? std::nullopt : std::optional(found->second);
}

bool PackageIndex::has_file(PackageId id, std::string_view relative_path) const {
  if (relative_path.find('/') == std::string_view::npos) {
    const FolderEntry* entry = find_entry(listings_[id], relative_path);
    if (entry != nullptr && entry->kind != FolderEntry::Kind::Link) return true;
    if (entry == nullptr && !relative_path.empty() && relative_path != ".") return false;
  }
  if (relative_path.starts_with('/')) return false;
  // Used only for --has-file=distros/debian.txt and similar: not worth listing every folder in advance.
  return exists_inside(tree_, fmt::format("build/pkgs/{}/{}", packages_[id].name, relative_path));
}

bool PackageIndex::has_folder(std::string_view name) const {
  return find(name) || std::binary_search(bare_folders_.begin(), bare_folders_.end(), name);
}

std::vector<std::string> PackageIndex::names() const {
  std::vector<std::string> result;
  result.reserve(packages_.size());
  for (const Package& package : packages_) result.push_back(package.name);
  return result;
}

}  // namespace stagemake
