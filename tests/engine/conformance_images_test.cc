// Missing images and containers, what a commit keeps, and names.
#include <fcntl.h>

#include <algorithm>
#include <thread>

#include "base/files/descriptor.h"
#include "base/text/text.h"
#include "engine/conformance.h"

namespace stagemake::test {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

TEST_P(Conformance, AbsentImagesAndContainersAreAnswers) {
  EXPECT_EQ(engine().find_image("not-there:1"), std::nullopt);
  EXPECT_EQ(engine().find_image("sha256:" + std::string(64, '0')), std::nullopt);
  EXPECT_THAT(engine().list_images("not.there", ""), IsEmpty());
  EXPECT_THAT(engine().list_images("", ""), Not(IsEmpty())) << "all images";
  EXPECT_THAT(engine().list_containers("not.there", "x"), IsEmpty());
  EXPECT_TRUE(engine().remove_image("not-there:1"));
  engine().remove_container("not-there");
}

TEST_P(Conformance, MissingImagesAndContainersAreEngineErrors) {
  EXPECT_THROW(engine().create({unique("c"), "not-there:1", {}}), EngineError);
  EXPECT_THROW(engine().run("not-there", "true", {}, {.grace = kGrace}), EngineError);
  EXPECT_THROW(engine().commit("not-there", {}), EngineError);
  EXPECT_THROW(engine().copy_out("not-there", "/bin"), EngineError);
  EXPECT_THROW(engine().copy_in("not-there", base_tar()), EngineError);
  EXPECT_THROW(engine().tag("not-there:1", "other:1"), EngineError);
  std::string container = create();
  EXPECT_THROW(engine().create({container, kBase, {}}), EngineError) << "a name is used once";
}

TEST_P(Conformance, ACommitKeepsTheParentsConfiguration) {
  FakeConfiguration wanted{.command = {"/bin/thing", "a b", "it's", "$x \"y\""},
                           .entry_point = {"/bin/sh", "-c"},
                           .environment = {"A=plain", "B=with blank and \"quote\"", "PATH=/bin:/other"},
                           .user = "user",
                           .working_folder = "/home"};
  std::string parent = unique("configured") + ":1";
  bench_->add_image(parent, wanted);
  ASSERT_EQ(bench_->configuration(parent), wanted);
  std::string container = create(parent);
  std::string output = run(container, "echo $B; pwd; id -un; echo x >/tmp/x").output;
  if (bench_->runs_processes()) {  // the fake runs everything as root, without an environment
    EXPECT_EQ(output, "with blank and \"quote\"\n/home\nuser\n");
  }
  for (bool squash : {false, true}) {
    std::string image = commit(container, {{"t.odd", "a\nb"}, {"t.plain", "x"}}, squash);
    EXPECT_EQ(bench_->configuration(image), wanted) << (squash ? "squashed" : "not squashed");
  }
  std::string moved = unique("image") + ":1";
  engine().commit(container, {.names = {moved}, .labels = {}, .working_folder = "/root/a b"});
  wanted.working_folder = "/root/a b";
  EXPECT_EQ(bench_->configuration(moved), wanted);
  EXPECT_EQ(bench_->configuration(commit(container)).working_folder, "/home") << "for that commit alone";
}

TEST_P(Conformance, AnImageSaysItsVolumes) {
  std::string plain = unique("plain") + ":1", with_volumes = unique("volumes") + ":1";
  bench_->add_image(plain, {.command = {"/bin/sh"}});
  bench_->add_image(with_volumes, {.command = {"/bin/sh"}, .volumes = {"/data", "/sage/local"}});
  EXPECT_THAT(engine().find_image(plain)->volumes, IsEmpty());
  EXPECT_THAT(engine().find_image(with_volumes)->volumes, UnorderedElementsAre("/data", "/sage/local"));
  // The same from an engine that has not seen the image yet, or that remembers it.
  std::unique_ptr<ContainerEngine> other = bench_->second_engine();
  ContainerEngine& again = other ? *other : engine();
  EXPECT_THAT(again.find_image(with_volumes)->volumes, UnorderedElementsAre("/data", "/sage/local"));
}

TEST_P(Conformance, AnExportHoldsAllFilesOfAContainer) {
  std::string container = create();
  engine().copy_in(container,
                   write_tar([](TarWriter& writer) { writer.add_content("old/deep", "x", 04755, 12345); }));
  run(container, "mkdir -p /made; echo here >/made/file; ln -s file /made/link");
  fs::path file = scratch() / (unique("export") + ".tar");
  Descriptor to(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  engine().export_files(container, to.get());
  std::map<std::string, TarEntry> entries;
  for (TarEntry& entry : read_tar(read_file(file, 256u << 20).value())) {
    std::string name = entry.name.starts_with("./") ? entry.name.substr(2) : entry.name;
    entries[name] = std::move(entry);
  }
  if (bench_->runs_processes()) {
    EXPECT_EQ(entries["made/file"].content, "here\n");
    EXPECT_EQ(entries["made/link"].content, "file");
    EXPECT_TRUE(entries.contains("bin/busybox"));
  }
  EXPECT_EQ(entries["old/deep"].content, "x");
  EXPECT_EQ(entries["old/deep"].mode & 07777, 04755u);
  EXPECT_EQ(entries["old/deep"].time, 12345);
}

TEST_P(Conformance, ACommitKeepsACommandOrAnEntryPointAlone) {
  for (const FakeConfiguration& wanted :
       {FakeConfiguration{.command = {"/bin/only"}}, FakeConfiguration{.entry_point = {"/bin/entry", "x"}}}) {
    std::string parent = unique("configured") + ":1";
    bench_->add_image(parent, wanted);
    std::string container = create(parent);
    EXPECT_TRUE(run(container, "true").outcome.ok());
    for (bool squash : {false, true}) {
      FakeConfiguration have = bench_->configuration(commit(container, {{"t.odd", "a\nb"}}, squash));
      EXPECT_EQ(have.command, wanted.command) << squash;
      EXPECT_EQ(have.entry_point, wanted.entry_point) << squash;
    }
  }
}

TEST_P(Conformance, ASquashMakesOneLayer) {
  std::string image = kBase;
  for (int i = 0; i < 3; ++i) {
    std::string container = create(image, {{"t.kept", "$x\n\"y\""}});
    run(container, fmt::format("echo {0} >/file{0}; rm -f /file{1}; ln -sf file{0} /link", i, i - 1));
    image = commit(container);
  }
  EXPECT_EQ(engine().find_image(image)->layers, engine().find_image(kBase)->layers + 3);
  std::string container = create(image);
  engine().copy_in(container,
                   write_tar([](TarWriter& writer) { writer.add_content("old", "x", 04755, 12345); }));
  std::string flat = commit(container, {{"t.more", "m"}}, true);
  std::optional<ImageInfo> info = engine().find_image(flat);
  EXPECT_EQ(info->layers, 1u);
  EXPECT_EQ(info->labels["t.kept"], "$x\n\"y\"");
  EXPECT_EQ(info->labels["t.more"], "m");
  EXPECT_EQ(bench_->configuration(flat), bench_->configuration(image));
  EXPECT_EQ(content(flat, "/link"), "file2");
  EXPECT_EQ(content(flat, "/file1"), "absent");
  EXPECT_EQ(content(flat, "/file2"), "2\n");
  TarEntry old = read_tar(engine().copy_out(create(flat), "/old").value()).at(0);
  EXPECT_EQ(old.mode & 07777, 04755u);
  EXPECT_EQ(old.time, 12345);
}

TEST_P(Conformance, RunningLeavesNoTraceInTheImage) {
  std::string container = create();
  run(container, "echo x");
  std::string image = commit(container);
  // Mount points that an engine makes (/etc/hosts and the like) are empty, and allowed.
  std::string list =
      run(create(image), "cd /; ls -d .stagemake* tmp/* root/* home/* run/* 2>/dev/null; cat etc/passwd")
          .output;
  EXPECT_THAT(list, Not(HasSubstr("stagemake")));
  EXPECT_THAT(list, ::testing::StartsWith("root:x:0:0:"));
}

TEST_P(Conformance, NamesMove) {
  std::string name = unique("moving") + ":1";
  std::string container = create();
  std::string first = engine().commit(container, {.names = {name, "also-" + name}, .labels = {{"t.n", "1"}}});
  EXPECT_THAT(engine().find_image(first)->names, UnorderedElementsAre(name, "also-" + name));
  std::string second = engine().commit(container, {.names = {name}, .labels = {{"t.n", "2"}}});
  EXPECT_NE(first, second);
  EXPECT_EQ(engine().find_image(name)->id, second);
  EXPECT_THAT(engine().find_image(first)->names, ElementsAre("also-" + name));
  engine().tag(first, name);
  EXPECT_EQ(engine().find_image(name)->id, first);
  EXPECT_EQ(engine().find_image(second)->names, std::vector<std::string>());
  engine().tag("also-" + name, "registry.example:5000/some/" + name);
  EXPECT_EQ(engine().find_image("registry.example:5000/some/" + name)->id, first);
}

TEST_P(Conformance, RemovingAnImage) {
  std::string container = create();
  run(container, "echo x >/x");
  std::string name = unique("going") + ":1";
  std::string id = engine().commit(container, {.names = {name, "also-" + name}, .labels = {}});
  std::string user = create(name);
  EXPECT_TRUE(engine().remove_image("also-" + name));
  EXPECT_EQ(engine().find_image("also-" + name), std::nullopt);
  EXPECT_TRUE(engine().find_image(name));
  EXPECT_FALSE(engine().remove_image(name)) << "a container stands on it";
  EXPECT_TRUE(engine().find_image(name)) << "and it keeps its name";
  engine().remove_container(user);
  EXPECT_TRUE(engine().remove_image(name));
  EXPECT_EQ(engine().find_image(id), std::nullopt);
}

TEST_P(Conformance, ImagesSayWhichLayersTheyShare) {
  std::string first_container = create();
  run(first_container, "echo first >/first");
  std::string first = commit(first_container);
  std::string second_container = create(first);
  run(second_container, "echo second >/second");
  std::string second = commit(second_container);
  std::vector<std::string> below = engine().find_image(first)->layer_ids;
  std::vector<std::string> all = engine().find_image(second)->layer_ids;
  EXPECT_EQ(below.size(), engine().find_image(first)->layers);
  ASSERT_EQ(all.size(), below.size() + 1);
  all.pop_back();
  EXPECT_EQ(all, below);
}

TEST_P(Conformance, RemovingAnImageLeavesWhatItWasMadeFromIfThatHasAName) {
  std::string parent_container = create();
  run(parent_container, "echo parent >/parent");
  std::string parent = commit(parent_container);
  std::string child = commit(create(parent), {{"t.n", "1"}});
  EXPECT_TRUE(engine().remove_image(child));
  EXPECT_TRUE(engine().find_image(parent));
}

TEST_P(Conformance, TheStorageIsAFolderOfThisMachine) {
  std::optional<fs::path> folder = engine().storage_folder();
  if (!bench_->runs_processes()) return;
  ASSERT_TRUE(folder);
  EXPECT_GT(free_bytes(*folder).value_or(0), 0u);
}

TEST_P(Conformance, CallsAreCounted) {
  std::map<std::string, unsigned> before = engine().calls();
  engine().find_image(kBase);
  engine().find_image("not-there:1");
  EXPECT_EQ(engine().calls()["find_image"], before["find_image"] + 2);
  EXPECT_EQ(engine().calls()["run"], before["run"]);
}

TEST_P(Conformance, ProbesAndNamesItself) {
  EXPECT_EQ(engine().name(), GetParam() == "docker_cli" ? "docker" : GetParam());
  EXPECT_THAT(engine().probe(), Not(IsEmpty()));
  EXPECT_THAT(engine().shell_command(kBase), ::testing::Contains(std::string(kBase)));
  std::vector<std::string> inside = engine().command_inside("container", {"sh", "-c", "exit 0"}, true);
  auto container = std::find(inside.begin(), inside.end(), "container");
  ASSERT_NE(container, inside.end());
  EXPECT_EQ(std::vector<std::string>(inside.end() - 3, inside.end()),
            (std::vector<std::string>{"sh", "-c", "exit 0"}));
  EXPECT_LE(container, inside.end() - 4) << "what runs comes after where it runs";
}

}  // namespace
}  // namespace stagemake::test
