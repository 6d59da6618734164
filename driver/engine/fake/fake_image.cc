#include "engine/fake/fake_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <iterator>

#include "base/text/digest.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

constexpr std::size_t kAnySize = ~std::size_t{0};
constexpr int kMostLinks = 40;

std::string path_in(const std::string& entry) {
  std::string path = entry;
  while (path.starts_with("./")) path.erase(0, 2);
  while (path.ends_with('/')) path.pop_back();
  return path == "." || path.empty() ? "/" : path.starts_with('/') ? path : "/" + path;
}

std::string whole_file(const fs::path& path) {
  std::ifstream in(path.string(), std::ios::binary);
  if (!in) throw EngineError("fake copy_in: cannot read " + path.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string followed(const FakeFiles& files, const std::string& path, bool last, int links) {
  std::string result;
  std::vector<std::string_view> parts = split(path, '/');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].empty() || parts[i] == ".") continue;
    if (parts[i] == "..") {
      result.erase(std::min(result.rfind('/'), result.size()));
      continue;
    }
    std::string next = fmt::format("{}/{}", result, parts[i]);
    auto found = files.find(next);
    bool link = found != files.end() && found->second.kind == TarEntry::Kind::Symlink;
    if (!link || (i + 1 == parts.size() && !last)) {
      result = std::move(next);
      continue;
    }
    if (links >= kMostLinks) throw EngineError("fake: too many symlinks in " + path);
    const std::string& target = found->second.content;
    result = followed(files, target.starts_with('/') ? target : result + "/" + target, true, links + 1);
  }
  return result;
}

// Writes texts so that no two different lists of texts look alike.
class Words {
 public:
  void add(std::string_view text) { all_ += fmt::format("{}:{}", text.size(), text); }
  void add(const std::vector<std::string>& texts) {
    add(std::to_string(texts.size()));
    for (const std::string& text : texts) add(text);
  }
  const std::string& all() const { return all_; }

 private:
  std::string all_;
};

}  // namespace

const FakeFiles::Map& FakeFiles::shared() const {
  static const Map none;
  return map_ ? *map_ : none;
}

FakeFiles::Map& FakeFiles::own() {
  if (!map_) map_ = std::make_shared<Map>();
  if (map_.use_count() > 1) map_ = std::make_shared<Map>(*map_);
  // The objects that shared it before are done with it: their reads happened before our writes.
  std::atomic_thread_fence(std::memory_order_acquire);
  return *map_;
}

std::string content_digest(const FakeImage& image) {
  Words words;
  for (const auto& [path, file] : image.files) {
    words.add(path);
    words.add(fmt::format("{} {} {}", static_cast<int>(file.kind), file.mode, file.time));
    words.add(file.content);
  }
  words.add("labels");
  for (const auto& [key, value] : image.labels) {
    words.add(key);
    words.add(value);
  }
  const FakeConfiguration& configuration = image.configuration;
  for (const auto* list : {&configuration.command, &configuration.entry_point, &configuration.environment})
    words.add(*list);
  words.add(configuration.user);
  words.add(configuration.working_folder);
  words.add(fmt::format("{} {}", image.created, image.layers));
  return "sha256:" + sha256_hex(words.all());
}

std::string followed(const FakeFiles& files, const std::string& path, bool last) {
  return followed(files, path, last, 0);
}

bool lies_below(const std::string& path, const std::string& folder) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

void unpack(FakeFiles& files, const FakeFiles& added) {
  for (const auto& [name, file] : added) {
    if (name == "/") continue;
    std::string path = followed(files, name, file.kind == TarEntry::Kind::Folder);
    if (file.kind != TarEntry::Kind::Folder)
      erase_if(files, [&](const auto& entry) { return lies_below(entry.first, path); });
    for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1))
      files.try_emplace(path.substr(0, at), FakeFile{.kind = TarEntry::Kind::Folder, .mode = 0755});
    files[path] = file;
  }
}

std::string tar_of(const FakeFiles& files) {
  TemporaryFolder folder(fs::temp_directory_path());
  fs::path file = folder.path() / "files.tar";
  TarWriter writer(file);
  for (const auto& [path, entry] : files) {  // a folder sorts before its content
    std::string name = path.substr(1);
    if (entry.kind == TarEntry::Kind::Folder) writer.add_folder(name, entry.mode, entry.time);
    if (entry.kind == TarEntry::Kind::File) writer.add_content(name, entry.content, entry.mode, entry.time);
    if (entry.kind == TarEntry::Kind::Symlink) writer.add_symlink(name, entry.content, entry.time);
  }
  writer.close();
  return whole_file(file);
}

FakeFiles files_in(const std::string& tar) {
  FakeFiles files;
  for (TarEntry& entry : read_tar(tar, kAnySize)) {
    if (entry.kind == TarEntry::Kind::Other) continue;
    files[path_in(entry.name)] = {entry.kind, std::move(entry.content), entry.mode & 07777, entry.time};
  }
  return files;
}

FakeFiles files_in(const fs::path& tar_file) {
  return files_in(whole_file(tar_file));
}

}  // namespace stagemake
