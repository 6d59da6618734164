#include "run/container/source_sync.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/files/beneath.h"
#include "base/files/tarball.h"
#include "base/text/digest.h"
#include "base/text/text.h"
#include "snapshot/snapshot.h"

namespace stagemake {
namespace {

bool is_link(const SourceFile& file) {
  return file.kind == SourceFile::Kind::Symlink;
}

bool is_regular(const Descriptor& file) {
  struct stat facts {};
  return file.is_open() && ::fstat(file.get(), &facts) == 0 && S_ISREG(facts.st_mode);
}

// The folders above a path, nearest first.
std::vector<std::string> folders_above(const std::string& path) {
  std::vector<std::string> folders;
  for (std::size_t end = path.rfind('/'); end != std::string::npos && end > 0; end = path.rfind('/', end - 1))
    folders.push_back(path.substr(0, end));
  return folders;
}

}  // namespace

SourceSync compare_sources(const std::vector<SourceFile>& inside, const std::vector<SourceFile>& wanted) {
  std::map<std::string_view, const SourceFile*> before;
  std::set<std::string> old_folders;
  for (const SourceFile& file : inside) {
    before[file.path] = &file;
    for (std::string& folder : folders_above(file.path)) old_folders.insert(std::move(folder));
  }
  SourceSync sync;
  for (const SourceFile& file : wanted) {
    auto found = before.find(file.path);
    if (found == before.end()) {
      sync.changed.push_back(file);
      if (old_folders.contains(file.path)) {  // a folder there: the files that we put into it are removed
                                              // below, the rest with it
        sync.removed.push_back(file.path);
        sync.removals_first = true;
      }
      continue;
    }
    if (*found->second != file) {
      sync.changed.push_back(file);
      if (is_link(*found->second) != is_link(file)) {
        sync.removed.push_back(file.path);
        sync.removals_first = true;
      }
    }
    before.erase(found);
  }
  std::set<std::string> new_folders;
  for (const SourceFile& file : wanted)
    for (std::string& folder : folders_above(file.path)) new_folders.insert(std::move(folder));
  for (const auto& [path, file] : before) {
    sync.removed.emplace_back(path);
    if (new_folders.contains(std::string(path))) sync.removals_first = true;
  }
  std::sort(sync.removed.begin(), sync.removed.end());
  return sync;
}

std::vector<SourceFile> half_brought(const std::vector<SourceFile>& inside, const SourceSync& sync) {
  std::map<std::string, SourceFile> files;
  for (const SourceFile& file : inside) files[file.path] = file;
  for (const SourceFile& file : sync.changed) {
    files[file.path] = file;
    files[file.path].id = std::string(40, '0');
  }
  std::vector<SourceFile> sorted;
  for (auto& [path, file] : files) sorted.push_back(std::move(file));
  return sorted;
}

std::string removal_script(const std::vector<std::string>& removed) {
  std::string script;
  std::set<std::string> folders;
  for (const std::string& path : removed) {
    script += "rm -rf -- " + shell_quoted(path) + "\n";
    for (std::string& folder : folders_above(path)) folders.insert(std::move(folder));
  }
  // Deepest first: in reverse order, a folder comes after its content.
  for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder)
    script += "rmdir -- " + shell_quoted(*folder) + " 2>/dev/null || :\n";
  return script;
}

void write_source_tar(const fs::path& tar, const fs::path& tree, const std::vector<SourceFile>& files,
                      const std::string& root, const std::string& meanwhile, const std::string& manifest,
                      std::int64_t time) {
  TarWriter out(tar);
  out.add_content(std::string(kManifestPath.substr(1)), meanwhile, 0644, time);
  std::string prefix = root.substr(1) + "/";
  Beneath folder(tree);
  Faults faults;
  auto changed = [&](const SourceFile& file) {
    faults.add(file.path, "changed while the build began; run again");
  };
  for (const SourceFile& file : files) {
    if (!is_link(file)) {
      unsigned mode = file.kind == SourceFile::Kind::Executable ? 0755 : 0644;
      Descriptor source = folder.open(file.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      if (!is_regular(source) ||
          out.add_file(prefix + file.path, source, tree / file.path, mode, time) != file.id)
        changed(file);
      continue;
    }
    std::optional<std::string> target = link_target(folder.open(file.path, O_PATH | O_NOFOLLOW));
    if (!target || git_blob_id(*target) != file.id)
      changed(file);
    else
      out.add_symlink(prefix + file.path, *target, time);
  }
  faults.throw_if_any();
  out.add_content(std::string(kManifestPath.substr(1)), manifest, 0644, time);
  out.close();
}

}  // namespace stagemake
