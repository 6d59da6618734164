#include "cli/called.h"

#include <gtest/gtest.h>

#include "cli/run.h"

namespace stagemake::test {

Called call_stagemake(std::vector<std::string> words) {
  words.insert(words.begin(), "stagemake");
  std::vector<const char*> argv;
  for (const std::string& word : words) argv.push_back(word.c_str());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Called called;
  called.status = run(static_cast<int>(argv.size()), argv.data());
  called.errors = testing::internal::GetCapturedStderr();
  called.output = testing::internal::GetCapturedStdout();
  return called;
}

}  // namespace stagemake::test
