// Several reporters as one. No member can harm the others or the run: see isolated_reporter.h.
#pragma once

#include <fmt/format.h>

#include <deque>
#include <vector>

#include "base/text/text.h"
#include "report/events/isolated_reporter.h"

namespace stagemake {

class ReporterGroup : public Reporter {
 public:
  // They must outlive the group; none may be null.
  explicit ReporterGroup(const std::vector<Reporter*>& members) {
    for (Reporter* one : members) members_.emplace_back(*one);
  }

  // What members failed to report, one line per member.
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
  void changed(const std::vector<EnvironmentStatus>& all, StageAddress at) override {
    for (IsolatedReporter& one : members_) one.changed(all, at);
  }
  void package(StageAddress at, const PackageStatus& package) override {
    for (IsolatedReporter& one : members_) one.package(at, package);
  }
  void printed(StageAddress at, std::string_view piece) override {
    for (IsolatedReporter& one : members_) one.printed(at, piece);
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
  void expected(StageAddress at, const StageExpectation& expectation) override {
    for (IsolatedReporter& one : members_) one.expected(at, expectation);
  }
  void ends(const std::vector<EnvironmentStatus>& all, const RunSeconds& seconds) override {
    for (IsolatedReporter& one : members_) one.ends(all, seconds);
  }

 private:
  std::deque<IsolatedReporter> members_;
};

}  // namespace stagemake
