// The program behind main().
#pragma once

namespace stagemake {

// Parses the command line, runs the command, prints errors. Never throws.
int run(int argc, const char* const* argv);

}  // namespace stagemake
