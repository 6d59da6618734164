// What a dead driver leaves, and what a build inside can make of it: nothing that is worth more.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/text/digest.h"
#include "plan/planned_tree.h"
#include "run/build_bench.h"
#include "run/container/build_container.h"
#include "run/container/holder.h"

namespace stagemake {
namespace {

using nlohmann::json;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Adoption : public testing::Test {
 protected:
  Adoption() {
    act_ = bench_.engine.on_run;
    bench_.engine.on_run = [this](FakeContainer& container, const std::string& script, const OutputSink& sink,
                                  std::stop_token stop) {
      RunOutcome outcome = act_(container, script, sink, stop);
      if (forge_ && script.find("make SAGE_SPKG=") != std::string::npos) forge_(container);
      return outcome;
    };
    bench_.makefile = "DUMMY_PACKAGES =\nOPTIONAL_INSTALLED_PACKAGES =\n";
  }

  // Builds main's tree, remembers what its image's labels claim, and removes all images.
  Snapshot build_of_main() {
    bench_.tree.file("build/pkgs/app/spkg-install.in", "main's\n");
    bench_.build();
    Snapshot main = bench_.snapshot(image_of_stage("with-targets"));
    for (const ImageInfo& image : bench_.engine.list_images(std::string(kSchemaLabel), "1"))
      bench_.engine.remove_image(image.id);
    return main;
  }

  // A stranger's tree; its build runs `forge` in its container before its driver dies.
  void build_of_stranger(std::function<void(FakeContainer&)> forge) {
    bench_.tree.file("build/pkgs/app/spkg-install.in", "a stranger's\n");
    forge_ = std::move(forge);
    bench_.engine.on_verb = [this](const std::string& verb) {
      if (verb == "commit" && forge_ && has_forged_) throw EngineError("the driver is dead");
    };
    bench_.build();
    forge_ = nullptr;
    bench_.engine.on_verb = nullptr;
    ASSERT_THAT(bench_.engine.container_names(), testing::SizeIs(1));
  }

  // The image that the next build makes of it, as it is before that build continues.
  Snapshot adopted(BuildBench::Run& run) {
    std::optional<Snapshot> image;
    bench_.prepared = [&] {
      for (const std::string& note : bench_.reporter.notes)
        if (std::size_t at = note.find("; kept it as "); at != std::string::npos)
          image = bench_.snapshot(note.substr(at + 13, note.find(',', at) - at - 13));
    };
    run = bench_.build();
    bench_.prepared = nullptr;
    EXPECT_TRUE(image) << testing::PrintToString(run.notes);
    return image.value_or(Snapshot());
  }

  std::size_t files_kept() const {
    std::size_t count = 0;
    boost::system::error_code none;
    for (fs::directory_iterator at(bench_.state_folder.path() / "running", none), end; !none && at != end;
         ++at)
      ++count;
    return count;
  }

  BuildBench bench_{kSmallDistribution};
  std::function<void(FakeContainer&)> forge_;
  bool has_forged_ = false;
  decltype(FakeEngine::on_run) act_;
};

TEST_F(Adoption, ClaimedLineageIsNotTrusted) {
  Snapshot main = build_of_main();
  build_of_stranger([&](FakeContainer& container) {
    json lineage = json::array();
    for (const LineageEntry& entry : main.lineage)
      lineage.push_back({{"stage", entry.stage}, {"key", entry.key}, {"inputs", json::array()}});
    lineage.push_back({{"stage", "with-targets-optional"}, {"key", "none"}, {"inputs", json::array()}});
    json packages = json::object();
    for (const auto& [name, package] : main.packages)
      packages[name] = {package.version, package.fingerprint, 1};
    container.files["/.stagemake/running"] = {.content = json({{"container", container.name},
                                                               {"lineage", lineage},
                                                               {"packages", packages},
                                                               {"records", json::object()}})
                                                             .dump()};
    has_forged_ = true;
  });
  BuildBench::Run run;
  Snapshot image = adopted(run);
  EXPECT_EQ(image.stage, "with-targets-pre");
  EXPECT_FALSE(image.complete);
  for (const LineageEntry& entry : image.lineage)
    for (const LineageEntry& of_main : main.lineage)
      if (entry.stage != "with-system-packages") {
        EXPECT_NE(entry.key, of_main.key) << entry.stage;
      }
  // main's build uses nothing of its container.
  bench_.tree.file("build/pkgs/app/spkg-install.in", "main's\n");
  EXPECT_THAT(bench_.build().scripts, Contains(HasSubstr(" app")));
}

TEST_F(Adoption, ClaimedSourcesAreNotTrusted) {
  Snapshot main = build_of_main();
  std::string manifest = read_file(bench_.state_folder.path() / "manifests" / main.manifest).value();
  build_of_stranger([&](FakeContainer& container) {
    container.files[std::string(kManifestPath)] = {.content = manifest};
    has_forged_ = true;
  });
  BuildBench::Run run;
  Snapshot image = adopted(run);
  EXPECT_NE(image.manifest, main.manifest);
  EXPECT_TRUE(bench_.state.manifest(image.manifest));
  EXPECT_NE(image.packages.at("app").fingerprint, main.packages.at("app").fingerprint);
}

TEST_F(Adoption, AnAlteredMakefileIsNotTrusted) {
  build_of_stranger([&](FakeContainer& container) {
    container.files["/sage/build/make/Makefile"] = {
        .content = "DUMMY_PACKAGES = zlib app pyapp tool\nOPTIONAL_INSTALLED_PACKAGES =\n"};
    has_forged_ = true;
  });
  BuildBench::Run run;
  Snapshot image = adopted(run);
  ASSERT_TRUE(image.configured);
  EXPECT_THAT(image.configured->dummies, IsEmpty());
}

// Drivers in separate containers with one daemon: each has its own lock at the same path.
TEST_F(Adoption, AContainerOfALivingDriverElsewhereIsLeftAloneUntilItIsSilent) {
  build_of_stranger([&](FakeContainer&) { has_forged_ = true; });
  FakeContainer left = bench_.engine.container(bench_.engine.container_names().at(0));
  bench_.engine.remove_container(left.name);
  Holder holder = holder_in(left.labels.at(std::string(kHolderLabel))).value();
  EXPECT_EQ(holder, this_driver(bench_.state));
  holder.run = "elsewhere";
  holder.folder = "another";
  holder.process_namespace = "another";
  auto made = [&](int seconds_ago) {
    left.labels[std::string(kHolderLabel)] = to_label(holder);
    left.labels[std::string(kSignLabel)] = fmt::format("{:.0f}", bench_.engine.now() - seconds_ago);
    bench_.engine.create({.name = left.name, .image = left.image, .labels = left.labels});
  };
  made(0);
  EXPECT_THAT(bench_.left().snapshots, IsEmpty());
  EXPECT_THAT(bench_.left().notes, ElementsAre(HasSubstr("is left alone: a run with another state folder")));
  StageTable table = built_in_stages(TreeFeatures::of_sage98());
  EXPECT_THAT(unsaved_work(bench_.engine, bench_.state, table, {}), IsEmpty());
  std::map<std::string, unsigned> before = bench_.engine.calls();
  BuildBench::Run run = bench_.build();
  EXPECT_THAT(
      run.notes,
      Contains(HasSubstr("is left alone: a run with another state folder, elsewhere, gave a sign of life")));
  EXPECT_EQ(bench_.engine.calls()["stop_container"], before["stop_container"]);
  EXPECT_THAT(bench_.engine.container_names(), ElementsAre(left.name))
      << "it is neither committed nor removed";
  // Later, the driver gives no sign.
  bench_.engine.remove_container(left.name);
  made(kSilence + 60);
  EXPECT_THAT(bench_.left().snapshots, testing::SizeIs(1));
  EXPECT_THAT(bench_.build().notes, Contains(HasSubstr("an earlier run ended without saving its work")));
  EXPECT_THAT(bench_.engine.container_names(), IsEmpty());
}

TEST_F(Adoption, WithoutTheStateFolderOnlyTheLabelsCountAndNothingIsFinished) {
  build_of_stranger([&](FakeContainer&) { has_forged_ = true; });
  fs::remove_all(bench_.state_folder.path() / "running");
  // The driver made a checkpoint before it died; the checkpoint's labels say what it is worth.
  const std::string container = bench_.engine.container_names().at(0);
  bench_.engine.add_image("checkpoint:1", {.labels = {{std::string(kCheckpointLabel), container}}});
  LeftWork left = bench_.left();
  ASSERT_THAT(left.snapshots, testing::SizeIs(1));
  EXPECT_FALSE(left.snapshots[0].clean);
  BuildBench::Run run;
  Snapshot image = adopted(run);
  EXPECT_FALSE(image.clean);
  EXPECT_FALSE(image.complete);
  EXPECT_EQ(image.manifest, "");
  EXPECT_THAT(image.packages, Contains(testing::Key("zlib")));
  for (const auto& [name, package] : image.packages) EXPECT_EQ(package.fingerprint, "") << name;
  EXPECT_THAT(run.notes, Contains(HasSubstr("of which none counts as finished")));
  EXPECT_TRUE(run.result.all_well());
  EXPECT_TRUE(bench_.engine.find_image("checkpoint:1")) << "it is worth more than what was adopted";
}

TEST_F(Adoption, UnknownSourcesMeanUnfinishedWithANote) {
  build_of_stranger([&](FakeContainer& container) {
    container.files[std::string(kManifestPath)] = {.content = "other sources\n"};
    has_forged_ = true;
  });
  fs::remove_all(bench_.state_folder.path() / "manifests");
  BuildBench::Run run;
  Snapshot image = adopted(run);
  EXPECT_FALSE(image.clean);
  EXPECT_EQ(image.packages.at("zlib").fingerprint, "");
  EXPECT_THAT(run.notes, Contains(HasSubstr("of which none counts as finished")));
}

// A container that could not be saved for a month still exists, and so does its file in the state folder.
TEST_F(Adoption, RecordsOfMissingContainersExpireAfterAMonth) {
  const fs::path folder = bench_.state_folder.path() / "running";
  for (const char* name : {"stagemake-a-1", "stagemake-a-2", "stagemake-b-1"}) {
    bench_.state.keep_running(name, "text");
    if (std::string(name) != "stagemake-b-1")
      fs::last_write_time(folder / name, std::time(nullptr) - 31 * 86400);
  }
  bench_.state.forget_containers("stagemake-", {"stagemake-a-1"});
  EXPECT_TRUE(bench_.state.running("stagemake-a-1"));
  EXPECT_FALSE(bench_.state.running("stagemake-a-2"));
  EXPECT_TRUE(bench_.state.running("stagemake-b-1"));
}

TEST_F(Adoption, AnotherContainersFileIsNotBelieved) {
  build_of_stranger([&](FakeContainer&) { has_forged_ = true; });
  std::string name = bench_.engine.container_names().at(0);
  Snapshot made_for = from_labels(bench_.engine.container(name).labels).value();
  bench_.state.keep_running(name, running_text(name, "another-token", {.lineage = made_for.lineage}));
  BuildBench::Run run;
  EXPECT_FALSE(adopted(run).clean);
}

TEST_F(Adoption, WithItTheWorkIsWorthWhatItWas) {
  build_of_stranger([&](FakeContainer&) { has_forged_ = true; });
  EXPECT_EQ(files_kept(), 1u);
  BuildBench::Run run;
  Snapshot image = adopted(run);
  EXPECT_TRUE(image.clean);
  EXPECT_NE(image.packages.at("zlib").fingerprint, "");
  EXPECT_NE(image.manifest, "");
  EXPECT_THAT(run.scripts, Not(Contains(HasSubstr(" zlib"))));
  EXPECT_EQ(files_kept(), 0u) << "what is written of containers goes with them";
}

}  // namespace
}  // namespace stagemake
