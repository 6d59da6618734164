#include "registry/blob_cache.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

constexpr std::size_t kLargest = 16u << 20;  // bytes; 60,000 facts. A larger file is started anew
constexpr std::size_t kMostForms = 8;        // of one layer; the newest count

bool is_same(const KnownBlob& a, const KnownBlob& b) {
  return a.blob.digest == b.blob.digest && a.place == b.place;
}

void add(std::vector<KnownBlob>& forms, const KnownBlob& known) {
  std::erase_if(forms, [&](const KnownBlob& one) { return is_same(one, known); });
  forms.push_back(known);
  if (forms.size() > kMostForms) forms.erase(forms.begin());
}

}  // namespace

void BlobCache::read() {
  is_read_ = true;
  if (file_.empty()) return;
  try {
    std::optional<std::string> text = read_file(file_, kLargest);
    if (!text) return;
    for (std::string_view line : lines(*text)) {  // "DIFF-ID DIGEST SIZE PLACE ours|theirs."
      std::vector<std::string_view> parts = split(line, ' ');
      if (parts.size() != 5 || !is_sha256(parts[0]) || !is_sha256(parts[1])) continue;
      KnownBlob known{.blob = {.digest = std::string(parts[1])},
                      .place = std::string(parts[3]),
                      .is_ours = parts[4] == "ours."};
      auto [rest, failed] =
          std::from_chars(parts[2].data(), parts[2].data() + parts[2].size(), known.blob.size);
      bool is_whole = parts[4] == "ours." || parts[4] == "theirs.";
      if (failed == std::errc() && rest == parts[2].data() + parts[2].size() && is_whole)
        add(known_[std::string(parts[0])], known);
    }
  } catch (const Error&) {
    boost::system::error_code ignored;
    fs::remove(file_, ignored);
  }
}

std::vector<KnownBlob> BlobCache::find(const std::string& diff_id) {
  std::lock_guard lock(mutex_);
  if (!is_read_) read();
  auto found = known_.find(diff_id);
  if (found == known_.end()) return {};
  return {found->second.rbegin(), found->second.rend()};
}

void BlobCache::remember(const std::string& diff_id, const KnownBlob& known) {
  if (!is_sha256(diff_id) || !is_sha256(known.blob.digest)) return;
  std::lock_guard lock(mutex_);
  if (!is_read_) read();
  std::vector<KnownBlob>& forms = known_[diff_id];
  if (std::any_of(forms.begin(), forms.end(), [&](const KnownBlob& one) { return is_same(one, known); }))
    return;
  add(forms, known);
  if (file_.empty()) return;
  try {
    append_line(file_, fmt::format("{} {} {} {} {}", diff_id, known.blob.digest, known.blob.size, known.place,
                                   known.is_ours ? "ours." : "theirs."));
  } catch (const std::exception&) {
    file_.clear();  // a full disk, or a read-only folder: only this process remembers
  }
}

}  // namespace stagemake
