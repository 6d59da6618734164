#include "report/isolated_reporter.h"

#include "base/caught_error.h"

namespace stagemake {

template <typename Call>
void IsolatedReporter::attempt(const Call& call) noexcept {
  try {
    call();
  } catch (...) {
    std::lock_guard lock(mutex_);
    if (lost_++ > 0) return;
    try {
      why_ = caught_text();
    } catch (...) {  // no memory for words: the count says enough
    }
  }
}

void IsolatedReporter::begins(const std::vector<EnvironmentStatus>& all) {
  attempt([&] { reporter_.begins(all); });
}

void IsolatedReporter::changed(const std::vector<EnvironmentStatus>& all, std::size_t environment,
                               std::size_t stage) {
  attempt([&] { reporter_.changed(all, environment, stage); });
}

void IsolatedReporter::package(std::size_t environment, std::size_t stage, const PackageStatus& package) {
  attempt([&] { reporter_.package(environment, stage, package); });
}

void IsolatedReporter::printed(const std::string& environment, const std::string& stage,
                               std::string_view piece) {
  attempt([&] { reporter_.printed(environment, stage, piece); });
}

void IsolatedReporter::sampled(const MachineSample& sample) {
  attempt([&] { reporter_.sampled(sample); });
}

void IsolatedReporter::expects(const std::string& text, double seconds) {
  attempt([&] { reporter_.expects(text, seconds); });
}

void IsolatedReporter::note(const std::string& text) {
  attempt([&] { reporter_.note(text); });
}

void IsolatedReporter::expected(std::size_t environment, std::size_t stage,
                                const StageExpectation& expectation) {
  attempt([&] { reporter_.expected(environment, stage, expectation); });
}

void IsolatedReporter::ends(const std::vector<EnvironmentStatus>& all, const RunSeconds& seconds) {
  attempt([&] { reporter_.ends(all, seconds); });
}

std::size_t IsolatedReporter::lost() const {
  std::lock_guard lock(mutex_);
  return lost_;
}

std::string IsolatedReporter::why() const {
  std::lock_guard lock(mutex_);
  return why_;
}

}  // namespace stagemake
