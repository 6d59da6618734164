// Arguments that users pass to make: flags, targets, variables.
#pragma once

#include <string>
#include <string_view>

namespace stagemake {

// `text` (words as after an unquoted expansion in a shell) without the number of jobs: -j, -jN, -j N, --jobs,
// --jobs=N, and the j among letters (-kj8). The first make of a recipe makes one target after the other; the
// job slots determine how many jobs run below it. Text without such words is returned unchanged.
std::string without_job_counts(std::string_view text);

// Shell text that hides an outer make, and a base image's MAKEFLAGS, from the next make: a -j there would run
// the targets at once.
inline constexpr std::string_view kForgetMakeFlags = "unset MAKEFLAGS GNUMAKEFLAGS MFLAGS MAKELEVEL\n";

}  // namespace stagemake
