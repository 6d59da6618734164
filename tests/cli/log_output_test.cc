#include "cli/log_output.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/files/descriptor.h"
#include "base/files/files.h"

namespace stagemake {
namespace {

std::string written(LogForm form, const std::vector<std::string>& pieces) {
  std::string text;
  LogOutput output(form, [&](std::string_view piece) { text += piece; });
  for (const std::string& piece : pieces) output.take(piece);
  output.end();
  return text;
}

const std::vector<std::string> kPieces = {"a\x1b[31m\xe2\x80", "\xae\r\n", std::string("\0::error::x\n", 12),
                                          "1 %\r2 %\r\n",      "\xe2\x80", "\xae end"};

TEST(LogOutput, IsByteExactForPrograms) {
  std::string all;
  for (const std::string& piece : kPieces) all += piece;
  EXPECT_EQ(written(LogForm::Bytes, kPieces), all);
}

TEST(LogOutput, IsShownToPersonsAsABuildShowsIt) {
  EXPECT_EQ(
      written(LogForm::Shown, {"a\x1b[31m\xe2\x80", "\xae b\r\n", "  ::error::x\n1 %\r2 %\r\n", "end\u2066"}),
      "a\\x1b[31m\\u202e b\n  : :error::x\n2 %\nend\\u2066\n");
}

TEST(LogOutput, KnowsWhoReads) {
  TemporaryFolder folder(fs::temp_directory_path());
  Descriptor file(::open((folder.path() / "log").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  EXPECT_EQ(log_form(file.get(), false), LogForm::Bytes);
  EXPECT_EQ(log_form(file.get(), true), LogForm::Bytes);
  int pipe[2];
  ASSERT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
  Descriptor in(pipe[0]), out(pipe[1]);
  EXPECT_EQ(log_form(out.get(), false), LogForm::Bytes);
  EXPECT_EQ(log_form(out.get(), true), LogForm::Shown) << "a CI service reads it";
  Descriptor terminal(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal.is_open()) GTEST_SKIP() << "no terminals here";
  EXPECT_EQ(log_form(terminal.get(), false), LogForm::Shown);
}

}  // namespace
}  // namespace stagemake
