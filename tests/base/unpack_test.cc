// Tar streams from elsewhere, unpacked: everything ends up below the folder, and nothing elsewhere.
#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>

#include "base/error.h"
#include "base/files/tarball.h"

namespace stagemake {
namespace {

using ::testing::HasSubstr;

// One entry as a stranger may write it; TarWriter writes no such odd entries.
struct Entry {
  std::string name;
  unsigned kind = AE_IFREG;
  std::string content = {};  // the target of a symlink
  std::string hard_link = {};
  unsigned mode = 0644;
};

std::string tar(const std::vector<Entry>& entries) {
  std::string bytes;
  std::unique_ptr<archive, int (*)(archive*)> out(archive_write_new(), archive_write_free);
  archive_write_set_format_pax_restricted(out.get());
  archive_write_set_options(out.get(), "hdrcharset=BINARY");
  auto take = [](archive*, void* into, const void* data, size_t size) -> la_ssize_t {
    static_cast<std::string*>(into)->append(static_cast<const char*>(data), size);
    return static_cast<la_ssize_t>(size);
  };
  archive_write_open(out.get(), &bytes, nullptr, take, nullptr);
  for (const Entry& one : entries) {
    std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(archive_entry_new(), archive_entry_free);
    archive_entry_set_pathname(entry.get(), one.name.c_str());
    archive_entry_set_perm(entry.get(), static_cast<mode_t>(one.mode));
    archive_entry_set_mtime(entry.get(), 1'234'567'890, 0);
    archive_entry_set_filetype(entry.get(), one.kind);
    if (one.kind == AE_IFLNK) archive_entry_set_symlink(entry.get(), one.content.c_str());
    if (one.kind == AE_IFCHR) archive_entry_set_rdev(entry.get(), 0x103);  // /dev/null
    if (!one.hard_link.empty()) archive_entry_set_hardlink(entry.get(), one.hard_link.c_str());
    bool has_content = one.kind == AE_IFREG && one.hard_link.empty();
    archive_entry_set_size(entry.get(), has_content ? static_cast<la_int64_t>(one.content.size()) : 0);
    EXPECT_EQ(archive_write_header(out.get(), entry.get()), ARCHIVE_OK) << one.name;
    if (has_content) archive_write_data(out.get(), one.content.data(), one.content.size());
  }
  archive_write_close(out.get());
  return bytes;
}

class Unpacking : public ::testing::Test {
 protected:
  Unpacking() {
    write_file(outside_ / "file", "theirs\n");
    before_ = names(outside_);
  }
  void unpack(const std::vector<Entry>& entries) const { unpack_tar(tar(entries), folder_); }
  std::optional<std::string> read(const std::string& name) const { return read_file(folder_ / name); }
  // The entries of a folder, at any depth.
  static std::vector<std::string> names(const fs::path& folder) {
    std::vector<std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) all.push_back(entry.path().string());
    return all;
  }
  void nothing_got_outside() const {
    EXPECT_EQ(names(outside_), before_);
    EXPECT_EQ(read_file(outside_ / "file"), "theirs\n");
  }
  static struct stat facts(const fs::path& path) {
    struct stat facts {};
    EXPECT_EQ(::lstat(path.c_str(), &facts), 0) << path;
    return facts;
  }

  TemporaryFolder both_{fs::temp_directory_path()};
  fs::path folder_ = fs::canonical(both_.path()) / "deep/in", outside_ = fs::canonical(both_.path()) / "out";
  std::vector<std::string> before_;
};

TEST_F(Unpacking, FilesFoldersAndLinksGetThereWithModesAndTimes) {
  unpack({{"logs", AE_IFDIR, "", "", 0750},
          {"logs/program", AE_IFREG, "run\n", "", 0755},
          {"logs/plain", AE_IFREG, "text\n", "", 0640},
          {"link", AE_IFLNK, "logs/plain"},
          {"not/listed/file", AE_IFREG, "x"}});
  EXPECT_EQ(read("logs/program"), "run\n");
  EXPECT_EQ(read("link"), "text\n");
  EXPECT_EQ(read("not/listed/file"), "x");
  EXPECT_EQ(facts(folder_ / "logs").st_mode & 07777, 0750u);
  EXPECT_EQ(facts(folder_ / "logs/program").st_mode & 07777, 0755u);
  EXPECT_EQ(facts(folder_ / "logs/plain").st_mode & 07777, 0640u);
  EXPECT_EQ(facts(folder_ / "logs/plain").st_mtime, 1'234'567'890);
  EXPECT_EQ(facts(folder_ / "logs/plain").st_uid, ::geteuid());
  EXPECT_TRUE(S_ISLNK(facts(folder_ / "link").st_mode));
}

TEST_F(Unpacking, NamesThatLeadOutAreLeftOut) {
  unpack({{"../out/new", AE_IFREG, "x"},
          {"../../out/file", AE_IFREG, "x"},
          {"a/../../out/new", AE_IFREG, "x"},
          {"../../out/folder", AE_IFDIR},
          {"../../out/link", AE_IFLNK, "file"},
          {"after", AE_IFREG, "good"}});
  nothing_got_outside();
  EXPECT_FALSE(fs::exists(folder_.parent_path() / "out"));
  EXPECT_EQ(read("after"), "good") << "the others get there all the same";
}

TEST_F(Unpacking, AbsoluteNamesAreBelowTheFolder) {
  std::string name = (outside_ / "file").string();
  unpack({{name, AE_IFREG, "ours"}, {"//slashes", AE_IFREG, "ours"}});
  nothing_got_outside();
  EXPECT_EQ(read(name.substr(1)), "ours");
  EXPECT_EQ(read("slashes"), "ours");
}

TEST_F(Unpacking, NothingIsWrittenThroughALink) {
  unpack({{"away", AE_IFLNK, outside_.string()},
          {"away/new", AE_IFREG, "x"},
          {"over", AE_IFLNK, (outside_ / "file").string()},
          {"over", AE_IFREG, "ours"},
          {"up", AE_IFLNK, "../../out"},
          {"up/new", AE_IFREG, "x"},
          {"up/folder", AE_IFDIR}});
  nothing_got_outside();
  EXPECT_EQ(read("over"), "ours");
}

TEST_F(Unpacking, NothingIsWrittenThroughALinkThatWasThereBefore) {
  fs::create_directories(folder_);
  fs::create_symlink(outside_, folder_ / "away");
  fs::create_symlink(outside_ / "file", folder_ / "over");
  unpack({{"away/new", AE_IFREG, "x"}, {"over", AE_IFREG, "ours"}});
  nothing_got_outside();
  EXPECT_EQ(read("over"), "ours");
}

TEST_F(Unpacking, HardLinksNameOtherEntries) {
  unpack({{"logs/one", AE_IFREG, "text"}, {"two", AE_IFREG, "", "logs/one"}});
  EXPECT_EQ(read("two"), "text");
  EXPECT_EQ(facts(folder_ / "two").st_ino, facts(folder_ / "logs/one").st_ino);
}

TEST_F(Unpacking, HardLinksThatLeadOutAreLeftOut) {
  unpack({{"up", AE_IFREG, "", "../../out/file"},
          {"absolute", AE_IFREG, "", (outside_ / "file").string()},
          {"away", AE_IFLNK, outside_.string()},
          {"through", AE_IFREG, "", "away/file"}});
  EXPECT_EQ(facts(outside_ / "file").st_nlink, 1u);
  for (const char* name : {"up", "absolute", "through"}) EXPECT_EQ(read(name), std::nullopt) << name;
  nothing_got_outside();
}

TEST_F(Unpacking, DevicesAndPipesAreLeftOut) {
  unpack({{"device", AE_IFCHR}, {"pipe", AE_IFIFO}, {"after", AE_IFREG, "good"}});
  EXPECT_FALSE(fs::exists(folder_ / "device"));
  EXPECT_FALSE(fs::exists(folder_ / "pipe"));
  EXPECT_EQ(read("after"), "good");
}

TEST_F(Unpacking, ObstaclesAreReplaced) {
  write_file(folder_ / "file", "a longer old text\n");
  write_file(folder_ / "folder", "a file where a folder comes\n");
  fs::create_hard_link(folder_ / "file", folder_ / "other-name");
  unpack({{"file", AE_IFREG, "new\n"}, {"folder", AE_IFDIR, "", "", 0755}, {"folder/x", AE_IFREG, "x"}});
  EXPECT_EQ(read("file"), "new\n");
  EXPECT_EQ(read("other-name"), "a longer old text\n") << "not written into";
  EXPECT_EQ(read("folder/x"), "x");
  unpack({{"file", AE_IFREG, "again\n"}});
  EXPECT_EQ(read("file"), "again\n");
}

TEST_F(Unpacking, TheFolderMayLieBehindALink) {
  fs::create_directories(folder_);
  fs::create_symlink(folder_, both_.path() / "link");
  unpack_tar(tar({{"logs/file", AE_IFREG, "text"}}), both_.path() / "link/sub");
  EXPECT_EQ(read("sub/logs/file"), "text");
}

TEST_F(Unpacking, OddNamesAreKept) {
  for (const std::string& name :
       {std::string("gr\xc3\xb6\xc3\x9f"
                    "e"),
        std::string("\xff\xfe"), std::string("a\nb"), std::string(150, 'x') + "/" + std::string(200, 'y')}) {
    unpack({{name, AE_IFREG, "odd"}});
    EXPECT_EQ(read(name), "odd") << name;
  }
}

TEST_F(Unpacking, AnEmptyStreamMakesTheFolderAlone) {
  unpack({});
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(Unpacking, InvalidTarIsAnError) {
  std::string whole = tar({{"file", AE_IFREG, std::string(4000, 'x')}});
  for (const std::string& bytes : {std::string(2000, '\xab'), whole.substr(0, 600), whole.substr(0, 2000)}) {
    try {
      unpack_tar(bytes, folder_);
      ADD_FAILURE() << bytes.size();
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::EngineUnusable);
      EXPECT_THAT(error.what(), HasSubstr("cannot unpack there"));
    }
  }
}

}  // namespace
}  // namespace stagemake
