// A RUN instruction of a Dockerfile from the text of a POSIX shell script.
//
// Where the text allows, its lines are joined as a person would write them, with ` \` and `;`. Text in which
// that might mean something else (comments, here-documents, quotes that span lines, `case`) becomes the JSON
// form. Both builders of docker read both. Knows the shell and Dockerfiles; does not know stages.
#pragma once

#include <string>
#include <string_view>

namespace stagemake {

// The instruction, with its line end: `script` runs with `/bin/sh -e`. With `errors_ignored`, a failure is
// told and the instruction succeeds. Throws Error (BadInput) where `script` is no UTF-8.
std::string run_instruction(std::string_view script, bool errors_ignored);

}  // namespace stagemake
