// A reporter that cannot harm the run: any exception of the wrapped reporter, of any type, is caught and
// counted here.
#pragma once

#include <mutex>
#include <string>

#include "report/events/event.h"

namespace stagemake {

class IsolatedReporter : public Reporter {
 public:
  // `reporter` must outlive it.
  explicit IsolatedReporter(Reporter& reporter) : reporter_(reporter) {}

  void begins(const std::vector<EnvironmentStatus>& all) override;
  void changed(const std::vector<EnvironmentStatus>& all, StageAddress at) override;
  void package(StageAddress at, const PackageStatus& package) override;
  void printed(StageAddress at, std::string_view piece) override;
  void sampled(const MachineSample& sample) override;
  void expects(const std::string& text, double seconds) override;
  void note(const std::string& text) override;
  void expected(StageAddress at, const StageExpectation& expectation) override;
  void ends(const std::vector<EnvironmentStatus>& all, const RunSeconds& seconds) override;

  // The number of failed calls of the wrapped reporter, and the error of the first; empty if there was none.
  std::size_t lost() const;
  std::string why() const;

 private:
  template <typename Call>
  void attempt(const Call& call) noexcept;

  Reporter& reporter_;
  mutable std::mutex mutex_;
  std::size_t lost_ = 0;
  std::string why_;
};

}  // namespace stagemake
