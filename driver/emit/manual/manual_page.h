// Manual pages in man(7) format, from the description of the command line that help and completion also use.
#pragma once

#include <string>
#include <vector>

#include "emit/completion.h"
#include "emit/manual/topics.h"

namespace stagemake {

// PROGRAM(1): the commands, by group, and the pages of the topics.
std::string manual_page(const CommandLine& command_line, const std::vector<ManualTopic>& topics,
                        const std::string& version);
// PROGRAM-COMMAND(1): its arguments and options, and the environment variables that set options.
std::string manual_page(const CommandLine& command_line, const CompletionCommand& command,
                        const std::string& version);

}  // namespace stagemake
