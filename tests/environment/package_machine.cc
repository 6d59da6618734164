#include "environment/package_machine.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "base/process/subprocess.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

// All package managers in one script, which acts according to its name.
constexpr std::string_view kFake = R"(#!/bin/sh
has() { grep -qxF -e "$1" "$STATE/$2"; }
network() {
  echo "$name $*" >> "$STATE/network"
  cat "$STATE/words"
  [ ! -e "$STATE/offline" ]
}
each() { while read -r word; do printf "$2\n" "$word" "$word"; done < "$STATE/$1"; }
# unknown FORMAT NAME…: the names that are not known, each in that format; fails if there are some.
unknown() {
  format=$1; shift; bad=0
  for word; do case $word in -* | /) ;; *) has "$word" known || { printf "$format\n" "$word"; bad=1; } ;; esac; done
  return $bad
}
# All or nothing, as the real ones do.
install() {
  network install "$@" || return 100
  cat "$STATE/said"
  for word; do
    case $word in -*) continue ;; esac
    if ! has "$word" known || has "$word" broken; then echo "E: no $word"; return 100; fi
  done
  for word; do case $word in -*) ;; *) has "$word" lost || echo "$word" >> "$STATE/installed" ;; esac; done
}
name=${0##*/}
case $name:$* in
  sed:-n* | sed:-e* | sed:s* | rm:-f*) PATH=/usr/bin:/bin; exec "$name" "$@" ;;
esac
echo "$name $*" >> "$STATE/log"
last=; for word; do last=$word; done
case $name:$* in
  apt-get:*--simulate*) shift 4; unknown 'E: Unable to locate package %s' "$@" ;;
  yum:--version | dnf:--version) echo 4.14.0 ;;
  yum:*--assumeno* | dnf:*--assumeno*) shift 3; unknown 'No match for argument: %s' "$@" ;;
  zypper:*--dry-run*) shift 5; unknown "No provider of '%s' found." "$@" ;;
  pacman:-Sddp*) shift 4; unknown 'error: target not found: %s' "$@" ;;
  pacman:-Sgq* | rpm:-e*) exit 1 ;;
  apk:add*--simulate*) shift 2; unknown '  %s (no such package):' "$@" ;;
  conda:*--dry-run*--no-deps*)
    shift 5
    if absent=$(unknown '  - %s' "$@"); then
      printf '\n## Package Plan ##\n\n  added / updated specs:\n'
      printf '    - %s\n' "$@"
    else
      printf 'PackagesNotFoundInChannelsError: The following packages are not available from current channels:\n\n%s\n\nCurrent channels:\n\n' "$absent"
      printf '  - https://conda.anaconda.org/conda-forge/noarch\n'
      exit 1
    fi ;;
  xbps-install:--dry-run*) unknown "Package '%s' not found in repository pool." "$last" ;;
  apt-get:update | *:makecache* | pacman:-Sy | zypper:*refresh | xbps-install:-* | apk:update | nix-channel:* | conda:update*)
    case $* in --yes*) shift; install "$@" ;; *) network "$@" ;; esac ;;
  slackpkg:update) if network "$@"; then each known 'slackware64 x %s-1.0-x86_64-1 y' > "$STATE/pkglist"; fi ;;
  *:clean* | zypper:*clean* | apt-get:*dist-upgrade | conda:info | conda:list | unminimize:* | sed:* | ln:* | pacman:-Scc | apk:cache* | \
    rm:-rf*) ;;
  add-apt-repository:*) network "$@" ;;
  conda:config*) cat > "$STATE/condarc" ;;
  conda:*--offline*) if has "$last" installed; then echo '# All requested packages already installed.'; fi ;;
  ls:*packages) each installed '%s-1.0-x86_64-1' ;;
  ls:*conda-meta) each installed '%s-1.0-py_0.json' ;;
  dpkg-query:-W*) each installed 'ii %s %s:amd64 ' ;;
  rpm:-qa*) each installed '%s %s.noarch ' ;;
  rpm:-q* | pacman:-T* | apk:info*) has "$last" installed ;;
  portageq:mass_best_version*) shift 2; for word; do if has "$word" installed; then echo "$word:x/$word-1"; else echo "$word:"; fi; done ;;
  portageq:get_repos*) echo gentoo ;;
  portageq:get_repo_path*) echo "$STATE/tree" ;;
  portageq:mass_best_visible*)
    shift 2
    cat "$STATE/words" >&2
    for word; do
      printf '%s:' "$word"
      if has "$word" known; then echo "x/$word-1"; else case $word in *\'*) echo "ERROR: Invalid atom: '$word'" >&2 ;; *) echo ;; esac; fi
    done ;;
  emerge:--quiet*--rage-clean*) ;;
  xbps-query:-Rs*) each known '[-] %s-1.0_1 words' ;;
  xbps-query:-L) cat "$STATE/repositories" ;;
  xbps-query:-p*-s*) cat "$STATE/provides" ;;
  xbps-query:-p*) if has "$last" installed; then echo installed; fi ;;
  nix-env:--query*--out-path*) each installed '/nix/store/%s' ;;
  nix-env:--query*--available) each known '%s-1.0' ;;
  nix-env:--query*--available*) has "$last" known && echo "$last" ;;
  nix-env:--query*) has "$last" installed && echo "$last" ;;
  nix-instantiate:*)
    printf '"'; for word in $names; do if has "$word" known || has "$word" installed; then printf '%s=/nix/store/%s ' "$word" "$word"; fi; done; echo '"' ;;
  nix-env:-f*) shift 4; install "$@" ;;
  slackpkg:*) shift 3; network install "$@"; for word; do has "$word" known && install "$word"; done; : ;;
  zypper:--non-interactive*install*) shift 2; install "$@" ;;
  apk:add* | apt-get:install* | yum:install* | dnf:install* | conda:install*) shift; install "$@" ;;
  pacman:-Su* | emerge:* | nix-env:--install* | xbps-install:*) install "$@" ;;
  nix-shell:*) exec /bin/bash -c "$last
exit" ;;
  *) echo "nobody calls $name like this: $*" >> "$STATE/faults"; exit 99 ;;
esac
)";

constexpr const char* kPrograms[] = {"add-apt-repository",
                                     "apk",
                                     "apt-cache",
                                     "apt-get",
                                     "conda",
                                     "dpkg-query",
                                     "emerge",
                                     "ln",
                                     "ls",
                                     "nix-channel",
                                     "nix-env",
                                     "nix-instantiate",
                                     "nix-shell",
                                     "pacman",
                                     "portageq",
                                     "rm",
                                     "rpm",
                                     "sed",
                                     "slackpkg",
                                     "unminimize",
                                     "xbps-install",
                                     "xbps-query",
                                     "yum",
                                     "zypper"};

// busybox may prefer its own programs to those in PATH; functions come before both. (Programs that busybox
// has and a recipe calls must be listed here: `ln -sf /bin/bash /bin/sh` is meant for a container.)
constexpr std::string_view kBeforeBusybox =
    "for program in ln ls rm rpm sed; do eval \"$program() { \\\"\\$PATH/$program\\\" \\\"\\$@\\\"; }\"; "
    "done\n";

// Files of a manager that recipes read: here they are in the machine's folder.
constexpr std::pair<std::string_view, const char*> kLists[] = {{"/var/lib/slackpkg/pkglist", "pkglist"},
                                                               {"/var/log/packages", "packages"},
                                                               {"/lib/apk/db/installed", "database"}};

// Faster than write_file, which waits for the disk.
void write_quickly(const fs::path& path, std::string_view content) {
  std::ofstream(path.string(), std::ios::binary) << content;
}

}  // namespace

std::vector<Words> shells() {
  std::vector<Words> result = {{"/bin/sh"}};
  if (fs::exists("/bin/bash")) result.push_back({"/bin/bash", "--posix"});
  if (fs::exists("/usr/bin/busybox")) result.push_back({"/usr/bin/busybox", "sh"});
  return result;
}

PackageMachine::PackageMachine(Words shell) : shell_(std::move(shell)), folder_(fs::temp_directory_path()) {
  fs::path player = folder_.path() / "player";
  write_quickly(player, kFake);
  EXPECT_EQ(::chmod(player.c_str(), 0755), 0);
  fs::create_directory(folder_.path() / "bin");
  fs::create_directories(folder_.path() / "tree/profiles");
  set("tree/profiles/repo_name", {"gentoo"});
  for (const char* program : kPrograms) EXPECT_EQ(::symlink("../player", bin(program).c_str()), 0);
  for (const char* program : {"cat", "grep", "mktemp", "sleep", "sort", "tee", "yes"})
    EXPECT_EQ(::symlink(find_program(program).c_str(), bin(program).c_str()), 0);
  for (const char* file :
       {"installed", "known", "broken", "lost", "words", "said", "provides", "repositories"})
    set(file, {});
}

void PackageMachine::set(const char* file, const Words& content) {
  write_quickly(folder_.path() / file, content.empty() ? "" : join(content, "\n") + "\n");
}

void PackageMachine::remove(const char* program) {
  fs::remove(bin(program));
}

int PackageMachine::run(const std::string& script, std::map<std::string, std::string> environment) {
  environment["PATH"] = (folder_.path() / "bin").string();
  environment["STATE"] = folder_.path().string();
  if (!environment.contains("STAGEMAKE_LOCK_SECONDS")) environment["STAGEMAKE_LOCK_SECONDS"] = "0";
  Words argv = shell_;
  bool busybox = shell_[0].ends_with("busybox");
  std::string text = script;
  for (const auto& [list, file] : kLists)
    for (std::size_t at = 0; (at = text.find(list, at)) != std::string::npos;)
      text.replace(at, list.size(), (folder_.path() / file).string());
  argv.insert(argv.end(), {"-ec", (busybox ? std::string(kBeforeBusybox) : "") + text});
  Finished finished = run_command({.argv = argv, .environment = environment});
  output = finished.output + finished.errors;
  EXPECT_EQ(content("faults"), Words());
  return finished.exit_code;
}

Words PackageMachine::content(const char* file) const {
  Words result;
  std::string text = read_file(folder_.path() / file).value_or("");
  for (std::string_view line : lines(text)) result.emplace_back(line);
  return result;
}

std::string PackageMachine::log() const {
  return join(content("log"), "\n");
}

std::string PackageMachine::last_line() const {
  std::vector<std::string_view> all = lines(output);
  return all.empty() ? "" : std::string(all.back());
}

}  // namespace stagemake
