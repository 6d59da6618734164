// One suite that every engine passes: the rules of container_engine.h, one by one.
//
// Runs on the fake, on a docker daemon of its own and on buildah with a storage of its own. A test that an engine
// cannot take part in is skipped and says why; STAGEMAKE_DOCKER_MUST_WORK=1 and STAGEMAKE_BUILDAH_MUST_WORK=1 turn the
// skip of a whole engine into a failure.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/tarball.h"
#include "base/text.h"
#include "engine_bench.h"

namespace stagemake::test {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr auto kGrace = 10s;
constexpr auto kShortGrace = 300ms;

std::string unique(const std::string& word) {
  static std::atomic<unsigned> number = 0;
  return fmt::format("{}-{}", word, ++number);
}

struct Ran {
  RunOutcome outcome;
  std::string output;
};

class Conformance : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    std::string why;
    bench_ = bench(GetParam(), why);
    if (bench_ != nullptr) return;
    if (must_work(GetParam())) FAIL() << GetParam() << ": " << why;
    GTEST_SKIP() << GetParam() << ": " << why;
  }
  void TearDown() override {
    if (bench_ == nullptr) return;
    for (const std::string& container : containers_) engine().remove_container(container);
  }

  ContainerEngine& engine() { return bench_->engine(); }

  std::string create(const std::string& image = kBase, const Labels& labels = {}) {
    std::string name = unique("c");
    containers_.push_back(name);
    engine().create({name, image, labels});
    return name;
  }
  Ran run(const std::string& container, const std::string& script, std::stop_token stop = {},
          std::chrono::milliseconds grace = kGrace) {
    Ran ran;
    ran.outcome = engine().run(
        container, script, [&](std::string_view piece) { ran.output += piece; }, stop, grace);
    return ran;
  }
  // Runs, and asks to stop as soon as the script has said "ready".
  Ran run_and_stop(const std::string& container, const std::string& script, std::chrono::milliseconds grace) {
    std::stop_source stop;
    Ran ran;
    ran.outcome = engine().run(
        container, script,
        [&](std::string_view piece) {
          ran.output += piece;
          if (ran.output.find("ready") != std::string::npos) stop.request_stop();
        },
        stop.get_token(), grace);
    return ran;
  }
  std::string commit(const std::string& container, const Labels& labels = {}, bool squash = false) {
    std::string name = unique("image") + ":1";
    engine().commit(container, {.names = {name}, .labels = labels, .working_folder = "", .squash = squash});
    return name;
  }
  // The content of a file in an image; "absent" where there is none.
  std::string content(const std::string& image, const std::string& path) {
    return content_in(create(image), path);
  }
  std::string content_in(const std::string& container, const std::string& path) {
    std::optional<std::string> tar = engine().copy_out(container, path);
    if (!tar) return "absent";
    std::vector<TarEntry> entries = read_tar(*tar);
    return entries.empty() ? "empty" : entries[0].content;
  }
  fs::path write_tar(const std::function<void(TarWriter&)>& fill) {
    fs::path file = scratch() / (unique("add") + ".tar");
    TarWriter writer(file);
    fill(writer);
    writer.close();
    return file;
  }

  EngineBench* bench_ = nullptr;
  std::vector<std::string> containers_;
};

INSTANTIATE_TEST_SUITE_P(Engines, Conformance, ::testing::Values("fake", "docker", "buildah"),
                         [](const auto& tested) { return tested.param; });

// --- what is not there

TEST_P(Conformance, AbsentImagesAndContainersAreAnswers) {
  EXPECT_EQ(engine().find_image("not-there:1"), std::nullopt);
  EXPECT_EQ(engine().find_image("sha256:" + std::string(64, '0')), std::nullopt);
  EXPECT_THAT(engine().list_images("not.there", ""), IsEmpty());
  EXPECT_THAT(engine().list_containers("not.there", "x"), IsEmpty());
  EXPECT_TRUE(engine().remove_image("not-there:1"));
  engine().remove_container("not-there");
}

TEST_P(Conformance, WorkOnWhatIsAbsentIsAnEngineError) {
  EXPECT_THROW(engine().create({unique("c"), "not-there:1", {}}), EngineError);
  EXPECT_THROW(engine().run("not-there", "true", {}, {}, kGrace), EngineError);
  EXPECT_THROW(engine().commit("not-there", {}), EngineError);
  EXPECT_THROW(engine().copy_out("not-there", "/bin"), EngineError);
  EXPECT_THROW(engine().copy_in("not-there", base_tar()), EngineError);
  EXPECT_THROW(engine().tag("not-there:1", "other:1"), EngineError);
  std::string container = create();
  EXPECT_THROW(engine().create({container, kBase, {}}), EngineError) << "a name is used once";
}

TEST_P(Conformance, ARegistryThatDoesNotAnswerIsAnAnswer) {
  std::string why;
  EXPECT_FALSE(engine().pull("127.0.0.1:9/nothing/there:1", why));
  EXPECT_THAT(why, Not(IsEmpty()));
  if (GetParam() == "fake") return;  // every push to it succeeds
  why.clear();
  engine().tag(kBase, "127.0.0.1:9/nothing/there:1");
  EXPECT_FALSE(engine().push("127.0.0.1:9/nothing/there:1", why));
  EXPECT_THAT(why, Not(IsEmpty()));
  EXPECT_TRUE(engine().remove_image("127.0.0.1:9/nothing/there:1"));
}

// --- labels

const Labels& odd_labels() {
  static const Labels labels{{"t.quotes", R"(a "b" 'c' `d`)"},
                             {"t.dollar", "$HOME ${HOME} $(id) \\$x \\\\ \\"},
                             {"t.lines", "one\ntwo\n\tthree\r\n"},
                             {"t.utf8", "größer · 数学 · 🧮"},
                             {"t.json", R"({"a":["b",1,null],"c":"d=e, f"})"},
                             {"t.blank", "  x  "},
                             {"t.empty", ""},
                             {"t.hash", "# not a comment"},
                             {"t.long", std::string(10'000, 'x') + "\"'$\\"}};
  return labels;
}

void expect_labels(const Labels& have, const Labels& want) {
  for (const auto& [key, value] : want) {
    ASSERT_TRUE(have.contains(key)) << key;
    EXPECT_EQ(have.at(key), value) << key;
  }
}

TEST_P(Conformance, LabelsOfAContainerComeBackExactly) {
  std::string container = create(kBase, odd_labels());
  for (const auto& [key, value] : odd_labels()) {
    if (value.empty()) continue;
    std::vector<ContainerInfo> found = engine().list_containers(key, value);
    ASSERT_THAT(found, SizeIs(1)) << key;
    EXPECT_EQ(found[0].name, container);
    EXPECT_FALSE(found[0].running);
    expect_labels(found[0].labels, odd_labels());
  }
  std::string image = commit(container);
  expect_labels(engine().find_image(image)->labels, odd_labels());
}

TEST_P(Conformance, LabelsOfACommitComeBackExactly) {
  std::string container = create(kBase, {{"t.state", "container's"}, {"t.kept", "yes"}});
  Labels labels = odd_labels();
  labels["t.state"] = "commit's";
  for (bool squash : {false, true}) {
    std::string image = commit(container, labels, squash);
    std::optional<ImageInfo> info = engine().find_image(image);
    ASSERT_TRUE(info);
    expect_labels(info->labels, labels);
    EXPECT_EQ(info->labels["t.kept"], "yes");
  }
}

TEST_P(Conformance, LabelsOfACommitAreNotThoseOfTheNext) {
  std::string container = create(kBase, {{"t.complete", "begun"}});
  commit(container, {{"t.complete", "false"}, {"t.reason", "timed out"}});
  std::optional<ImageInfo> second = engine().find_image(commit(container));
  EXPECT_EQ(second->labels["t.complete"], "begun");
  EXPECT_FALSE(second->labels.contains("t.reason"));
}

TEST_P(Conformance, ImagesAreFoundByLabel) {
  std::string key = unique("t.key");
  std::string container = create(kBase, {{key, "a"}});
  std::string first = commit(container);
  std::string second = commit(container, {{key, "b"}});
  std::string nameless = engine().commit(container, {.names = {}, .labels = {{key, "b"}, {"t.more", "x\ny"}}});
  auto names = [&](const std::string& value) {
    std::vector<std::string> all;
    for (const ImageInfo& info : engine().list_images(key, value))
      all.push_back(info.names.empty() ? "none" : info.names[0]);
    return all;
  };
  EXPECT_THAT(names("a"), ElementsAre(first));
  EXPECT_THAT(names("b"), UnorderedElementsAre(second, "none"));
  EXPECT_THAT(names(""), UnorderedElementsAre(first, second, "none"));
  EXPECT_THAT(names("c"), IsEmpty());
  // Also when another image stands on it.
  engine().create({container + "-child", nameless, {}});
  containers_.push_back(container + "-child");
  run(container + "-child", "echo x >/x");
  engine().commit(container + "-child", {.names = {unique("image") + ":1"}, .labels = {{key, "child"}}});
  EXPECT_THAT(names("b"), UnorderedElementsAre(second, "none"));
}

TEST_P(Conformance, AnImageSaysWhatItIs) {
  std::string container = create();
  run(container, "echo text >/new");
  std::string image = commit(container);
  std::optional<ImageInfo> base = engine().find_image(kBase);
  std::optional<ImageInfo> info = engine().find_image(image);
  ASSERT_TRUE(base && info);
  EXPECT_THAT(info->names, ElementsAre(image));
  EXPECT_EQ(info->layers, base->layers + 1);
  EXPECT_GT(info->size, 1'000'000u);
  EXPECT_EQ(info->digest, "");
  EXPECT_GE(info->created, base->created);
  if (GetParam() != "fake") EXPECT_NEAR(static_cast<double>(info->created), static_cast<double>(::time(nullptr)), 60);
  std::optional<ImageInfo> by_id = engine().find_image(info->id);
  ASSERT_TRUE(by_id);
  EXPECT_EQ(by_id->id, info->id);
  EXPECT_EQ(by_id->names, info->names);
}

// --- runs

TEST_P(Conformance, ExitCodesAreTheScripts) {
  std::string container = create();
  for (int code : {0, 1, 3, 125, 126, 127, 137, 143, 255}) {
    Ran ran = run(container, fmt::format("echo before; exit {}", code));
    EXPECT_EQ(ran.outcome.exit_code, code);
    EXPECT_EQ(ran.outcome.ok(), code == 0);
    EXPECT_FALSE(ran.outcome.stopped);
    EXPECT_EQ(ran.output, "before\n");
  }
  EXPECT_EQ(run(container, "no-such-program 2>/dev/null").outcome.exit_code, 127);
  EXPECT_NE(run(container, "if then").outcome.exit_code, 0) << "a syntax error";
  EXPECT_NE(run(container, "set -e; false; exit 0").outcome.exit_code, 0);
}

TEST_P(Conformance, AContainerRunsOftenAndKeepsItsFiles) {
  std::string container = create();
  EXPECT_TRUE(run(container, "echo one >/work").outcome.ok());
  EXPECT_TRUE(run(container, "echo two >>/work").outcome.ok());
  EXPECT_EQ(run(container, "cat /work").output, "one\ntwo\n");
}

TEST_P(Conformance, ScriptsAreTakenLiterally) {
  std::string container = create();
  EXPECT_EQ(run(container, R"(x='it'"'"'s'; printf '%s|' "$x" "\$HOME" 'a  b')").output, "it's|$HOME|a  b|");
  EXPECT_EQ(run(container, "cat; echo end").output, "end\n") << "standard input is empty";
  EXPECT_EQ(run(container, "cat <<'X'\n$here\nX\n").output, "$here\n");
  EXPECT_EQ(run(container, "echo a; echo b >&2; echo c").output, "a\nb\nc\n") << "one stream, in order";
  if (GetParam() == "fake") return;  // its script is an argument
  std::string longer = ": " + std::string(300'000, 'x') + "\necho end";
  EXPECT_EQ(run(container, longer).output, "end\n") << "longer than an argument may be";
}

TEST_P(Conformance, AMegabyteInOneLineSurvives) {
  Ran ran = run(create(), "head -c 1000000 /dev/zero | tr '\\000' x; echo; echo end");
  EXPECT_EQ(ran.output.size(), 1'000'005u);
  EXPECT_EQ(ran.output.find_first_not_of('x'), 1'000'000u);
  EXPECT_THAT(ran.output.substr(1'000'000), "\nend\n");
}

TEST_P(Conformance, AFailedRunCanBeCommitted) {
  std::string container = create();
  EXPECT_EQ(run(container, "mkdir -p /work/deep; echo half >/work/deep/file; exit 3").outcome.exit_code, 3);
  std::string image = commit(container, {{"t.complete", "false"}});
  EXPECT_EQ(content(image, "/work/deep/file"), "half\n");
  EXPECT_EQ(engine().find_image(image)->labels["t.complete"], "false");
}

TEST_P(Conformance, FourContainersRunAtOnce) {
  std::vector<std::string> names;
  for (int i = 0; i < 4; ++i) names.push_back(create());
  std::vector<Ran> ran(4);
  auto begin = std::chrono::steady_clock::now();
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&, i] {
        ran[i] = run(names[i], fmt::format("echo {0} >/mine; sleep 1; cat /mine; exit {0}", i));
        commit(names[i]);
      });
  }
  auto took = std::chrono::steady_clock::now() - begin;
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(ran[i].output, fmt::format("{}\n", i));
    EXPECT_EQ(ran[i].outcome.exit_code, i);
  }
  EXPECT_LT(took, 3900ms) << "one after another would be at least 4 s";
}

TEST_P(Conformance, WhatTheSinkThrowsComesOut) {
  std::string container = create();
  std::string mark = fmt::format("98{}", ::getpid() * 10 + 1);
  EXPECT_THROW(engine().run(
                   container, "echo x; sleep " + mark, [](std::string_view) { throw std::length_error("full"); }, {},
                   kGrace),
               std::length_error);
  EXPECT_THAT(processes_with(mark), IsEmpty());
}

// --- stops

TEST_P(Conformance, AStopEndsTheCommandAndTheScriptGoesOn) {
  if (!bench_->runs_processes()) GTEST_SKIP() << "the fake's shell is stopped as well";
  std::string container = create();
  Ran ran = run_and_stop(container, "echo ready; sleep 1000; code=$?; echo $code >/code; exit 9", kGrace);
  EXPECT_TRUE(ran.outcome.stopped);
  EXPECT_FALSE(ran.outcome.ok());
  EXPECT_EQ(ran.outcome.exit_code, 9);
  EXPECT_EQ(content_in(container, "/code"), "143\n");
}

TEST_P(Conformance, AStopEndsEverythingInside) {
  std::string container = create();
  // The numbers make the processes recognizable from outside.
  std::string number = fmt::format("97{}", ::getpid() * 10);
  std::string script = fmt::format(
      "setsid sleep {0}1 & (setsid env -i /bin/sleep {0}2 >/dev/null 2>&1 &) ; nohup sleep {0}3 >/dev/null 2>&1 & "
      "(trap '' TERM; sleep {0}4; sleep {0}5) & sh -c 'trap \"\" TERM; echo ready; while true; do sleep {0}6; done'; "
      "sleep {0}7",
      number);
  if (!bench_->runs_processes()) script = "echo ready; sleep " + number + "8";
  auto begin = std::chrono::steady_clock::now();
  Ran ran = run_and_stop(container, script, kShortGrace);
  EXPECT_TRUE(ran.outcome.stopped);
  EXPECT_NE(ran.outcome.exit_code, 0);
  EXPECT_THAT(processes_with(number), IsEmpty());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 15s);
  EXPECT_TRUE(run(container, "true").outcome.ok()) << "it can run again";
  EXPECT_TRUE(engine().find_image(commit(container)));
}

TEST_P(Conformance, AStopBeforeTheStartIsAStop) {
  std::stop_source stop;
  stop.request_stop();
  Ran ran = run(create(), "sleep 1000", stop.get_token(), kShortGrace);
  EXPECT_TRUE(ran.outcome.stopped);
  EXPECT_NE(ran.outcome.exit_code, 0);
}

TEST_P(Conformance, WhatAScriptLeavesInTheBackgroundEndsWithIt) {
  if (!bench_->runs_processes()) GTEST_SKIP() << "the fake runs no processes of its own";
  std::string number = fmt::format("96{}", ::getpid() * 10);
  std::string container = create();
  Ran ran = run(container, fmt::format("setsid sleep {0}1 & (env -i setsid /bin/sleep {0}2 &) ; exit 4", number));
  EXPECT_EQ(ran.outcome.exit_code, 4);
  EXPECT_FALSE(ran.outcome.stopped);
  EXPECT_THAT(processes_with(number), IsEmpty());
}

TEST_P(Conformance, ARunningContainerIsListedSoAndCanBeRemoved) {
  std::string key = unique("t.run");
  std::string number = fmt::format("95{}", ::getpid() * 10);
  std::string container = create(kBase, {{key, "1"}});
  std::atomic<bool> ready = false;
  std::jthread runs([&] {
    try {
      engine().run(
          container, "echo ready; sleep " + number + "1; sleep " + number + "2",
          [&](std::string_view) { ready = true; }, {}, kGrace);
    } catch (const EngineError&) {
      // The container went away under it: the engine's error, or the exit code of the killed shell.
    }
  });
  while (!ready) std::this_thread::sleep_for(10ms);
  std::vector<ContainerInfo> found = engine().list_containers(key, "1");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_TRUE(found[0].running);
  // By another driver, which knows the container from its labels alone.
  std::unique_ptr<ContainerEngine> other = bench_->second_engine();
  (other ? *other : engine()).remove_container(container);
  runs.join();
  EXPECT_THAT(engine().list_containers(key, ""), IsEmpty());
  EXPECT_THAT(processes_with(number), IsEmpty());
}

// --- files

TEST_P(Conformance, OddNamesModesTimesAndLinksSurvive) {
  const std::vector<std::string> names{"a b", "c\"d'e", "f\ng", "größe", "-h", "$i", "j\\k", "*", "l\tm"};
  fs::path tar = write_tar([&](TarWriter& writer) {
    writer.add_folder("odd", 0750, 1'111'111'111);
    for (const std::string& name : names) writer.add_content("odd/" + name, "content of " + name, 0640, 1'234'567'890);
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
  for (const std::string& name : names) EXPECT_EQ(content_in(container, "/odd/" + name), "content of " + name);
}

TEST_P(Conformance, CopiesInReplaceAndAddAndFollowFolders) {
  std::string container = create();
  run(container, "mkdir -p /real/sub /odd; echo old >/real/file; echo kept >/real/kept; ln -s real /link; chmod 700 /real");
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
  run(container, "mkdir -p /a/b/c; echo x >/a/b/c/file; ln -s /a/b /abs; ln -s ../a /a/rel; ln -s abs /last; ln -s / /root/up");
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

// --- images

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
  if (bench_->runs_processes())
    EXPECT_EQ(run(container, "echo $B; pwd; id -un; echo x >/tmp/x").output, "with blank and \"quote\"\n/home\nuser\n");
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
  engine().copy_in(container, write_tar([](TarWriter& writer) { writer.add_content("old", "x", 04755, 12345); }));
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
  std::string list = run(create(image), "cd /; ls -d .stagemake* tmp/* root/* home/* run/* 2>/dev/null; cat etc/passwd").output;
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

TEST_P(Conformance, CallsAreCounted) {
  std::map<std::string, unsigned> before = engine().calls();
  engine().find_image(kBase);
  engine().find_image("not-there:1");
  EXPECT_EQ(engine().calls()["find_image"], before["find_image"] + 2);
  EXPECT_EQ(engine().calls()["run"], before["run"]);
}

TEST_P(Conformance, ProbesAndNamesItself) {
  EXPECT_EQ(engine().name(), GetParam());
  EXPECT_THAT(engine().probe(), Not(IsEmpty()));
  EXPECT_THAT(engine().shell_command(kBase), ::testing::Contains(std::string(kBase)));
}

}  // namespace
}  // namespace stagemake::test
