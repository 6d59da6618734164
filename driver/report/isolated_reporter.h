// A reporter that cannot harm what it reports on: whatever the wrapped reporter throws, of whatever type,
// ends here and is counted.
#pragma once

#include <mutex>
#include <string>

#include "report/event.h"

namespace stagemake {

class IsolatedReporter : public Reporter {
 public:
  // `reporter` must outlive it.
  explicit IsolatedReporter(Reporter& reporter) : reporter_(reporter) {}

  void begins(const std::vector<EnvironmentStatus>& all) override;
  void changed(const std::vector<EnvironmentStatus>& all, std::size_t environment,
               std::size_t stage) override;
  void package(std::size_t environment, std::size_t stage, const PackageStatus& package) override;
  void printed(const std::string& environment, const std::string& stage, std::string_view piece) override;
  void sampled(const MachineSample& sample) override;
  void expects(const std::string& text, double seconds) override;
  void note(const std::string& text) override;
  void expected(std::size_t environment, std::size_t stage, const StageExpectation& expectation) override;
  void ends(const std::vector<EnvironmentStatus>& all, const RunSeconds& seconds) override;

  // Calls that the wrapped reporter did not take, and why it refused the first of them; empty where there was
  // none.
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
