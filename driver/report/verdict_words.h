// Words about groups of failures that the line reporter and CI services share. Pure; what they give is
// printable but where it says otherwise.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/run_record.h"
#include "report/verdict.h"

namespace stagemake {

inline constexpr std::string_view kFails = "fails";
inline constexpr std::string_view kTestsFail = "is built, but its tests fail";

// The environments of a group's places, each once, in the order of the run; as they are called, not
// printable.
std::vector<std::string> systems_of(const RunRecord& run, const FailureGroup& group);

// "giac fails on 7 systems since v9.8-3"; `what` is one of the words above.
std::string failure_title(const RunRecord& run, const FailureGroup& group, std::string_view what);

// Where the first place of a group can be read. Not printable.
struct LogPlace {
  std::string environment, stage;
  std::string file;      // empty where there is no log
  std::size_t line = 0;  // 0: not known
  const LogFinding* finding = nullptr;
};
LogPlace log_place(const RunRecord& run, const FailureGroup& group);

}  // namespace stagemake
