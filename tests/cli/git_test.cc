// An unpacked archive may contain a .git folder whose configuration names programs: none of them runs.
#include "cli/git.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "cli/called.h"
#include "cli/revision.h"
#include "cli/tree.h"
#include "tree/tree_text.h"

namespace stagemake {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class StrangersRepository : public testing::Test {
 protected:
  StrangersRepository() {
    tree_.file("src/code", "code\n");
    git({"init", "-q"});
    git({"add", "-A"});
    git({"commit", "-q", "-m", "one"});
    tree_.file(".gitattributes", "* filter=x=y\nsrc/* filter=plain\n").file("src/code", "more\n");
    git({"add", "-A"});
    git({"commit", "-q", "-m", "two"});
  }

  // Git as the creator of the archive runs it.
  void git(const std::vector<std::string>& words) {
    std::vector<std::string> argv = {"git",         "-C", tree_.path().string(), "-c",
                                     "user.name=t", "-c", "user.email=t@t"};
    argv.insert(argv.end(), words.begin(), words.end());
    Finished finished = run_command({.argv = argv, .environment = {{"GIT_CONFIG_GLOBAL", "/dev/null"}}});
    ASSERT_TRUE(finished.ok()) << finished.errors;
  }

  std::string planted(const std::string& name) const {
    return "touch " + (ran_.path() / name).string() + "; cat";
  }

  void plant() {
    for (const char* key : {"core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "diff.external",
                            "remote.origin.uploadpack", "credential.helper"})
      git({"config", key, planted(key)});
    for (const char* filter : {"filter.plain", "filter.x=y"})
      for (const char* what : {"clean", "smudge", "process"})
        // `git config` accepts a name with `=`; its -c does not.
        git({"config", std::string(filter) + "." + what, planted(std::string("filter-") + what)});
    git({"config", "filter.plain.required", "true"});
    git({"config", "remote.origin.url", "ssh://localhost/none"});
    for (const char* hook :
         {"post-index-change", "post-checkout", "reference-transaction", "fsmonitor-watchman"}) {
      tree_.file(std::string(".git/hooks/") + hook, "#!/bin/sh\n" + planted(hook) + "\n");
      ::chmod((tree_.path() / ".git/hooks" / hook).c_str(), 0755);
    }
    tree_.file("src/code", "edit\n");  // of the same size, so that git has to read it, through its filter
  }

  std::vector<std::string> ran() const {
    std::vector<std::string> names;
    for (fs::directory_iterator at(ran_.path()), end; at != end; ++at)
      names.push_back(at->path().filename().string());
    return names;
  }

  TreeText tree_{"zlib standard 1\n"};
  TemporaryFolder ran_{fs::temp_directory_path()};
};

TEST_F(StrangersRepository, WouldRunProgramsForWhoeverAsksGit) {
  plant();
  // A filter that fails ends git before it writes the index, and what a planted fsmonitor says of the files
  // may keep git from reading them: git runs once without each.
  for (std::vector<std::string> words : std::vector<std::vector<std::string>>{
           {"-c", "filter.plain.process=", "-c", "filter.plain.clean=", "-c", "filter.plain.required=false"},
           {"-c", "core.fsmonitor=false"}}) {
    std::vector<std::string> argv = {"git", "-C", tree_.path().string()};
    argv.insert(argv.end(), words.begin(), words.end());
    argv.insert(argv.end(), {"describe", "--dirty", "--always"});
    run_command({.argv = argv});
  }
  EXPECT_THAT(ran(), testing::IsSupersetOf({"core.fsmonitor", "filter-process", "post-index-change"}))
      << "or these tests show nothing";
}

TEST_F(StrangersRepository, RunsNothingForItsRevision) {
  plant();
  TreeRevision revision = tree_revision(tree_.path());
  EXPECT_THAT(revision.name, HasSubstr("-dirty"));
  EXPECT_THAT(ran(), IsEmpty());
}

TEST_F(StrangersRepository, RunsNothingForTheFilesOfARevision) {
  plant();
  TemporaryFolder folder(fs::temp_directory_path());
  Revision revision(tree_.path(), "HEAD^", folder.path());
  EXPECT_EQ(read_file(revision.path() / "src/code"), "code\n");
  Revision newer(tree_.path(), "HEAD", folder.path());
  EXPECT_EQ(read_file(newer.path() / "src/code"), "more\n")
      << "with a filter that is required, and is left out";
  EXPECT_THAT(ran(), IsEmpty());
}

TEST_F(StrangersRepository, RunsNothingForCommandsThatLook) {
  plant();
  for (std::vector<std::string> words : {std::vector<std::string>{"diff", "HEAD^", "debian-bookworm-minimal"},
                                         {"plan", "debian-bookworm-minimal"},
                                         {"dockerfile", "debian-bookworm-minimal"}}) {
    words.insert(words.end(), {"--tree", tree_.path().string()});
    test::call_stagemake(words);
    EXPECT_THAT(ran(), IsEmpty()) << words.front();
  }
}

// The user's settings, in --global or in variables, still apply.
TEST_F(StrangersRepository, ThePersonsOwnFiltersStay) {
  TemporaryFolder home(fs::temp_directory_path());
  write_file(home.path() / "config", "[filter \"plain\"]\n\tsmudge = tr a-z A-Z\n[safe]\n\tdirectory = *\n");
  ::setenv("GIT_CONFIG_GLOBAL", (home.path() / "config").c_str(), 1);
  TemporaryFolder folder(fs::temp_directory_path());
  EXPECT_EQ(read_file(Revision(tree_.path(), "HEAD", folder.path()).path() / "src/code"), "MORE\n");
  ::unsetenv("GIT_CONFIG_GLOBAL");
}

}  // namespace
}  // namespace stagemake
