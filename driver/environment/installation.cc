#include "environment/installation.h"

#include <fmt/format.h>

#include "base/text/text.h"
#include "environment/package_managers.h"

namespace stagemake {
namespace {

bool is_nix(const SystemSetup& setup) {
  return setup.system.starts_with("nix");
}

// An expression for nix-shell that is null if the package is missing. With missing packages ignored, neither
// an attribute that does not exist is an error, nor one that throws, like those of removed and refused
// packages.
constexpr const char* kIfThere =
    "(let p = builtins.tryEval (let q = pkgs.{0} or null; in builtins.seq (q.outPath or null) q); in if "
    "p.success "
    "then p.value else null)";

std::string nix_shell(const SystemSetup& setup, const std::string& command) {
  std::vector<std::string> expressions;
  for (const std::string& package : setup.packages)
    expressions.push_back(setup.ignore_missing ? fmt::format(kIfThere, package) : package);
  std::string packages = shell_quoted(expressions);
  return fmt::format("nix-shell --packages {}{}--run {}\n", packages, packages.empty() ? "" : " ",
                     shell_quoted(command));
}

// The steps that all recipes share. `watched` runs one of the functions with its output in the log and in
// $notes, and repeats it while another process holds the lock; its child processes do not inherit the
// descriptors that carry its status.
constexpr std::string_view kSteps = R"sh(fails() {
  echo "stagemake: $1" >&2
  exit 1
}
lacking() {
  look "$@"
  left=
  for package; do is_there "$package" || left="$left $package"; done
}
watched() {
  waited=0
  while :; do
    status=$({ { "$@" 2>&1 3>&- 4>&- && echo 0 >&3 || echo $? >&3; } | tee "$notes" >&4; } 3>&1)
    if [ "$status" = 0 ] && [ -n "$faults" ] && grep -Eq -e "$faults" "$notes"; then status=1; fi
    [ "$status" != 0 ] || return 0
    [ -n "$locked" ] && grep -Eq -e "$locked" "$notes" || return "$status"
    [ "$waited" -lt "$patience" ] ||
      fails "another process holds the package manager's lock, for more than $patience s; if there is none, remove the lock"
    [ "$waited" != 0 ] ||
      echo "stagemake: another process holds the package manager's lock; waiting for it, for at most $patience s"
    sleep 2
    waited=$((waited + 2))
  done
}
refresh() {
  [ -n "$notes" ] || {
    notes=$(mktemp)
    trap 'rm -f "$notes"' EXIT
  }
  faults=$stale
  begin
  watched update || fails "the package manager cannot refresh its index (status $status): see its message above"
}
add() {
  available=$* faults=$failed
  watched install_with_options "$@" || {
    scripts=$(broken)
    [ -z "$scripts" ] || echo "Scripts or files of these packages failed, see above: $scripts"
    lacking "$@"
    fails "the package manager failed with status $status; not installed:${left:- none}"
  }
  done=yes
  scripts=$(broken)
  [ -z "$scripts" ] || fails "scripts or files of these packages failed, see above: $scripts"
  lacking "$@"
  [ -z "$left" ] || fails "the package manager knows these packages but did not install them:$left"
}
done= notes= faults=
patience=${STAGEMAKE_LOCK_SECONDS:-60}
exec 4>&1
)sh";

// Installs those of $wanted that the index knows; the others become $absent.
std::string install_what_is_known(bool must_exist) {
  std::string text = R"sh(  names=" $(echo $(unknown $wanted)) "
  absent= available=
  for package in $wanted; do
    case $names in
      *" $package "*) absent="$absent $package" ;;
      *) available="$available $package" ;;
    esac
  done
  if [ -n "$absent" ]; then
    watched certain || fails "a part of the index is unavailable (status $status) and may contain these packages:$absent"
)sh";
  text += must_exist ? "    fails \"the package manager does not know these packages:$absent\"\n" : "";
  return text + "  fi\n  [ -z \"$available\" ] || add $available\n";
}

}  // namespace

std::string installation_recipe(const SystemSetup& setup) {
  if (setup.system.empty() || setup.skipped) return ":";
  const PackageManager& manager = package_manager(setup);
  // A list may contain options for the manager besides packages (--setopt=tsflags= brings documentation).
  std::vector<std::string> packages, options, collection;
  for (const std::string& word : setup.packages) (word.starts_with('-') ? options : packages).push_back(word);
  for (const std::string& word : {setup.toolset_repository, setup.toolset})
    if (!word.empty()) collection.push_back(word);
  if (packages.empty() && collection.empty()) return ":";

  // A subshell, because of -f (names like gcc-[0-9] are patterns for the package manager) and its
  // definitions.
  std::string text = fmt::format("(\nset -f\nLC_ALL=C\nexport LC_ALL\n{}{}", manager.definitions(), kSteps);
  text += fmt::format("install_with_options() {{ install {}\"$@\"; }}\n",
                      options.empty() ? "" : shell_quoted(options) + ' ');
  // First its repository, then the collection: two steps, because the second needs the first. Never ignored.
  for (const std::string& package : collection)
    text +=
        fmt::format("lacking {0}\n[ -z \"$left\" ] || {{\n  refresh\n  add {0}\n}}\n", shell_quoted(package));
  if (!packages.empty()) {
    text += fmt::format("lacking {}\nif [ -n \"$left\" ]; then\n  wanted=$left\n", shell_quoted(packages));
    if (manager.prepare != nullptr) text += manager.prepare(setup);
    text += "  refresh\n" + install_what_is_known(!setup.ignore_missing && !manager.passes_over_unknown);
    // So that later stages find everything in the image.
    if (is_nix(setup)) text += "  " + nix_shell(setup, ":");
    text += fmt::format("  clean\n  [ -z \"$absent\" ] || echo \"{}$absent\"\n", kMissingLine);
    text += "fi\n";
  }
  return text + ")";
}

std::string in_system(const SystemSetup& setup, const std::string& recipe) {
  std::string text;
  if (!setup.extra_path.empty())
    text += fmt::format("PATH={}:$PATH\nexport PATH\n", shell_quoted(setup.extra_path));
  std::string enabled;
  if (!setup.toolset.empty())
    enabled += fmt::format(". {} || exit\n", shell_quoted("/opt/rh/" + setup.toolset + "/enable"));
  if (setup.system.starts_with("conda"))
    enabled += ". /opt/conda/etc/profile.d/conda.sh || exit\nconda activate base || exit\n";
  // Commands inside such scripts may fail; only their exit status counts. (`||` alone would do in bash; dash
  // applies -e in a file that is read.)
  if (!enabled.empty()) text += "set +e\n" + enabled + "set -e\n";
  if (!is_nix(setup)) return text + recipe;
  // A shell of its own, because nix-shell's shell does not stop at errors.
  std::size_t end = recipe.find_last_not_of('\n');
  std::string body = recipe.substr(0, end == std::string::npos ? 0 : end + 1);
  return text + nix_shell(setup, "exec /bin/sh -ec " + shell_quoted(body));
}

}  // namespace stagemake
