#include "report/events/isolated_reporter.h"

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
    } catch (...) {  // no memory for the message: the count is enough
    }
  }
}

void IsolatedReporter::begins(const std::vector<EnvironmentStatus>& all) {
  attempt([&] { reporter_.begins(all); });
}

void IsolatedReporter::changed(const std::vector<EnvironmentStatus>& all, StageAddress at) {
  attempt([&] { reporter_.changed(all, at); });
}

void IsolatedReporter::package(StageAddress at, const PackageStatus& package) {
  attempt([&] { reporter_.package(at, package); });
}

void IsolatedReporter::printed(StageAddress at, std::string_view piece) {
  attempt([&] { reporter_.printed(at, piece); });
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

void IsolatedReporter::expected(StageAddress at, const StageExpectation& expectation) {
  attempt([&] { reporter_.expected(at, expectation); });
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
