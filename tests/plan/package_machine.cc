#include "package_machine.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "base/subprocess.h"
#include "base/text.h"

namespace stagemake {
namespace {

// All package managers in one script, which acts by the name it is called by.
constexpr std::string_view kFake = R"(#!/bin/sh
has() { grep -qxF -e "$1" "$STATE/$2"; }
network() { echo "$name $*" >> "$STATE/network"; [ ! -e "$STATE/offline" ]; }
known() { network known "$1" && has "$1" known; }
# All or nothing, as the real ones do.
install() {
  network install "$@" || return 100
  for word; do
    case $word in -*) continue ;; esac
    if ! has "$word" known || has "$word" broken; then echo "E: no $word"; return 100; fi
  done
  for word; do case $word in -*) ;; *) echo "$word" >> "$STATE/installed" ;; esac; done
}
name=${0##*/}
echo "$name $*" >> "$STATE/log"
last=; for word; do last=$word; done
case $name:$* in
  apt-get:update | pacman:-Sy | zypper:refresh | xbps-install:-* | apk:update | slackpkg:update | nix-channel:* | conda:update*)
    case $* in --yes*) shift; install "$@" ;; *) network "$@" ;; esac ;;
  apt-get:clean | apt-get:*dist-upgrade | conda:info | conda:list | unminimize:* | sed:* | ln:*) ;;
  add-apt-repository:*) network "$@" ;;
  conda:config*) cat > "$STATE/condarc" ;;
  conda:*--offline*) if has "$last" installed; then echo '# All requested packages already installed.'; fi ;;
  ls:*packages) while read -r word; do echo "$word-1.0-x86_64-1"; done < "$STATE/installed" ;;
  ls:*conda-meta) while read -r word; do echo "$word-1.0-py_0.json"; done < "$STATE/installed" ;;
  dpkg-query:--status* | rpm:-q* | pacman:-T* | apk:info* | portageq:has_version*)
    has "$last" installed && echo "Status: install ok installed" ;;
  xbps-query:-R* | apt-cache:show* | *:*--download*only* | pacman:-Si* | apk:search* | emerge:--pretend* | \
    nix-env:*--available* | conda:search*) known "$last" && echo "$last" ;;
  xbps-query:* | nix-env:--query*) has "$last" installed && echo "$last" ;;
  nix-env:-f*) shift 4; install "$@" ;;
  slackpkg:*) shift 3; network install "$@"; for word; do has "$word" known && install "$word"; done; : ;;
  apk:add* | apt-get:install* | yum:install* | dnf:install* | conda:install* | zypper:install*) shift; install "$@" ;;
  pacman:-Su* | emerge:* | nix-env:--install*) install "$@" ;;
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
                                     "nix-shell",
                                     "pacman",
                                     "portageq",
                                     "rpm",
                                     "sed",
                                     "slackpkg",
                                     "unminimize",
                                     "xbps-install",
                                     "xbps-query",
                                     "yum",
                                     "zypper"};

// busybox may take its own programs for those in PATH; functions come before both. (What it has of its own
// and a recipe calls must stand here: `ln -sf /bin/bash /bin/sh` is meant for a container.)
constexpr std::string_view kBeforeBusybox =
    "for program in ln ls rpm sed; do eval \"$program() { \\\"\\$PATH/$program\\\" \\\"\\$@\\\"; }\"; done\n";

// Quicker than write_file, which waits for the disk.
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
  for (const char* program : kPrograms) EXPECT_EQ(::symlink("../player", bin(program).c_str()), 0);
  for (const char* program : {"cat", "grep", "rm", "yes"})
    EXPECT_EQ(::symlink(find_program(program).c_str(), bin(program).c_str()), 0);
  for (const char* file : {"installed", "known", "broken"}) set(file, {});
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
  Words argv = shell_;
  bool busybox = shell_[0].ends_with("busybox");
  argv.insert(argv.end(), {"-ec", (busybox ? std::string(kBeforeBusybox) : "") + script});
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
