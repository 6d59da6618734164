// One suite that every engine passes: the rules of container_engine.h, one by one.
//
// It runs on the fake, on a separate docker daemon and on buildah with separate storage. A test that an
// engine cannot take part in is skipped with a reason; STAGEMAKE_DOCKER_MUST_WORK=1 and
// STAGEMAKE_BUILDAH_MUST_WORK=1 turn the skip of a whole engine into a failure. The tests are in
// conformance_*_test.cc.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/files/tarball.h"
#include "engine/engine_bench.h"

namespace stagemake::test {

inline constexpr std::chrono::milliseconds kGrace{10000};
inline constexpr std::chrono::milliseconds kShortGrace{300};

inline std::string unique(const std::string& word) {
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
    ran.outcome = engine().run(container, script, [&](std::string_view piece) { ran.output += piece; },
                               {.stop = stop, .grace = grace});
    return ran;
  }
  // Runs the script, and requests a stop after the script has printed "ready" and had a moment to start its
  // next program: a shell that has forked but not yet executed the program loses the signal.
  Ran run_and_stop(const std::string& container, const std::string& script, std::chrono::milliseconds grace) {
    std::stop_source stop;
    Ran ran;
    ran.outcome = engine().run(container, script,
                               [&](std::string_view piece) {
                                 ran.output += piece;
                                 if (ran.output.find("ready") == std::string::npos) return;
                                 std::this_thread::sleep_for(std::chrono::milliseconds(300));
                                 stop.request_stop();
                               },
                               {.stop = stop.get_token(), .grace = grace});
    return ran;
  }
  std::string commit(const std::string& container, const Labels& labels = {}, bool squash = false) {
    std::string name = unique("image") + ":1";
    engine().commit(container, {.names = {name}, .labels = labels, .working_folder = "", .squash = squash});
    return name;
  }
  // The content of a file in an image; "absent" if there is none.
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

// Labels that are hard to quote.
const Labels& odd_labels();
void expect_labels(const Labels& have, const Labels& want);

}  // namespace stagemake::test
