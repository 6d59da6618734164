// Several reporters as one. None of them can harm the others, or the run: see isolated_reporter.h.
#pragma once

#include <fmt/format.h>

#include <deque>
#include <vector>

#include "base/text.h"
#include "report/isolated_reporter.h"

namespace stagemake {

class ReporterGroup : public Reporter {
 public:
  // They must outlive it; none may be null.
  explicit ReporterGroup(const std::vector<Reporter*>& members) {
    for (Reporter* one : members) members_.emplace_back(*one);
  }

  // What members did not take, a line for each of them.
  std::vector<std::string> problems() const {
    std::vector<std::string> lines;
    for (const IsolatedReporter& one : members_)
      if (std::size_t lost = one.lost(); lost > 0)
        lines.push_back(fmt::format("{} could not be shown: {}", counted(lost, "event"), one.why()));
    return lines;
  }

  void begins(const std::vector<EnvironmentStatus>& all) override {
    for (IsolatedReporter& one : members_) one.begins(all);
  }
  void changed(const std::vector<EnvironmentStatus>& all, std::size_t environment,
               std::size_t stage) override {
    for (IsolatedReporter& one : members_) one.changed(all, environment, stage);
  }
  void package(std::size_t environment, std::size_t stage, const PackageStatus& package) override {
    for (IsolatedReporter& one : members_) one.package(environment, stage, package);
  }
  void printed(const std::string& environment, const std::string& stage, std::string_view piece) override {
    for (IsolatedReporter& one : members_) one.printed(environment, stage, piece);
  }
  void sampled(const MachineSample& sample) override {
    for (IsolatedReporter& one : members_) one.sampled(sample);
  }
  void expects(const std::string& text, double seconds) override {
    for (IsolatedReporter& one : members_) one.expects(text, seconds);
  }
  void note(const std::string& text) override {
    for (IsolatedReporter& one : members_) one.note(text);
  }
  void expected(std::size_t environment, std::size_t stage, const StageExpectation& expectation) override {
    for (IsolatedReporter& one : members_) one.expected(environment, stage, expectation);
  }
  void ends(const std::vector<EnvironmentStatus>& all, const RunSeconds& seconds) override {
    for (IsolatedReporter& one : members_) one.ends(all, seconds);
  }

 private:
  std::deque<IsolatedReporter> members_;
};

}  // namespace stagemake
