// Words that people say to make: flags, targets, variables.
#pragma once

#include <string>
#include <string_view>

namespace stagemake {

// `text`, words as an unquoted expansion in a shell has them, without what says how many jobs run: -j, -jN,
// -j N, --jobs, --jobs=N, and the j among letters (-kj8). The first make of a recipe makes one target after
// the other; how many jobs run below it, the job slots say. Text without such words comes back unchanged.
std::string without_job_counts(std::string_view text);

// Shell text after which make knows nothing of a make around it, nor of a base image's MAKEFLAGS: a -j there
// would run the targets at once.
inline constexpr std::string_view kForgetMakeFlags = "unset MAKEFLAGS GNUMAKEFLAGS MFLAGS MAKELEVEL\n";

}  // namespace stagemake
