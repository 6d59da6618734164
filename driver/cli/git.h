// Runs git in a tree that a stranger may have packed, so that its .git/config cannot start programs here.
//
// A repository's own configuration can name hooks, a file system monitor, filters and commands that contact
// other machines, and git runs them even if you only ask for the revision of a tree. All of these are
// disabled. The user's own configuration (`git config --global`) applies.
#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "base/files/files.h"
#include "base/process/subprocess.h"

namespace stagemake {

// Whether git is in PATH.
bool has_git_program();

// Runs `git WORDS…` in the tree. Nothing is fetched, and commands that only look do not write the index.
// Throws as run_command() does.
Finished run_git(const fs::path& tree, const std::vector<std::string>& words,
                 const std::map<std::string, std::string>& environment = {}, std::stop_token stop = {});

}  // namespace stagemake
