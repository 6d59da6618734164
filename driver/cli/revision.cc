#include "cli/revision.h"

#include <fmt/format.h>

#include <vector>

#include "base/error.h"
#include "base/text/text.h"
#include "cli/git.h"
#include "cli/tree.h"

namespace stagemake {
namespace {

std::string in_words(const Finished& finished) {
  std::vector<std::string_view> said = lines(std::string_view(finished.errors));
  return said.empty() ? fmt::format("git ended with status {}", finished.exit_code) : printable(said.front());
}

// The id of a git object; the name is never treated as an option.
std::string id_of(const fs::path& tree, const std::string& name) {
  Finished found =
      run_git(tree, {"rev-parse", "--verify", "--quiet", "--end-of-options", name + "^{commit}"});
  if (found.ok()) return std::string(trimmed(found.output));
  std::string what = fmt::format("no revision is named {}", shown(name));
  std::vector<std::string> known;
  Finished refs =
      run_git(tree, {"for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags", "refs/remotes"});
  for (std::string_view line : lines(std::string_view(refs.output))) known.emplace_back(line);
  std::vector<std::string> near = nearest(name, known);
  throw bad_input("", what + (near.empty() ? "; it may be a branch, a tag or a commit's id"
                                           : "; did you mean " + printable(join(near, " or ")) + "?"));
}

void check_repository(const fs::path& tree) {
  if (!has_git_program()) throw bad_input("", "there is no git in PATH, so revisions cannot be read");
  Finished top = run_git(tree, {"rev-parse", "--show-toplevel"});
  if (top.ok()) return;
  if (std::string problem = git_problem(tree, top.errors); !problem.empty()) throw bad_input("", problem);
  throw bad_input(tree.string(), "is not in a git checkout, so it has no revisions: " + in_words(top));
}

}  // namespace

RevisionRange revision_range(const fs::path& tree, const std::vector<std::string>& words) {
  check_repository(tree);
  if (words.empty()) return {"HEAD", {}};
  if (words.size() == 2) return {words[0], words[1]};
  const std::string& said = words.front();
  std::size_t dots = said.find("..");
  if (dots == std::string::npos) return {said, {}};
  bool is_branch = said.compare(dots, 3, "...") == 0;
  RevisionRange range{said.substr(0, dots), said.substr(dots + (is_branch ? 3 : 2))};
  // Like git: an omitted side is HEAD.
  if (range.before.empty()) range.before = "HEAD";
  if (range.after.empty()) range.after = "HEAD";
  if (!is_branch) return range;
  Finished base = run_git(tree, {"merge-base", id_of(tree, range.before), id_of(tree, range.after)});
  if (!base.ok())
    throw bad_input(
        "", fmt::format("{} and {} have no commit in common", shown(range.before), shown(range.after)));
  range.before = std::string(trimmed(base.output));
  return range;
}

std::set<std::string> ignored_by_git(const fs::path& tree) {
  Finished found = run_git(tree, {"ls-files", "--others", "--ignored", "--exclude-standard", "--directory",
                                  "--no-empty-directory", "-z"});
  if (!found.ok()) throw bad_input(tree.string(), "git does not say what it ignores: " + in_words(found));
  std::set<std::string> paths;
  for (std::string_view path : split(found.output, '\0'))
    if (!path.empty()) paths.emplace(path.substr(0, path.size() - (path.back() == '/' ? 1 : 0)));
  return paths;
}

Revision::Revision(const fs::path& tree, const std::string& name, const fs::path& parent)
    : folder_(parent), files_(folder_.path() / "files"), name_(name) {
  check_repository(tree);
  commit_ = id_of(tree, name);
  std::string git_folder(trimmed(run_git(tree, {"rev-parse", "--absolute-git-dir"}).output));
  std::string below(trimmed(run_git(tree, {"rev-parse", "--show-prefix"}).output));
  fs::create_directories(files_);
  // A separate index and work tree: the user's stay unchanged, and files are converted as in a checkout.
  std::map<std::string, std::string> own{{"GIT_INDEX_FILE", (folder_.path() / "index").string()}};
  Finished read = run_git(tree, {"read-tree", commit_ + ":" + below}, own);
  if (!read.ok())
    throw bad_input(shown(name), below.empty() ? in_words(read) : "has no folder " + printable(below));
  Finished written = run_git(files_,
                             {"--git-dir=" + git_folder, "--work-tree=" + files_.string(), "checkout-index",
                              "--all", "--force", "--quiet"},
                             own);
  if (!written.ok()) throw bad_input(shown(name), "its files cannot be read: " + in_words(written));
}

}  // namespace stagemake
