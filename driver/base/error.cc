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

// The compiler warns if an enumerator is missing here. Other numbers have empty texts.
ExitStatusText text_of(ExitStatus status) {
  switch (status) {
    case ExitStatus::Ok:
      return {0, "success", "success"};
    case ExitStatus::StageFailed:
      return {1, "a stage failed",
              "a stage failed, a push that `--push=required` asks for failed, or lines of a build's output "
              "were lost"};
    case ExitStatus::BadInput:
      return {2, "bad usage or input", "bad usage or input"};
    case ExitStatus::EngineUnusable:
      return {
          3, "no usable container engine",
          "no usable container engine, a lost engine, a base image that `stagemake doctor` cannot find, or "
          "output of another command that could not be "
          "written"};
    case ExitStatus::OutOfTime:
      return {75, "the deadline was reached and the same command continues",
              "the deadline was reached; everything is saved, and the same command continues. In a chain of "
              "CI jobs: run the next job"};
    case ExitStatus::HungUp:
      return {129, "SIGHUP", "stopped by SIGHUP, as when the terminal closes; what was built is saved"};
    case ExitStatus::Interrupted:
      return {130, "SIGINT", "stopped by SIGINT (ctrl-C); what was built is saved"};
    case ExitStatus::Terminated:
      return {143, "SIGTERM", "stopped by SIGTERM; what was built is saved"};
  }
  return {};
}

}  // namespace

std::vector<ExitStatusText> exit_statuses() {
  std::vector<ExitStatusText> all;
  for (int status = 0; status < 256; ++status)
    if (ExitStatusText text = text_of(static_cast<ExitStatus>(status)); !text.text.empty())
      all.push_back(text);
  return all;
}

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
