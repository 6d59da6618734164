#include "run/state/state_folder.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <vector>

#include "base/error.h"
#include "base/process/callers_environment.h"
#include "base/text/digest.h"
#include "base/text/random_word.h"
#include "snapshot/snapshot.h"

namespace stagemake {
namespace {

constexpr std::size_t kMostRunningBytes = 16u << 20;  // those of the largest tree have about 100 kB

fs::path default_root() {
  if (fs::path chosen = callers_variable("STAGEMAKE_STATE"); !chosen.empty()) return chosen;
  if (fs::path folder = user_state_folder(); !folder.empty()) return folder;
  throw bad_input(
      "", "no folder for logs and state: neither --state nor STAGEMAKE_STATE, XDG_STATE_HOME or HOME is set");
}

}  // namespace

StateFolder::StateFolder(const std::optional<fs::path>& chosen, const fs::path& tree)
    : root_(fs::absolute(chosen ? *chosen : default_root())),
      tree_(root_ / (tree.filename().string() + "-" + sha256_hex(tree.string()).substr(0, 8))) {
  const std::string advice = "name a folder of your own with --state or STAGEMAKE_STATE";
  keep_private(root_, advice);
  // Earlier versions left the mode of the root to the umask: others may have put something there.
  for (const fs::path& own : {tree_, root_ / "slots", root_ / "running", root_ / "tmp", root_ / "origins",
                              root_ / "configured", root_ / "manifests"})
    keep_private(own, advice);
}

std::string StateFolder::identity() const {
  struct stat folder {};
  try {
    constexpr std::size_t kLongest = 64;  // bytes
    std::optional<std::string> word = read_file(identity_file(), kLongest);
    if (!word || word->empty() || ::stat(tree_.c_str(), &folder) != 0) return {};
    return fmt::format("{} {} {}", *word, folder.st_dev, folder.st_ino);
  } catch (const Error&) {
    return {};
  }
}

void StateFolder::make_identity() const {
  boost::system::error_code failed;
  if (fs::exists(identity_file(), failed)) return;
  try {
    write_file(identity_file(), random_word());
  } catch (const Error&) {
    // Then nobody considers this folder their own.
  }
}

void StateFolder::keep_running(const std::string& container, const std::string& text) const {
  try {
    write_file(running_file(container), text);
  } catch (const Error&) {
    boost::system::error_code failed;
    fs::remove(running_file(container), failed);
    if (failed) throw;
  }
}

std::optional<std::string> StateFolder::running(const std::string& container) const {
  if (container.find('/') != std::string::npos) return std::nullopt;
  try {
    return read_file(running_file(container), kMostRunningBytes);
  } catch (const Error&) {
    return std::nullopt;
  }
}

void StateFolder::forget_container(const std::string& container) const {
  boost::system::error_code ignored;
  fs::remove(job_slots(container), ignored);
  fs::remove(running_file(container), ignored);
}

void StateFolder::forget_containers(const std::string& prefix, const std::set<std::string>& present) const {
  constexpr std::time_t kMonth = 30 * 86400;  // seconds
  std::vector<std::string> gone;
  boost::system::error_code failed;
  for (fs::directory_iterator at(root_ / "running", failed), end; !failed && at != end;
       at.increment(failed)) {
    boost::system::error_code ignored;
    std::string name = at->path().filename().string();
    std::time_t written = fs::last_write_time(at->path(), ignored);
    bool is_old = !ignored && written < std::time(nullptr) - kMonth;
    if (is_old && name.starts_with(prefix) && !present.contains(name)) gone.push_back(name);
  }
  for (const std::string& name : gone) forget_container(name);
}

std::vector<fs::path> StateFolder::environment_locks(const std::string& environment) const {
  std::vector<fs::path> files{environment_lock(environment)};
  boost::system::error_code failed;
  for (fs::directory_iterator tree(root_, failed), end; !failed && tree != end; tree.increment(failed)) {
    fs::path file = tree->path() / "locks" / environment;
    boost::system::error_code ignored;
    if (file != files.front() && fs::is_regular_file(file, ignored)) files.push_back(std::move(file));
  }
  return files;
}

fs::path StateFolder::log(const std::string& environment, const std::string& stage) const {
  return tree_ / "logs" / environment / (stage + ".log");
}

fs::path StateFolder::fresh_log(const std::string& environment, const std::string& stage) const {
  fs::path newest = log(environment, stage);
  fs::path folder = newest.parent_path();
  boost::system::error_code failed;
  make_own_folder(folder);
  auto numbered = [&](int n) { return fs::path(newest.string() + (n == 0 ? "" : "." + std::to_string(n))); };
  for (int n = kKeptLogs; n > 0; --n)
    if (fs::exists(numbered(n - 1), failed)) fs::rename(numbered(n - 1), numbered(n), failed);
  return numbered(0);
}

namespace {

bool is_digest(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

void StateFolder::keep_configured(const std::string& key, const ConfiguredPackages& configured) const {
  ConfiguredPackages clean = configured;
  clean.found.clear();  // those belong to a container, not to its sources
  write_file(root_ / "configured" / key, configured_text(clean) + "\n");
}

std::optional<ConfiguredPackages> StateFolder::configured(const std::string& key) const {
  if (!is_digest(key)) return std::nullopt;
  try {
    std::optional<std::string> text = read_file(root_ / "configured" / key);
    return text ? parse_configured(*text) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

void StateFolder::keep_manifest(const std::string& digest, const std::string& text) const {
  fs::path file = root_ / "manifests" / digest;
  boost::system::error_code ignored;
  if (!fs::exists(file, ignored)) write_file(file, text);
}

std::optional<std::vector<SourceFile>> StateFolder::manifest(const std::string& digest) const {
  if (!is_digest(digest)) return std::nullopt;
  std::optional<std::string> text;
  try {
    text = read_file(root_ / "manifests" / digest, 256u << 20);
  } catch (const Error&) {
    return std::nullopt;
  }
  if (!text || sha256_hex(*text) != digest) return std::nullopt;
  boost::system::error_code ignored;
  fs::last_write_time(root_ / "manifests" / digest, std::time(nullptr),
                      ignored);  // marks it as recently used
  return parse_manifest(*text);
}

void StateFolder::bound_manifests(const std::set<std::string>& in_use, std::uint64_t most) const {
  struct Kept {
    std::time_t used;
    std::uint64_t size;
    fs::path file;
  };
  std::vector<Kept> removable;
  std::uint64_t sum = 0;
  boost::system::error_code failed;
  for (fs::directory_iterator at(root_ / "manifests", failed), end; !failed && at != end;
       at.increment(failed)) {
    boost::system::error_code gone;  // another run may remove some too
    std::uint64_t size = fs::file_size(at->path(), gone);
    std::time_t used = gone ? 0 : fs::last_write_time(at->path(), gone);
    if (gone) continue;
    sum += size;
    if (!in_use.contains(at->path().filename().string())) removable.push_back({used, size, at->path()});
  }
  std::sort(removable.begin(), removable.end(), [](const Kept& a, const Kept& b) { return a.used < b.used; });
  for (const Kept& manifest : removable) {
    if (sum <= most) return;
    fs::remove(manifest.file, failed);
    sum -= manifest.size;
  }
}

}  // namespace stagemake
