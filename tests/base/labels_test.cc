#include "base/text/labels.h"

#include <gtest/gtest.h>

#include "base/process/subprocess.h"

namespace stagemake {
namespace {

using Labels = std::map<std::string, std::string>;

TEST(LabelLimits, ATooLongLabelIsNamed) {
  EXPECT_EQ(unfit_label({}), "");
  EXPECT_EQ(unfit_label({{"a", std::string(kLongestLabel - 1, 'x')}}), "");
  EXPECT_EQ(unfit_label({{"a", std::string(270'000, 'x')}}),
            "its label a has 270.0 kB; the limit is 100.0 kB");
  EXPECT_EQ(unfit_label({{"a\x1b" + std::string(270'000, 'x'), ""}}).find('\x1b'), std::string::npos);
}

TEST(LabelLimits, ManyThatAreTooMuchTogether) {
  Labels labels;
  for (int i = 0; i < 6; ++i) labels["ours." + std::to_string(i)] = std::string(90'000, 'x');
  EXPECT_EQ(unfit_label(labels), "its labels have 540.0 kB; the limit is 500.0 kB");
  EXPECT_EQ(unfit_label(labels, "others."), "");
  EXPECT_NE(unfit_label(labels, "ours."), "");
}

// The reason for the limits: the kernel takes arguments of this length, and no longer ones.
TEST(LabelLimits, AreWhatACommandLineTakes) {
  Command command{.argv = {"true"}};
  for (std::size_t bytes = 0; bytes < kMostLabelBytes; bytes += kLongestLabel)
    command.argv.push_back("--label=" + std::string(kLongestLabel, 'x'));
  EXPECT_TRUE(run_command(command).ok());
  command.argv = {"true", std::string(270'000, 'x')};
  EXPECT_ANY_THROW(run_command(command));
}

}  // namespace
}  // namespace stagemake
