#include "base/files/tarball.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <locale.h>
#include <sys/stat.h>

#include <map>
#include <thread>

#include "base/error.h"
#include "base/files/descriptor.h"
#include "base/process/subprocess.h"
#include "base/text/digest.h"

namespace stagemake {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Tarball : public ::testing::Test {
 protected:
  fs::path at(const std::string& name) const { return folder_.path() / name; }
  std::string bytes() const { return read_file(at("t.tar"), std::size_t{1} << 30).value(); }

  TemporaryFolder folder_{fs::temp_directory_path()};
};

Descriptor opened(const fs::path& file) {
  return Descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
}

std::string words_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

const std::vector<std::string>& odd_names() {
  static const std::vector<std::string> names{"a b",
                                              "quote\"'",
                                              "new\nline",
                                              "größe/数",
                                              "\xff\xfe no utf-8",
                                              "back\\slash",
                                              "-option",
                                              "$HOME",
                                              "tab\t",
                                              std::string(90, 'd') + "/" + std::string(150, 'n'),
                                              std::string(200, 'x') + "/" + std::string(240, 'y')};
  return names;
}

TEST_F(Tarball, ReadsWhatItWrote) {
  TarWriter writer(at("t.tar"));
  writer.add_folder("folder", 0750, 1'111'111'111);
  for (const std::string& name : odd_names())
    writer.add_content(name, "content of " + name, 0640, 1'234'567'890);
  writer.add_content("empty", "", 0600, 0);
  writer.add_content("program", "x", 04755, 4'000'000'000);  // after 2038
  writer.add_symlink("link", "to \xff a\nplace", 77);
  writer.add_symlink("long", std::string(300, 't'), 77);
  writer.close();
  std::map<std::string, TarEntry> entries;
  for (TarEntry& entry : read_tar(bytes())) entries[entry.name] = entry;
  EXPECT_THAT(entries, SizeIs(odd_names().size() + 5));
  for (const std::string& name : odd_names()) {
    ASSERT_TRUE(entries.contains(name)) << name;
    EXPECT_EQ(entries[name].content, "content of " + name);
    EXPECT_EQ(entries[name].kind, TarEntry::Kind::File);
    EXPECT_EQ(entries[name].mode, 0640u);
    EXPECT_EQ(entries[name].time, 1'234'567'890);
    EXPECT_EQ(entries[name].nanoseconds, 0);
  }
  EXPECT_EQ(entries["folder/"].kind, TarEntry::Kind::Folder);
  EXPECT_EQ(entries["folder/"].mode, 0750u);
  EXPECT_EQ(entries["empty"].size, 0u);
  EXPECT_EQ(entries["program"].mode, 04755u);
  EXPECT_EQ(entries["program"].time, 4'000'000'000);
  EXPECT_EQ(entries["link"].kind, TarEntry::Kind::Symlink);
  EXPECT_EQ(entries["link"].content, "to \xff a\nplace");
  EXPECT_EQ(entries["long"].content, std::string(300, 't'));
}

TEST_F(Tarball, OtherProgramsReadWhatItWrote) {
  TarWriter writer(at("t.tar"));
  for (const std::string& name : odd_names()) writer.add_content(name, name, 0640, 1'234'567'890);
  writer.close();
  fs::create_directory(at("out"));
  Command command;
  command.argv = {"tar", "-xf", at("t.tar").string(), "-C", at("out").string()};
  Finished finished = run_command(command);
  ASSERT_TRUE(finished.ok()) << finished.errors;
  for (const std::string& name : odd_names()) {
    EXPECT_EQ(read_file(at("out") / name), name);
    EXPECT_EQ(fs::last_write_time(at("out") / name), 1'234'567'890);
  }
}

TEST_F(Tarball, ReadsWhatOtherProgramsWrote) {
  for (const std::string& name : odd_names()) write_file(at("in") / name, name);
  for (const char* format : {"pax", "gnu"}) {
    Command command;
    command.argv = {"tar", std::string("--format=") + format, "-cf", "-", "-C", at("in").string(), "."};
    std::map<std::string, TarEntry> entries;
    for (TarEntry& entry : read_tar(run_command(command).output)) entries[entry.name] = entry;
    for (const std::string& name : odd_names()) {
      ASSERT_TRUE(entries.contains("./" + name)) << format << ": " << name;
      EXPECT_EQ(entries["./" + name].content, name);
    }
  }
}

TEST_F(Tarball, FilesComeFromDisk) {
  write_file(at("file"), std::string(200'000, 'x'));
  TarWriter writer(at("t.tar"));
  writer.add_file("renamed", opened(at("file")), at("file"), 0755, 5);
  EXPECT_THAT(words_of([&] { writer.add_file("x", opened(at("not there")), "x", 0644, 5); }),
              HasSubstr("cannot be read"));
  EXPECT_THAT(words_of([&] { writer.add_file("x", opened(folder_.path()), "x", 0644, 5); }),
              HasSubstr("not a regular file"));
  ASSERT_EQ(::mkfifo(at("fifo").c_str(), 0600), 0);
  EXPECT_THAT(words_of([&] { writer.add_file("x", opened(at("fifo")), "x", 0644, 5); }),
              HasSubstr("not a regular file"));
  writer.close();
  std::vector<TarEntry> entries = read_tar(bytes());
  ASSERT_THAT(entries, SizeIs(1));
  EXPECT_EQ(entries[0].content, std::string(200'000, 'x'));
}

TEST_F(Tarball, AFileThatGrowsIsNoticed) {
  write_file(at("file"), std::string(30'000'000, 'x'));
  std::jthread grows([&](std::stop_token stop) {
    while (!stop.stop_requested()) append_line(at("file"), "more");
  });
  TarWriter writer(at("t.tar"));
  EXPECT_THAT(words_of([&] { writer.add_file("file", opened(at("file")), at("file"), 0644, 5); }),
              HasSubstr("while it was being read"));
}

TEST_F(Tarball, LargeContentsAreLeftOut) {
  TarWriter writer(at("t.tar"));
  writer.add_content("large", std::string(1000, 'x'), 0644, 5);
  writer.add_content("small", std::string(10, 'y'), 0644, 5);
  writer.close();
  std::vector<TarEntry> entries = read_tar(bytes(), 100);
  ASSERT_THAT(entries, SizeIs(2));
  EXPECT_EQ(entries[0].content, "");
  EXPECT_EQ(entries[0].size, 1000u);
  EXPECT_EQ(entries[1].content, std::string(10, 'y'));
}

TEST_F(Tarball, WithoutCloseTheArchiveIsInvalid) {
  {
    TarWriter writer(at("t.tar"));
    for (int i = 0; i < 100; ++i)
      writer.add_content("file" + std::to_string(i), std::string(5000, 'x'), 0644, 5);
  }
  EXPECT_NE(words_of([&] { read_tar(bytes()); }), "no error");
}

TEST_F(Tarball, AnEmptyArchiveIsOne) {
  TarWriter writer(at("t.tar"));
  writer.close();
  EXPECT_THAT(read_tar(bytes()), IsEmpty());
  EXPECT_THAT(read_tar(""), IsEmpty());
}

TEST_F(Tarball, InvalidTarIsAnError) {
  EXPECT_THAT(words_of([] { read_tar("this is no tar stream, but long enough to be looked at"); }),
              HasSubstr("no tar stream"));
  EXPECT_THAT(words_of([] { read_tar(std::string(10'000, 'x')); }), HasSubstr("no tar stream"));
  TarWriter writer(at("t.tar"));
  writer.add_content("file", std::string(5000, 'x'), 0644, 5);
  writer.close();
  EXPECT_NE(words_of([&] { read_tar(bytes().substr(0, 2000)); }), "no error") << "cut short";
}

TEST_F(Tarball, AFullDiskIsAnError) {
  std::string words = words_of([] {
    TarWriter writer("/dev/full");
    for (int i = 0; i < 100; ++i) writer.add_content("file", std::string(5000, 'x'), 0644, 5);
    writer.close();
  });
  EXPECT_THAT(words, HasSubstr("/dev/full: cannot be written"));
  EXPECT_THAT(words, HasSubstr("No space left on device"));
  words = words_of([] {
    TarWriter writer("/dev/full");
    writer.add_content("file", "x", 0644, 5);  // fits into the buffer
    writer.close();
  });
  EXPECT_THAT(words, HasSubstr("cannot be written"));
  EXPECT_THAT(words_of([&] { TarWriter(at("not/there/t.tar")); }), HasSubstr("cannot be written"));
}

// A stream that arrives in pieces, as an engine sends it.
TEST_F(Tarball, AStreamIsReadFromADescriptor) {
  TemporaryFolder folder(fs::temp_directory_path());
  std::string large(3'000'000, 'x');
  write_file(folder.path() / "large", large);
  {
    TarWriter out(folder.path() / "t.tar");
    EXPECT_EQ(out.add_file("a/large", opened(folder.path() / "large"), "large", 0644, 5), git_blob_id(large));
    out.add_content("a/small", "content", 0644, 5);
    out.add_content("a/skipped", large, 0644, 5);
    out.add_symlink("a/link", "small", 5);
    out.close();
  }
  Descriptor file(::open((folder.path() / "t.tar").c_str(), O_RDONLY | O_CLOEXEC));
  TarReader tar(file.get());
  std::optional<TarEntry> entry = tar.next();
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->size, large.size());
  BlobDigest digest(entry->size);
  std::size_t pieces = 0;
  tar.content([&](std::string_view piece) {
    digest.add(piece);
    ++pieces;
  });
  EXPECT_EQ(digest.hex(), git_blob_id(large));
  EXPECT_GT(pieces, 10u);
  std::vector<TarEntry> rest = read_tar(tar, 1000);
  ASSERT_EQ(rest.size(), 3u);
  EXPECT_EQ(rest[0].content, "content");
  EXPECT_EQ(rest[1].content, "") << "too large to be kept";
  EXPECT_EQ(rest[1].size, large.size());
  EXPECT_EQ(rest[2].content, "small");

  Descriptor again(::open((folder.path() / "t.tar").c_str(), O_RDONLY | O_CLOEXEC));
  unpack_tar(again.get(), folder.path() / "unpacked");
  EXPECT_EQ(read_file(folder.path() / "unpacked/a/small"), "content");
  EXPECT_EQ(fs::file_size(folder.path() / "unpacked/a/large"), large.size());

  // Truncated within a file.
  fs::resize_file(folder.path() / "t.tar", 1'000'000);
  Descriptor cut(::open((folder.path() / "t.tar").c_str(), O_RDONLY | O_CLOEXEC));
  TarReader half(cut.get());
  ASSERT_TRUE(half.next());
  EXPECT_THROW(half.content([](std::string_view) {}), Error);
  Descriptor cut_again(::open((folder.path() / "t.tar").c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_THROW(unpack_tar(cut_again.get(), folder.path() / "cut"), Error);
}

}  // namespace
}  // namespace stagemake
