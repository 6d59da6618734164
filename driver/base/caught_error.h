// What is known of an exception that is being handled, whatever its type. Only inside a catch clause.
#pragma once

#include <string>

#include "base/error.h"

namespace stagemake {

// What it says: an Error in its own words, any other in printable text.
std::string caught_text();

// The exit status that it means; EngineUnusable where it is no Error.
ExitStatus caught_status();

}  // namespace stagemake
