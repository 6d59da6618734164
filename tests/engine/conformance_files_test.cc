// Copying files into a container and out of it.
#include <algorithm>
#include <thread>

#include "base/text/text.h"
#include "engine/conformance.h"
#include "engine/copied_files.h"

namespace stagemake::test {
namespace {

using namespace std::chrono_literals;
using ::testing::SizeIs;

TEST_P(Conformance, OddNamesModesTimesAndLinksSurvive) {
  const std::vector<std::string> names{"a b", "c\"d'e", "f\ng", "größe", "-h", "$i", "j\\k", "*", "l\tm"};
  fs::path tar = write_tar([&](TarWriter& writer) {
    writer.add_folder("odd", 0750, 1'111'111'111);
    for (const std::string& name : names)
      writer.add_content("odd/" + name, "content of " + name, 0640, 1'234'567'890);
    writer.add_content("odd/program", "#!/bin/sh\n", 0755, 1'234'567'891);
    writer.add_content("odd/" + std::string(200, 'n') + "/" + std::string(120, 'm'), "deep", 0600, 1);
    writer.add_symlink("odd/link", "a b", 1'234'567'892);
    writer.add_symlink("odd/dangling", "not there\n", 1'234'567'893);
  });
  std::string container = create();
  engine().copy_in(container, tar);
  std::string image = commit(container);
  std::optional<std::string> out = engine().copy_out(create(image), "/odd");
  ASSERT_TRUE(out);
  std::map<std::string, TarEntry> entries;
  for (TarEntry& entry : read_tar(*out)) entries[entry.name] = entry;
  for (const std::string& name : names) {
    ASSERT_TRUE(entries.contains("odd/" + name)) << name;
    const TarEntry& entry = entries["odd/" + name];
    EXPECT_EQ(entry.content, "content of " + name);
    EXPECT_EQ(entry.mode & 07777, 0640u);
    EXPECT_EQ(entry.time, 1'234'567'890);
  }
  EXPECT_EQ(entries["odd/program"].mode & 07777, 0755u);
  EXPECT_EQ(entries["odd/" + std::string(200, 'n') + "/" + std::string(120, 'm')].content, "deep");
  EXPECT_EQ(entries["odd/link"].kind, TarEntry::Kind::Symlink);
  EXPECT_EQ(entries["odd/link"].content, "a b");
  EXPECT_EQ(entries["odd/dangling"].content, "not there\n");
  EXPECT_EQ(entries["odd/"].mode & 07777, 0750u);
  for (const std::string& name : names)
    EXPECT_EQ(content_in(container, "/odd/" + name), "content of " + name);
}

TEST_P(Conformance, AFolderStreamsOutWhateverItsSize) {
  std::string container = create();
  std::string large(5'000'000, 'l');
  engine().copy_in(container, write_tar([&](TarWriter& writer) {
                     writer.add_content("many/large", large, 0644, 1'234'567'890);
                     writer.add_content("many/small", "s", 0644, 1'234'567'890);
                   }));
  std::map<std::string, TarEntry> entries;
  for (TarEntry& entry : copied_entries(engine(), container, "/many", 1000)) entries[entry.name] = entry;
  EXPECT_EQ(entries["many/large"].size, large.size());
  EXPECT_EQ(entries["many/large"].content, "");
  EXPECT_EQ(entries["many/small"].content, "s");
  std::string heard;
  EXPECT_TRUE(read_copied(engine(), container, "/many/large", [&](int descriptor) {
    TarReader tar(descriptor);
    if (tar.next()) tar.content([&](std::string_view piece) { heard += piece; });
  }));
  EXPECT_EQ(heard, large);
  EXPECT_FALSE(read_copied(engine(), container, "/not/there", [](int descriptor) {
    TarReader tar(descriptor);
    EXPECT_FALSE(tar.next());
  }));
  EXPECT_THAT(copied_entries(engine(), container, "/not/there"), ::testing::IsEmpty());
  // The reader's exception arrives here, and the engine stops copying.
  EXPECT_THROW(read_copied(engine(), container, "/many", [](int) { throw std::runtime_error("enough"); }),
               std::runtime_error);
  EXPECT_THROW(copied_entries(engine(), "not-there", "/many"), EngineError);
}

TEST_P(Conformance, CopiesInReplaceAndAddAndFollowFolders) {
  std::string container = create();
  run(container,
      "mkdir -p /real/sub /odd; echo old >/real/file; echo kept >/real/kept; ln -s real /link; chmod 700 "
      "/real");
  fs::path tar = write_tar([&](TarWriter& writer) {
    writer.add_content("real/file", "new", 0644, 1'234'567'890);
    writer.add_content("link/through", "t", 0644, 1'234'567'890);
    writer.add_content("fresh/a/b", "b", 0644, 1'234'567'890);
  });
  engine().copy_in(container, tar);
  engine().copy_in(container, write_tar([](TarWriter&) {}));  // an empty one is fine
  EXPECT_EQ(content_in(container, "/real/file"), "new");
  EXPECT_EQ(content_in(container, "/real/kept"), "kept\n");
  EXPECT_EQ(content_in(container, "/real/through"), "t");
  EXPECT_EQ(content_in(container, "/fresh/a/b"), "b");
  EXPECT_EQ(run(container, "stat -c '%a %u' /real /real/file").output, "700 0\n644 0\n");
}

TEST_P(Conformance, CopiesOutFollowFoldersButNotTheLast) {
  std::string container = create();
  run(container,
      "mkdir -p /a/b/c; echo x >/a/b/c/file; ln -s /a/b /abs; ln -s ../a /a/rel; ln -s abs /last; ln -s / "
      "/root/up");
  EXPECT_EQ(content_in(container, "/abs/c/file"), "x\n");
  EXPECT_EQ(content_in(container, "/a/rel/b/c/file"), "x\n");
  EXPECT_EQ(content_in(container, "/root/up/a/b/c/file"), "x\n") << "inside the container";
  std::vector<TarEntry> folder = read_tar(engine().copy_out(container, "/abs/c").value());
  ASSERT_THAT(folder, SizeIs(2));
  EXPECT_EQ(folder[0].name, "c/");
  EXPECT_EQ(folder[1].name, "c/file");
  std::vector<TarEntry> link = read_tar(engine().copy_out(container, "/last").value());
  ASSERT_THAT(link, SizeIs(1));
  EXPECT_EQ(link[0].kind, TarEntry::Kind::Symlink);
  EXPECT_EQ(engine().copy_out(container, "/not/there"), std::nullopt);
  EXPECT_EQ(engine().copy_out(container, "/a/b/not there"), std::nullopt);
  EXPECT_EQ(engine().copy_out(container, "/abs/c/file/below"), std::nullopt);
}

}  // namespace
}  // namespace stagemake::test
