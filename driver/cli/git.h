// git, run in a tree that a stranger may have packed: its .git/config names no program that runs here.
//
// A repository's own configuration can name hooks, a file system monitor, filters and commands that reach other machines,
// and git runs them also where a person only asks which revision a tree is. We leave all of these out. The person's own
// configuration (`git config --global`) counts.
#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/subprocess.h"

namespace stagemake {

// Whether there is a git in PATH.
bool has_git_program();

// Runs `git WORDS…` in the tree. Nothing is fetched, and no index is written by commands that only look. Throws as
// run_command() does.
Finished run_git(const fs::path& tree, const std::vector<std::string>& words,
                 const std::map<std::string, std::string>& environment = {}, std::stop_token stop = {});

}  // namespace stagemake
