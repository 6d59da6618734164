#include "environment/make_flags.h"

#include <gmock/gmock.h>

namespace stagemake {
namespace {

TEST(MakeFlags, LoseWhatSaysHowManyJobsRun) {
  for (const char* flags : {"-k -j8 V=0", "-k -j 8 V=0", "-k -j V=0", "-kj8 V=0", "-kj V=0", "-kj 8 V=0",
                            "-k --jobs=8 V=0", "-k --jobs 8 V=0", "--jobs -k V=0", "-j2 -k -j4 V=0"})
    EXPECT_EQ(without_job_counts(flags), "-k V=0") << flags;
  EXPECT_EQ(without_job_counts("-j8"), "");
}

TEST(MakeFlags, AreKeptWhereTheyOnlyLookLikeIt) {
  for (const char* flags : {"", " -k  V=0 ", "-Cj", "-fj8", "-l 8 --no-print-directory", "--job-server",
                            "build doc-html", "J=-j8", "-jobs", "8", "--", "-"})
    EXPECT_EQ(without_job_counts(flags), flags);
}

}  // namespace
}  // namespace stagemake
