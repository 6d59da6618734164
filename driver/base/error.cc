#include "base/error.h"

#include <algorithm>

namespace stagemake {
namespace {

std::string joined(const std::vector<Fault>& faults) {
  std::string text;
  for (const Fault& fault : faults) {
    if (!text.empty()) text += '\n';
    text += fault.text();
  }
  return text;
}

}  // namespace

Error::Error(ExitStatus status, std::vector<Fault> faults)
    : std::runtime_error(joined(faults)), status_(status), faults_(std::move(faults)) {}

void Faults::throw_if_any() const {
  if (list_.empty()) return;
  std::vector<Fault> sorted = list_;
  std::stable_sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  throw Error(ExitStatus::BadInput, std::move(sorted));
}

}  // namespace stagemake
