// A RUN instruction of a Dockerfile from a POSIX shell script.
//
// If possible, lines are joined as a person would write them, with ` \` and `;`. Text in which that might
// change the meaning (comments, here-documents, quotes that span lines, `case`) becomes the JSON form. Both
// of docker's builders read both forms. Knows the shell and Dockerfiles; does not know stages.
#pragma once

#include <string>
#include <string_view>

namespace stagemake {

// Returns the instruction with its line end: `script` runs with `/bin/sh -e`. With `errors_ignored`, a
// failure is reported and the instruction succeeds. Throws Error (BadInput) if `script` is not UTF-8.
std::string run_instruction(std::string_view script, bool errors_ignored);

}  // namespace stagemake
