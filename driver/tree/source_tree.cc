#include "tree/source_tree.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <git2.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "base/files/beneath.h"
#include "base/text/digest.h"
#include "base/text/text.h"
#include "tree/git_ignore.h"
#include "tree/ignore_rules.h"
#include "tree/source_tarballs.h"

namespace stagemake {
namespace {

// The stat data that identifies an unchanged file (as in git, without device and owner).
struct StatFacts {
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0;
  std::uint64_t inode = 0;
  auto operator<=>(const StatFacts&) const = default;
};

StatFacts facts_of(const struct stat& s) {
  auto ns = [](const timespec& t) { return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec; };
  return {static_cast<std::uint64_t>(s.st_size), ns(s.st_mtim), ns(s.st_ctim),
          static_cast<std::uint64_t>(s.st_ino)};
}

// Blob ids from git's index.
class GitIndex {
 public:
  explicit GitIndex(const fs::path& tree) {
    git_libgit2_init();
    // The index is only read, so the owner of the repository does not matter (CI checks out as one user and
    // builds as another).
    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
    git_repository* repository = nullptr;
    if (git_repository_open_ext(&repository, tree.c_str(), 0, nullptr) != 0) return;
    const char* work_tree = git_repository_workdir(repository);
    boost::system::error_code failed;
    if (work_tree != nullptr) {
      fs::path below = fs::relative(tree, work_tree, failed);
      if (!failed && below.string() != ".") prefix_ = below.generic_string() + "/";
      if (!failed && git_repository_index(&index_, repository) == 0) read_time(repository);
      has_ids_ = index_ != nullptr && !converts(repository, work_tree);
      is_of_a_checkout_ = index_ != nullptr && !prefix_.starts_with("../") &&
                          (prefix_.empty() ? git_index_entrycount(index_) > 0
                                           : git_index_find_prefix(nullptr, index_, prefix_.c_str()) == 0);
    }
    git_repository_free(repository);
  }
  ~GitIndex() {
    git_index_free(index_);
    git_libgit2_shutdown();
  }
  GitIndex(const GitIndex&) = delete;
  GitIndex& operator=(const GitIndex&) = delete;

  // The id of a file that is unchanged since git read it; empty if git does not know it.
  std::string id(const std::string& path, const struct stat& s) const {
    if (!has_ids_ || prefix_.starts_with("../")) return {};
    const git_index_entry* entry = git_index_get_bypath(index_, (prefix_ + path).c_str(), 0);
    // git writes a size of 0 for entries that it is not sure of, and stores only sizes below 4 GiB.
    if (entry == nullptr || (entry->file_size == 0 && s.st_size != 0) ||
        entry->file_size != static_cast<std::uint32_t>(s.st_size) || !same_time(entry->mtime, s.st_mtim) ||
        !same_time(entry->ctime, s.st_ctim) || entry->ino != static_cast<std::uint32_t>(s.st_ino))
      return {};
    // git's "racy" rule: a file as young as the index may have changed after git read it, within the clock's
    // resolution.
    if (s.st_mtim.tv_sec >= written_) return {};
    if (S_ISLNK(s.st_mode) != (entry->mode == GIT_FILEMODE_LINK)) return {};
    char hex[GIT_OID_HEXSZ + 1];
    git_oid_tostr(hex, sizeof hex, &entry->id);
    if (s.st_size == 0 && hex != git_blob_id("")) return {};
    return hex;
  }

  // Whether git tracks any of the tree's files, so that it is known which files are tracked.
  bool is_of_a_checkout() const { return is_of_a_checkout_; }
  // Whether git tracks a file, or any file below a folder.
  bool tracks(const std::string& path) const {
    return is_of_a_checkout_ && git_index_get_bypath(index_, (prefix_ + path).c_str(), 0) != nullptr;
  }
  bool tracks_below(const std::string& folder) const {
    return is_of_a_checkout_ && git_index_find_prefix(nullptr, index_, (prefix_ + folder + "/").c_str()) == 0;
  }

 private:
  void read_time(git_repository* repository) {
    fs::path file = fs::path(git_repository_path(repository)) / "index";
    struct stat s {};
    if (::stat(file.c_str(), &s) == 0) written_ = s.st_mtim.tv_sec;
  }

  // Some programs that write an index leave out the nanoseconds.
  static bool same_time(const git_index_time& recorded, const timespec& now) {
    return recorded.seconds == static_cast<std::int32_t>(now.tv_sec) &&
           (recorded.nanoseconds == 0 || recorded.nanoseconds == static_cast<std::uint32_t>(now.tv_nsec));
  }

  // Whether git may store other bytes than the folder has (line ends, large-file filters, keywords): then
  // git's ids do not describe the files that would be sent into a container.
  bool converts(git_repository* repository, const fs::path& work_tree) const {
    git_config* config = nullptr;
    int automatic = 0;
    if (git_repository_config_snapshot(&config, repository) == 0) {
      const char* value = nullptr;
      if (git_config_get_string(&value, config, "core.autocrlf") == 0 &&
          git_config_parse_bool(&automatic, value) != 0)
        automatic = 1;  // "input"
    }
    git_config_free(config);
    Beneath git_folder(git_repository_commondir(repository)), files(work_tree);
    if (automatic != 0 || has_conversion(git_folder, "info/attributes")) return true;
    for (std::size_t i = 0; i < git_index_entrycount(index_); ++i) {
      std::string_view path = git_index_get_byindex(index_, i)->path;
      if (path == ".gitattributes" || path.ends_with("/.gitattributes"))
        if (has_conversion(files, std::string(path))) return true;
    }
    return false;
  }

  static bool has_conversion(const Beneath& folder, const std::string& attributes) {
    std::string text;
    try {
      text = folder.read(attributes).value_or("");
    } catch (const Error&) {
      return true;
    }
    for (std::string_view line : lines(text)) {
      if (line.starts_with('#')) continue;
      for (std::string_view word : words(line)) {
        std::string_view name = word.substr(0, word.find('='));
        if (name == "text" || name == "eol" || name == "crlf" || name == "ident" || name == "filter" ||
            name == "working-tree-encoding")
          return true;
      }
    }
    return false;
  }

  git_index* index_ = nullptr;
  bool has_ids_ = false;
  bool is_of_a_checkout_ = false;
  std::string prefix_;
  std::int64_t written_ = 0;
};

// The cache file: "size mtime ctime inode id path" per line (times in nanoseconds), after a first line that
// names its format. Anything else in it is dropped, because it is only a cache.
class HashCache {
 public:
  HashCache(fs::path file, std::int64_t now) : file_(std::move(file)), now_(now) {
    std::string content;
    try {
      content = read_file(file_, 256u << 20).value_or("");
    } catch (const Error&) {
      return;
    }
    std::vector<std::string_view> all = lines(content);
    if (all.empty() || all.front() != kForm) return;
    for (std::size_t i = 1; i < all.size(); ++i) read_line(all[i]);
  }

  std::string id(const std::string& path, const StatFacts& facts) const {
    auto found = entries_.find(path);
    return found != entries_.end() && found->second.facts == facts ? found->second.id : std::string();
  }
  void remember(const std::string& path, const StatFacts& facts, const std::string& id) {
    // A file changed within the last two seconds may change again with the same times.
    if (path.find('\n') != std::string::npos || facts.mtime_ns / 1'000'000'000 >= now_ - 2) return;
    entries_[path] = {facts, id};
    changed_ = true;
  }
  void save() {
    if (!changed_) return;
    std::string content = std::string(kForm) + "\n";
    for (const auto& [path, entry] : entries_)
      content += fmt::format("{} {} {} {} {} {}\n", entry.facts.size, entry.facts.mtime_ns,
                             entry.facts.ctime_ns, entry.facts.inode, entry.id, path);
    try {
      write_file(file_, content);
      changed_ = false;
    } catch (const Error&) {
      // The only loss is that files are hashed again next time.
    }
  }

 private:
  static constexpr std::string_view kForm = "stagemake source ids 1";
  struct Entry {
    StatFacts facts;
    std::string id;
  };

  void read_line(std::string_view line) {
    Entry entry;
    long long size = 0, mtime = 0, ctime = 0, inode = 0;
    char id[41] = {};
    int used = 0;
    std::string text(line);
    if (std::sscanf(text.c_str(), "%lld %lld %lld %lld %40s %n", &size, &mtime, &ctime, &inode, id, &used) !=
        5)
      return;
    entry.facts = {static_cast<std::uint64_t>(size), mtime, ctime, static_cast<std::uint64_t>(inode)};
    entry.id = id;
    if (entry.id.size() == 40) entries_[text.substr(static_cast<std::size_t>(used))] = entry;
  }

  fs::path file_;
  std::int64_t now_;
  bool changed_ = false;
  std::unordered_map<std::string, Entry> entries_;
};

}  // namespace

// A folder on the way to a file, with the rules of the .gitignore files from the tree's root down to it. The
// root's own file is left out: .dockerignore decides there, and often is the same file.
struct GitFolder {
  const GitFolder* above = nullptr;
  std::string path;  // "" for the root
  const GitIgnore* rules = nullptr;
  bool ignored = false;
};

struct SourceTree::State {
  State(const fs::path& tree, const fs::path& cache_file, std::int64_t now)
      : root(tree), index(tree), cache(cache_file, now) {
    struct stat s {};
    if (::stat(tree.c_str(), &s) == 0) owner = s.st_uid;
    try {
      rules = IgnoreRules(root.read(".dockerignore").value_or(""));
    } catch (const Error& error) {
      faults.add(error.faults().front().where, error.faults().front().what);
    }
  }

  // The rules of the folder's .gitignore. None in an export: there nobody knows which files git tracks
  // although they are ignored, and Sage has such files (pkgs/sage-conf/setup.cfg in 9.8).
  const GitIgnore& git_rules(const std::string& folder) {
    auto [rules_of, is_new] = git_ignores.try_emplace(folder);
    if (!is_new || folder.empty() || !index.is_of_a_checkout()) return rules_of->second;
    try {
      if (std::optional<std::string> text = root.read(folder + "/.gitignore"))
        rules_of->second = GitIgnore(*text);
    } catch (const Error&) {
      // A file that leads out of the tree, or is a folder, has no rules, as in git.
    }
    return rules_of->second;
  }

  static bool git_ignores_it(const GitFolder& folder, const std::string& path, bool is_folder) {
    if (folder.ignored) return true;
    for (const GitFolder* at = &folder; at != nullptr; at = at->above) {
      if (at->rules->empty()) continue;
      GitIgnore::Word word = at->rules->of(std::string_view(path).substr(at->path.size() + 1), is_folder);
      if (word != GitIgnore::Word::Nothing) return word == GitIgnore::Word::Ignored;
    }
    return false;
  }

  // The folders from the root down to the one that contains `path`.
  std::deque<GitFolder> folders_to(const std::string& path) {
    std::deque<GitFolder> folders{{nullptr, "", &git_rules(""), false}};
    for (std::size_t end = path.find('/'); end != std::string::npos; end = path.find('/', end + 1)) {
      std::string folder = path.substr(0, end);
      bool ignored = git_ignores_it(folders.back(), folder, true);
      folders.push_back({&folders.back(), folder, &git_rules(folder), ignored});
    }
    return folders;
  }

  // Adds the entries at and below `path`, relative to the tree's root. Links on the way to `path` are
  // followed if they stay in the tree; at its end and below it, links are entries themselves.
  void walk(const std::string& path, bool ignored_too, const IgnoreRules::Inherited& above,
            const GitFolder& folder, std::vector<SourceFile>& into) {
    std::size_t slash = path.rfind('/');
    std::string parent = slash == std::string::npos ? std::string() : path.substr(0, slash);
    Descriptor at = root.open(parent, O_PATH | O_DIRECTORY);
    if (at.is_open())
      walk_entry(at, path, ignored_too, above, folder, into);
    else if (errno == EXDEV)
      faults.add(printable(path), "leads out of the tree and is not read");
    else if (errno != ENOENT && errno != ENOTDIR)
      add_unreadable(path);
  }

  void add_unreadable(const std::string& path) {
    faults.add(printable(path), std::string("cannot be read: ") + std::strerror(errno));
  }

  // One entry of the open folder `at`. No link is followed.
  void walk_entry(const Descriptor& at, const std::string& path, bool ignored_too,
                  const IgnoreRules::Inherited& above, const GitFolder& folder,
                  std::vector<SourceFile>& into) {
    if (left_out.contains(path)) return;
    IgnoreRules::Inherited own;
    bool excluded = !ignored_too && rules.excluded(path, above, own);
    const char* name = path.c_str() + (path.rfind('/') + 1);
    struct stat s {};
    if (::fstatat(at.get(), name, &s, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno != ENOENT && errno != ENOTDIR) add_unreadable(path);
      return;
    }
    bool git_ignored = !ignored_too && git_ignores_it(folder, path, S_ISDIR(s.st_mode));
    if (S_ISDIR(s.st_mode)) {
      if (git_ignored && !index.tracks_below(path)) return;
      if (excluded && !rules.may_take_back_below(path)) return;
      walk_folder(at, path, ignored_too, own, {&folder, path, &git_rules(path), git_ignored}, into);
      return;
    }
    if (excluded || (git_ignored && !index.tracks(path))) return;
    if (!S_ISREG(s.st_mode) && !S_ISLNK(s.st_mode)) {
      warnings.push_back(fmt::format("{}: is {}: not added", printable(path), special_kind(s.st_mode)));
      return;
    }
    // A user can make a hard link to a file that they cannot read; the user who builds might read it.
    if (S_ISREG(s.st_mode) && s.st_nlink > 1 && s.st_uid != owner && s.st_uid != ::geteuid()) {
      faults.add(printable(path), "is a hard link to another user's file and is not read");
      return;
    }
    SourceFile file;
    file.path = path;
    file.kind = S_ISLNK(s.st_mode)           ? SourceFile::Kind::Symlink
                : (s.st_mode & S_IXUSR) != 0 ? SourceFile::Kind::Executable
                                             : SourceFile::Kind::Plain;
    file.id = id_of(at, name, path, s);
    if (!file.id.empty()) into.push_back(std::move(file));
  }

  static std::string_view special_kind(mode_t mode) {
    return S_ISFIFO(mode) ? "a FIFO" : S_ISSOCK(mode) ? "a socket" : "a device";
  }

  void walk_folder(const Descriptor& at, const std::string& path, bool ignored_too,
                   const IgnoreRules::Inherited& own, const GitFolder& here, std::vector<SourceFile>& into) {
    const char* name = path.c_str() + (path.rfind('/') + 1);
    Descriptor folder(::openat(at.get(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    std::optional<std::vector<std::string>> names;
    if (folder.is_open()) names = names_in(Descriptor(::fcntl(folder.get(), F_DUPFD_CLOEXEC, 0)));
    if (!names) return add_unreadable(path);
    for (const std::string& entry : *names)
      if (entry != ".git") walk_entry(folder, path + "/" + entry, ignored_too, own, here, into);
  }

  std::string id_of(const Descriptor& at, const char* name, const std::string& path, const struct stat& s) {
    StatFacts facts = facts_of(s);
    std::string id = index.id(path, s);
    if (id.empty()) id = cache.id(path, facts);
    if (!id.empty()) return id;
    int flags = S_ISLNK(s.st_mode) ? O_PATH : O_RDONLY | O_NONBLOCK;
    Descriptor file(::openat(at.get(), name, flags | O_NOFOLLOW | O_CLOEXEC));
    if (!file.is_open() && errno == ENOENT) return {};  // gone since the folder was read
    try {
      if (!file.is_open()) throw cannot_read(path);
      if (S_ISLNK(s.st_mode)) {
        std::optional<std::string> target = link_target(file);
        if (!target) throw cannot_read(path);
        id = git_blob_id(*target);
      } else {
        id = git_blob_id_of_file(file, path);
      }
    } catch (const Error& error) {
      faults.add(printable(path), error.faults().front().what);
      return {};
    }
    cache.remember(path, facts, id);
    return id;
  }

  std::mutex mutex;
  Beneath root;
  uid_t owner = 0;  // of the tree's folder
  GitIndex index;
  HashCache cache;
  IgnoreRules rules;
  std::map<std::string, GitIgnore> git_ignores;  // by folder
  std::set<std::string> left_out;
  Faults faults;
  std::vector<std::string> warnings;
};

SourceTree::SourceTree(fs::path tree, fs::path cache, std::int64_t now)
    : root_(std::move(tree)), state_(std::make_unique<State>(root_, cache, now)) {}

SourceTree::~SourceTree() = default;

void SourceTree::leave_out(std::set<std::string> paths) {
  state_->left_out = std::move(paths);
}

const std::vector<SourceFile>& SourceTree::below(const std::string& path, bool ignored_too) {
  std::lock_guard lock(state_->mutex);
  auto found = known_.find({path, ignored_too});
  if (found != known_.end()) return found->second;
  std::vector<SourceFile> files;
  if (!slice_of_known(path, ignored_too, files)) {
    IgnoreRules::Inherited above = state_->rules.at_root();
    for (std::size_t end = path.find('/'); end != std::string::npos; end = path.find('/', end + 1)) {
      IgnoreRules::Inherited own;
      state_->rules.excluded(path.substr(0, end), above, own);
      above = std::move(own);
    }
    state_->walk(path, ignored_too, above, state_->folders_to(path).back(), files);
    state_->faults.throw_if_any();
    std::sort(files.begin(), files.end());
  }
  return known_.emplace(std::pair(path, ignored_too), std::move(files)).first->second;
}

const std::vector<SourceFile>& SourceTree::stated_tarballs(const std::string& folder) {
  std::lock_guard lock(tarballs_mutex_);
  if (auto found = tarballs_.find(folder); found != tarballs_.end()) return found->second;
  const std::vector<SourceFile>& all = below(folder, true);
  if (all.empty()) return tarballs_[folder];
  return tarballs_[folder] = stated_among(all, below("build/pkgs"), root_);
}

// A path below one that was walked already needs no second walk.
bool SourceTree::slice_of_known(const std::string& path, bool ignored_too,
                                std::vector<SourceFile>& into) const {
  for (std::size_t end = path.rfind('/'); end != std::string::npos && end > 0;
       end = path.rfind('/', end - 1)) {
    auto above = known_.find({path.substr(0, end), ignored_too});
    if (above == known_.end()) continue;
    const std::vector<SourceFile>& all = above->second;
    auto first = std::lower_bound(all.begin(), all.end(), path,
                                  [](const SourceFile& file, const std::string& p) { return file.path < p; });
    for (auto file = first; file != all.end() && file->path.starts_with(path); ++file)
      if (file->path.size() == path.size() || file->path[path.size()] == '/') into.push_back(*file);
    return true;
  }
  return false;
}

bool SourceTree::is_ignored(const std::string& path) const {
  if (state_->rules.excluded(path)) return true;
  std::lock_guard lock(state_->mutex);
  return State::git_ignores_it(state_->folders_to(path).back(), path, false) && !state_->index.tracks(path);
}

std::string SourceTree::digest_below(const std::string& path, bool ignored_too,
                                     const std::vector<std::string>& left_out) {
  std::tuple what(path, ignored_too, left_out);
  std::lock_guard lock(digests_mutex_);
  if (auto found = digests_.find(what); found != digests_.end()) return found->second;
  const std::vector<SourceFile>& all = below(path, ignored_too);
  std::string digest;
  if (left_out.empty()) {
    digest = SourceTree::digest(all);
  } else {
    std::vector<SourceFile> files;
    std::copy_if(all.begin(), all.end(), std::back_inserter(files),
                 [&](const SourceFile& file) { return !lies_below(left_out, file.path); });
    digest = SourceTree::digest(files);
  }
  return digests_.emplace(std::move(what), std::move(digest)).first->second;
}

std::string SourceTree::digest(const std::vector<SourceFile>& files) {
  DigestBuilder digest;
  for (const SourceFile& file : files)
    digest.field(file.path)
        .field(std::string_view(reinterpret_cast<const char*>(&file.kind), 1))
        .field(file.id);
  return digest.hex();
}

std::vector<std::string> SourceTree::warnings() const {
  std::lock_guard lock(state_->mutex);
  std::vector<std::string> all = state_->warnings;
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

void SourceTree::save_cache() const {
  state_->cache.save();
}

}  // namespace stagemake
