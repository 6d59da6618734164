// What a person reads: the help, and typical messages, compared with files as a whole.
#include "cli/golden.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <ctime>
#include <nlohmann/json.hpp>

#include "base/variables.h"
#include "plan/planned_tree.h"
#include "report/terminal/plain_reporter.h"
#include "run/build_bench.h"

namespace stagemake {
namespace {

using Words = std::vector<std::string>;
constexpr const char* kName = "debian-bookworm-minimal";

// Calls that need no engine, or one that has no images.
class GoldenCommands : public testing::Test {
 protected:
  GoldenCommands() {
    for (const char* name : {"HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "DOCKER_CONFIG"})
      variables_.set(name, (work_.path() / name).string());
    for (const char* name : {"STAGEMAKE_STATE", "STAGEMAKE_ENGINE", "DOCKER_TAG", "DOCKER_TARGETS",
                             "DOCKER_PUSH_REPOSITORY", "MAKEFLAGS", "REGISTRY_AUTH_FILE", "CI"})
      variables_.set(name, "");
    for (const char* name : {"STAGEMAKE_DOCKER", "STAGEMAKE_PODMAN", "STAGEMAKE_BUILDAH"})
      variables_.set(name, "/not/there");
    variables_.set("NO_COLOR", "1");
    variables_.set("COLUMNS", "100");
    tree_.file("ci-docker.toml", fmt::format("environments = [\"{}\"]\n", kName));
  }

  Words common() const {
    return {"--tree", tree_.path().string(), "--state", (work_.path() / "state").string()};
  }
  void hide_paths(test::Golden& golden) const {
    golden.replace(fs::canonical(tree_.path()).string(), "TREE");
    golden.replace(tree_.path().string(), "TREE");
    golden.replace(fs::canonical(work_.path()).string(), "WORK");
    golden.replace(work_.path().string(), "WORK");
  }
  // A program named docker that lists these images and inspects them, and does nothing else.
  void write_docker(const std::vector<ImageInfo>& images) {
    fs::path docker = work_.path() / "docker", folder = work_.path() / "images";
    fs::remove_all(folder);
    fs::create_directory(folder);
    std::string ids;
    for (const ImageInfo& image : images) {
      std::string text = nlohmann::json({{"Id", image.id},
                                         {"RepoTags", image.names},
                                         {"Created", "2020-01-01T00:00:00Z"},
                                         {"Size", 1000},
                                         {"Config", {{"Labels", image.labels}}},
                                         {"RootFS", {{"Layers", image.layer_ids}}}})
                             .dump();
      if (image.labels.contains("org.stagemake.schema")) ids += image.id + "\n";
      Words names = image.names;
      names.push_back(image.id);
      for (std::string name : names) {
        std::replace(name.begin(), name.end(), '/', '_');
        write_file(folder / name, text);
      }
    }
    write_file(work_.path() / "ids", ids);
    write_file(docker,
               fmt::format("#!/bin/sh\n"
                           "case $1 in\n"
                           "  version) echo '{{\"Server\": {{\"Version\": \"1\"}}}}' ;;\n"
                           "  images) cat {0}/ids ;;\n"
                           "  ps) ;;\n"
                           "  info) case $3 in *Root*) echo / ;; *) echo overlay2 ;; esac ;;\n"
                           "  image) shift 2; all=\n"
                           "    for name; do\n"
                           "      file={0}/images/$(echo $name | tr / _)\n"
                           "      [ -e $file ] || {{ echo \"Error: No such image: $name\" >&2; exit 1; }}\n"
                           "      all=$all,$(cat $file)\n"
                           "    done\n"
                           "    printf '[%s]\\n' \"${{all#,}}\" ;;\n"
                           "  *) echo 'manifest unknown' >&2; exit 1 ;;\n"
                           "esac\n",
                           work_.path().string()));
    ::chmod(docker.c_str(), 0755);
    variables_.set("STAGEMAKE_DOCKER", docker.string());
  }

  TreeText tree_{kSmallDistribution};
  TemporaryFolder work_{fs::temp_directory_path()};
  test::Variables variables_{};
};

TEST_F(GoldenCommands, Help) {
  test::Golden help("help"), build("help-build");
  help.call({"--help"});
  build.call({"build", "--help"});
  help.compare();
  build.compare();
}

// Images of earlier versions are found by their keys. If this file changes, every user's images are built again:
// the commit says why.
TEST_F(GoldenCommands, KeysOfRealTrees) {
  test::Golden golden("keys");
  for (const char* name : {"sage-9.8.rc0", "passagemath-2026-08"}) {
    fs::path tree = test::corpus(name);
    if (!fs::exists(tree)) {
      const char* must = std::getenv("STAGEMAKE_SHARED_MUST_EXIST");
      if (must != nullptr && std::string_view(must) == "1") FAIL() << "no corpus in " << tree;
      GTEST_SKIP() << "no corpus in " << tree;
    }
    for (const char* environment : {kName, "fedora-38-standard", "archlinux-latest-maximal"}) {
      test::Called plan = test::call_stagemake({"plan", environment, "--json", "--tree", tree.string()});
      ASSERT_EQ(plan.status, 0) << plan.errors;
      std::string keys;
      nlohmann::json answer = nlohmann::json::parse(plan.output);
      for (const auto& stage : answer["stages"])
        keys += fmt::format("{} {}\n", std::string(stage["name"]), std::string(stage["key"]));
      golden.add(fmt::format("{} {}", name, environment), keys);
    }
  }
  golden.compare();
}

TEST_F(GoldenCommands, UnknownNames) {
  test::Golden golden("names");
  hide_paths(golden);
  for (const Words& words : std::vector<Words>{{"bild", kName},
                                               {"build", "--to", kName},
                                               {"build", "--deadline", "soon", kName},
                                               {"build", "--at-least", "3", kName},
                                               {"build", "--set", "NUMPROC", kName},
                                               {"plan", "debain-*"},
                                               {"plan", "debian-bookworm-minimall"},
                                               {"build", "--systems", "debain"},
                                               {"plan", kName, "--to", "configurd"},
                                               {"build", "--exclude", "debian", kName},
                                               {"packages", "zlip"},
                                               {"list", ":nothing:"},
                                               {"why", "zlip"},
                                               {"graph", "--stage", "configurd"},
                                               {"graph", "--package", "zlip"},
                                               {"system-packages", "debain"},
                                               {"dockerfile", kName, "--to", "nowhere"},
                                               {"diff", "HEAD"}})
    golden.call(words, {"--tree", tree_.path().string()});
  for (const Words& words : std::vector<Words>{
           {"report"}, {"logs", kName}, {"status"}, {"jobs", "3"}, {"report", "--run", "none"}})
    golden.call(words, common());
  golden.compare();
}

TEST_F(GoldenCommands, FaultsOfTheTree) {
  test::Golden golden("tree");
  hide_paths(golden);
  Words in_tree = {"--tree", tree_.path().string()};
  for (std::string_view toml : {"colour = 1\n", "[[stage]\n", "[[stage]]\nname = \"a\"\nadds = 3\n",
                                "[[stage]]\nname = \"a\"\nparent = \"b\"\nrecipe = \"make\"\n",
                                "[[stage]]\nname = \"a\"\nrecipe = \"%{nothing}\"\n"}) {
    tree_.file("ci-docker.toml", toml);
    golden.call({"stages"}, in_tree);
  }
  tree_.file("ci-docker.toml", fmt::format("environments = [\"{}\"]\n", kName));
  tree_.file("tox.ini",
             "[tox]\nenvlist = docker-debian-{bookworm,trixie}-minimal\n[testenv]\nsetenv =\n"
             "    docker: SYSTEM=debian\n    minimal: SAGE_PACKAGE_LIST_ARGS=_prereq\n"
             "    bookworm: FULL_BASE_IMAGE_AND_TAG=debian:books\n"
             "    trixie: FULL_BASE_IMAGE_AND_TAG debian:trixie\n");
  golden.call({"plan", "debian-trixie-minimal"}, in_tree);
  golden.call({"plan", "debian-bokworm-minimal"}, in_tree);
  golden.call({"plan", "docker-debian-bookworm-maximum"}, in_tree);
  tree_.remove("tox.ini");
  tree_.file("build/pkgs/extra/type", "nonsense\n").file("build/pkgs/extra/dependencies", "tol $(TOL)\n");
  golden.call_for_errors({"plan", kName}, in_tree);
  golden.call({"packages", "extra"}, in_tree);
  golden.call({"plan", kName, "--targets", "extra"}, in_tree);
  tree_.file("build/pkgs/extra/type", "optional\n").file("build/pkgs/extra/dependencies", "zlib\n");
  tree_.file("build/pkgs/tool/dependencies", "app\n");
  golden.call_for_errors({"plan", kName}, in_tree);
  golden.call({"stages"}, {"--tree", work_.path().string()});
  golden.call({"stages"}, {"--tree", (work_.path() / "gone").string()});
  golden.compare();
}

TEST_F(GoldenCommands, Engines) {
  test::Golden golden("engines");
  hide_paths(golden);
  golden.hide_times();
  golden.call({"explain", kName, "--engine", "docker"}, common());
  golden.call({"doctor"});
  write_docker({});
  golden.call({"explain", kName, "--engine", "docker", "--to", "bootstrapped"}, common());
  golden.call({"explain", kName, "--engine", "docker", "--restore", "nothing:1"}, common());
  golden.call({"build", kName, "--engine", "docker"}, common());
  // Another folder: a failure of the run before would count as known.
  golden.call({"build", kName, "--engine", "docker", "--deadline", "1h", "--slots", "off"},
              {"--tree", tree_.path().string(), "--state", (work_.path() / "fresh").string()});
  golden.call(
      {"simulate", kName, "--engine", "docker", "--deadline", "1min", "--memory", "8G", "--slots", "2"},
      common());
  golden.call({"repro", kName, "nowhere", "--engine", "docker"}, common());
  golden.call({"snapshots", "--engine", "docker"}, common());
  golden.call({"clean", kName, "--engine", "docker"}, common());
  golden.call({"gc", "--engine", "docker", "--max-size", "1G", "--dry-run"}, common());
  golden.call({"shell", kName, "--engine", "docker"}, common());
  golden.compare();
}

// Images of a real build, in an engine that only lists them; then the tree or the options change.
TEST_F(GoldenCommands, ImagesThatAreAndAreNotUsed) {
  BuildBench bench(kSmallDistribution);
  bench.tree.file("ci-docker.toml", fmt::format("environments = [\"{}\"]\n", kName));
  bench.build();
  std::string id_of_base = bench.id_of("debian:bookworm");
  auto list = [&] {
    std::vector<ImageInfo> images;
    for (ImageInfo& image : bench.engine.list_images("", "")) images.push_back(std::move(image));
    write_docker(images);
  };
  auto relabel = [&](const char* stage, const std::string& label, const std::string& value) {
    FakeImage copy = bench.engine.image(image_of_stage(stage));
    copy.labels["org.stagemake." + label] = value;
    bench.engine.remove_image(image_of_stage(stage));
    bench.engine.add_image(image_of_stage(stage), copy);
    list();
  };
  test::Golden golden("images");
  hide_paths(golden);
  golden.replace(fs::canonical(bench.tree.path()).string(), "TREE");
  golden.hide_times();
  Words there = {"--tree",   bench.tree.path().string(),
                 "--state",  (work_.path() / "state").string(),
                 "--engine", "docker"};
  list();
  golden.call({"explain", kName}, there);
  golden.call({"explain", kName, "--fresh", "--to", "bootstrapped"}, there);
  golden.call({"explain", kName, "--clean-only"}, there);
  golden.call({"explain", kName, "--base-image", "debian:other"}, there);
  golden.call({"explain", kName, "--set", "EXTRA_CONFIGURE_ARGS=--enable-x"}, there);
  golden.call({"explain", kName, "--restore", image_of_stage("configured")}, there);
  bench.tree.file("build/pkgs/zlib/package-version.txt", "1.3\n");
  golden.call({"explain", kName}, there);
  bench.tree.file("build/pkgs/app/spkg-install.in", "make all install\n");
  golden.call({"explain", kName}, there);
  golden.call({"build", kName, "--dry-run", "--clean-only", "--strict"}, there);
  relabel("with-targets", "cpu", "a_future_feature");
  relabel("with-targets-pre", "base-digest", "sha256:" + std::string(64, '1'));
  relabel("configured", "clean", "false");
  relabel("bootstrapped", "complete", "false");
  golden.call({"explain", kName}, there);
  golden.call({"explain", kName, "--clean-only"}, there);
  relabel("with-targets", "key", "other");
  golden.call({"snapshots"}, there);
  golden.call({"gc", "--keep", "1", "--dry-run"}, there);
  golden.compare();
}

// A build whose stages fail, and what the next one says of the rest.
TEST_F(GoldenCommands, LinesOfABuild) {
  BuildBench bench(kSmallDistribution);
  test::Golden golden("build");
  golden.replace(fs::canonical(bench.tree.path()).string(), "TREE");
  golden.replace(bench.state_folder.path().string(), "STATE");
  golden.hide_times();
  auto build = [&](std::string_view heading) {
    std::string text;
    std::mutex mutex;
    PlainReporter plain({.print =
                             [&](std::string_view lines) {
                               std::lock_guard lock(mutex);
                               text += lines;
                             },
                         .heartbeat = std::chrono::milliseconds(0),
                         .shell_command = [](const std::string&,
                                             const std::string& stage) { return "docker run … " + stage; }});
    bench.also_reports = &plain;
    BuildBench::Run run = bench.build();
    bench.also_reports = nullptr;
    for (const std::string& image : run.passed_over) text += image + "\n";
    golden.add(heading, text);
  };
  bench.leaves_nothing = {"bootstrap"};
  build("a stage succeeds and leaves nothing");
  bench.leaves_nothing.clear();
  build("the same again, mended");
  build("nothing to do");
  bench.tree.file("build/pkgs/zlib/package-version.txt", "1.3\n");
  bench.failing = {"app"};
  bench.says = {{"app", "app.c:3: error: expected ';'\n"}};
  build("a package fails");
  bench.failing.clear();
  build("the same again, mended");
  FakeImage foreign = bench.engine.image(image_of_stage("with-targets"));
  foreign.labels["org.stagemake.other"] = std::string(270'000, '1');
  bench.engine.add_image("strange:1", foreign);
  build("a foreign image with a label that is too long");
  golden.compare();
}

}  // namespace
}  // namespace stagemake
