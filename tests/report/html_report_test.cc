#include "report/html_report.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "base/files.h"
#include "report/junit.h"
#include "report/made_run.h"
#include "report/run_json.h"
#include "report/trace.h"

namespace stagemake {
namespace {

// For the eyes, and for tests/e2e/report_browser.py: STAGEMAKE_TEST_REPORTS names a folder.
TEST(HtmlReport, OfManySystemsIsWrittenWhereSomebodyWantsToLook) {
  const char* folder = std::getenv("STAGEMAKE_TEST_REPORTS");
  if (folder == nullptr) GTEST_SKIP() << "STAGEMAKE_TEST_REPORTS names no folder";
  for (std::size_t environments : {1, 54, 200}) {
    MadeRun made = made_run(environments);
    fs::path path = fs::path(folder) / std::to_string(environments);
    write_file(path.string() + ".html", html_report(made.input()));
    write_file(path.string() + ".xml", junit_report(made.input()));
    write_file(path.string() + ".json", run_json(made.input()).dump(2));
    write_file(path.string() + ".trace.json", chrome_trace(made.run));
  }
}

}  // namespace
}  // namespace stagemake
