// Several reporters as one.
#pragma once

#include <vector>

#include "report/event.h"

namespace stagemake {

class ReporterGroup : public Reporter {
 public:
  // They must outlive it; none may be null.
  explicit ReporterGroup(std::vector<Reporter*> members) : members_(std::move(members)) {}

  void begins(const std::vector<EnvironmentStatus>& all) override {
    for (Reporter* one : members_) one->begins(all);
  }
  void changed(const std::vector<EnvironmentStatus>& all, std::size_t environment,
               std::size_t stage) override {
    for (Reporter* one : members_) one->changed(all, environment, stage);
  }
  void package(std::size_t environment, std::size_t stage, const PackageStatus& package) override {
    for (Reporter* one : members_) one->package(environment, stage, package);
  }
  void printed(const std::string& environment, const std::string& stage, std::string_view piece) override {
    for (Reporter* one : members_) one->printed(environment, stage, piece);
  }
  void sampled(const MachineSample& sample) override {
    for (Reporter* one : members_) one->sampled(sample);
  }
  void expects(const std::string& text, double seconds) override {
    for (Reporter* one : members_) one->expects(text, seconds);
  }
  void note(const std::string& text) override {
    for (Reporter* one : members_) one->note(text);
  }
  void ends(const std::vector<EnvironmentStatus>& all, double seconds) override {
    for (Reporter* one : members_) one->ends(all, seconds);
  }

 private:
  std::vector<Reporter*> members_;
};

}  // namespace stagemake
