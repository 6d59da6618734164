// Describes the exception that is being handled, whatever its type. Call these only inside a catch clause.
#pragma once

#include <string>

#include "base/error.h"

namespace stagemake {

// Its message: an Error's own text, or that of any other exception made printable.
std::string caught_text();

// Its exit status; EngineUnusable if it is not an Error.
ExitStatus caught_status();

}  // namespace stagemake
