#include "report/log/log_rules.h"

#include <algorithm>
#include <bitset>
#include <cstdint>

namespace stagemake {
namespace {

enum class Where { Begins, Contains, Ends };
struct Rule {
  std::string_view words;  // at least three bytes if they have a weight
  Where where;
  int weight;
  bool later = false;
};

// The first match counts: specific rules, and rules that take weight away, come before general ones.
constexpr Rule kRules[] = {
    // Problems of the machine: all other messages follow from them.
    {"No space left on device", Where::Contains, 100},
    {"Disk quota exceeded", Where::Contains, 100},
    {"Cannot allocate memory", Where::Contains, 96},
    {"virtual memory exhausted", Where::Contains, 96},
    {"Killed (program", Where::Contains, 96},
    {"Killed signal terminated program", Where::Contains, 96},
    {"internal compiler error", Where::Contains, 95},
    // Not failures, although they look like it: checks of configure scripts, and ignored errors.
    {"configure: error: ", Where::Contains, 90},
    {"configure: error:", Where::Ends, 90},  // the next lines have the message
    {"checking ", Where::Begins, 0},
    {"+ ", Where::Begins, 0},  // `set -x`
    {"echo ", Where::Begins, 0},
    {"printf ", Where::Begins, 0},
    {"raise ", Where::Begins, 0},  // in a traceback whose beginning is cut off
    {"-- Configuring incomplete", Where::Begins, 30},
    {"-- ", Where::Begins, 0},
    {": warning: ", Where::Contains, 0},
    {"(ignored)", Where::Ends, 0},
    {"(ignoring error)", Where::Contains, 0},
    {"conftest", Where::Contains, 5},
    {"configtest", Where::Contains, 5},
    // make
    {": *** [", Where::Contains, 10},
    {"*** Waiting for unfinished jobs", Where::Contains, 0},
    {"*** No rule to make target", Where::Contains, 75},
    {"not remade because of errors", Where::Contains, 0},
    // Errors in a command line
    {": invalid option", Where::Contains, 85},
    {": unrecognized option", Where::Contains, 85},
    {": illegal option", Where::Contains, 85},
    {": option requires an argument", Where::Contains, 85},
    // Consequences that look like causes
    {"no input files", Where::Contains, 38},
    {"failed with exit status", Where::Contains, 37},
    {"FAILED: ", Where::Begins, 34},  // ninja
    {"ninja: build stopped", Where::Contains, 30},
    {"Errors while running CTest", Where::Begins, 30},
    {"The following tests FAILED", Where::Begins, 30},
    {"KeyboardInterrupt", Where::Begins, 30},
    {"collect2: ", Where::Contains, 35},
    {"linker command failed", Where::Contains, 35},
    {"error: command ", Where::Contains, 35, true},
    {"error: could not compile", Where::Contains, 35},
    {"error: subprocess-exited-with-error", Where::Contains, 15},
    {"error: metadata-generation-failed", Where::Contains, 15},
    {"error: legacy-install-failure", Where::Contains, 15},
    {"ERROR: Could not find a version", Where::Contains, 85},
    {"ERROR: No matching distribution", Where::Contains, 39},
    {"ERROR: Failed ", Where::Contains, 25},
    {"ERROR: Could not build wheels", Where::Contains, 25},
    {"ERROR: Command errored out", Where::Contains, 25},
    {"CalledProcessError", Where::Contains, 30, true},
    // Package managers. An unreadable repository comes first: missing packages follow from it.
    {"Curl error (", Where::Contains, 93},               // dnf
    {"Download (curl) error for", Where::Contains, 91},  // zypper
    {"Error message: ", Where::Begins, 92},
    {"Valid metadata not found at", Where::Contains, 90},
    {"Error building the cache", Where::Begins, 30},
    {"error: failed retrieving file", Where::Begins, 92},  // pacman
    {"W: Failed to fetch", Where::Begins, 89},             // apt
    {"Temporary failure resolving", Where::Contains, 90},
    {"E: Sub-process", Where::Begins, 38},
    {"E: Unable to fetch some", Where::Begins, 38},
    {"held broken packages", Where::Contains, 38},
    {"Errors were encountered while processing", Where::Begins, 30},
    {"E: Failed to fetch", Where::Begins, 85},
    {"E: ", Where::Begins, 88},
    {" but it is not ", Where::Contains, 90},
    {"trying to overwrite ", Where::Contains, 90},
    {"script subprocess returned error", Where::Contains, 87},
    {"Unable to find a match", Where::Contains, 90},
    {"No match for argument", Where::Contains, 91},
    {"conflicting requests", Where::Contains, 30},
    {"Transaction test error", Where::Contains, 36},
    {"Error downloading packages", Where::Contains, 36},
    {"[MIRROR] ", Where::Begins, 60},
    {"Status code: ", Where::Contains, 84},
    {"No package '", Where::Contains, 84},  // pkg-config
    {"No package ", Where::Begins, 90},
    {"scriptlet failed", Where::Contains, 87},
    {"has incorrect checksum", Where::Contains, 86},
    {"GPG check FAILED", Where::Contains, 86},
    {"Signature verification failed", Where::Contains, 86},
    {" conflicts between attempted installs", Where::Contains, 89},
    {" conflicts with file from ", Where::Contains, 89},
    {" conflicts with ", Where::Contains, 89},
    {"error: target not found", Where::Contains, 90},
    {"unable to satisfy dependency", Where::Contains, 90},
    {" are in conflict", Where::Contains, 89},
    {" exists in filesystem", Where::Contains, 89},
    {"is unknown trust", Where::Contains, 86},
    {"(no such package)", Where::Contains, 90},
    {"unable to select packages", Where::Contains, 38},
    {"temporary error (try again later)", Where::Contains, 92},
    {"UNTRUSTED signature", Where::Contains, 86},
    {"not found in repository pool", Where::Contains, 90},  // xbps
    {"unresolvable shlib", Where::Contains, 90},
    {"unresolved dependencies", Where::Contains, 38},
    {"not found in package names. Trying", Where::Contains, 20},  // zypper
    {"No provider of ", Where::Contains, 88},
    {"there are no ebuilds", Where::Contains, 88},
    {"have been masked", Where::Contains, 86},
    {" (masked by: ", Where::Contains, 88},
    {"changes are necessary to proceed", Where::Contains, 88},
    {"has unmet requirements", Where::Contains, 86},
    {"VERIFY FAILED", Where::Contains, 87},
    {"!!! Couldn't download", Where::Begins, 86},
    {"* ERROR: ", Where::Begins, 62},  // emerge
    {"!!! ", Where::Begins, 60},
    {">>> Failed to emerge", Where::Begins, 36},
    {"No packages match the pattern", Where::Contains, 88},  // slackpkg
    {"PackagesNotFound", Where::Contains, 88},
    {"ResolvePackageNotFound", Where::Contains, 88},
    {"UnsatisfiableError", Where::Contains, 86},
    {"Could not solve for environment specs", Where::Contains, 86},
    {"does not exist (perhaps a typo", Where::Contains, 90},
    {"othing provides ", Where::Contains, 88},
    {"dependencies of derivation", Where::Contains, 36},  // nix
    {"error: builder for '", Where::Begins, 38},
    {"Problem: ", Where::Begins, 85},
    // The network, and consequences of its failures
    {"Invalid checksum; ignoring", Where::Contains, 20},
    {"ChecksumError", Where::Contains, 86},
    {"FileNotMirroredError", Where::Contains, 86},
    {"Hash Sum mismatch", Where::Contains, 86},
    {"hecksum mismatch", Where::Contains, 86},
    {"hecksum does not match", Where::Contains, 86},
    {"ould not download", Where::Contains, 85},
    {"Could not resolve", Where::Contains, 85},
    {"Temporary failure in name resolution", Where::Contains, 85},
    {"Failed to connect to ", Where::Contains, 84},
    {"Network is unreachable", Where::Contains, 84},
    {"Connection timed out", Where::Contains, 84},
    // Test suites that take too long
    {"***Timeout", Where::Contains, 77},  // ctest
    {"***Exception", Where::Contains, 76},
    {"***Failed", Where::Contains, 62},
    {"***Not Run", Where::Contains, 61},
    {"Unable to find executable: ", Where::Begins, 77},
    {" TIMEOUT ", Where::Contains, 77},  // meson
    {"imed out", Where::Contains, 75},
    {" (Timeout)", Where::Ends, 56},
    {"not ok ", Where::Begins, 52},  // TAP
    {"Result: FAIL", Where::Begins, 30},
    // Compilers and linkers
    {": fatal error: ", Where::Contains, 92},
    {": error: ", Where::Contains, 90},
    {"error[E", Where::Begins, 90},
    {": ERROR: ", Where::Contains, 88},
    {": Error: ", Where::Contains, 88},
    {"Fatal Error: ", Where::Begins, 88},
    {"CMake Error", Where::Begins, 88},
    {"cannot find -l", Where::Contains, 87},
    {"library not found for -l", Where::Contains, 87},
    {"undefined reference to", Where::Contains, 86},
    {"Undefined symbols for architecture", Where::Contains, 86},
    {"multiple definition of", Where::Contains, 82},
    {"error while loading shared libraries", Where::Contains, 88},
    {"cannot open shared object file", Where::Contains, 88},
    {"symbol lookup error", Where::Contains, 88},
    {"rror: linking with", Where::Contains, 85},
    // Shells and the system
    {": command not found", Where::Ends, 80},
    {": not found", Where::Ends, 78},
    {"Exec format error", Where::Contains, 85},
    {"exec format error", Where::Contains, 85},
    {"Read-only file system", Where::Contains, 88},
    {"Illegal instruction", Where::Contains, 79},
    {"Segmentation fault", Where::Contains, 79},
    {"Bus error", Where::Contains, 79},
    {"Assertion `", Where::Contains, 76},
    {"Input/output error", Where::Contains, 72},
    {"Text file busy", Where::Contains, 72},
    {"Argument list too long", Where::Contains, 72},
    {"Killed", Where::Begins, 77, true},
    {" Killed ", Where::Contains, 77, true},
    {"can't find file to patch", Where::Begins, 66},
    {" hunk FAILED", Where::Contains, 66},
    {" hunks FAILED", Where::Contains, 66},
    {"FAILED at ", Where::Contains, 67},
    {"Permission denied", Where::Contains, 65},
    // Lines that call themselves errors
    {"Error: ", Where::Begins, 58},
    {"error: ", Where::Begins, 58},
    {"ERROR: ", Where::Begins, 58},
    {"fatal: ", Where::Begins, 58},
    {"No such file or directory", Where::Contains, 55},
    {"FAIL: ", Where::Begins, 52},
    {"FAILED (", Where::Begins, 45, true},
    {" doctests failed", Where::Contains, 51},
    {" doctest failed", Where::Contains, 51},
    {"Error ", Where::Begins, 20, true},  // sage-spkg: "Error installing package …"
    {"error installing, exit status", Where::Begins, 8},
    {"error checking, exit status", Where::Begins, 8},
};

bool fits(const Rule& rule, std::string_view line) {
  switch (rule.where) {
    case Where::Begins:
      return line.substr(std::min(line.find_first_not_of(' '), line.size())).starts_with(rule.words);
    case Where::Ends:
      return line.ends_with(rule.words);
    case Where::Contains:
      return line.find(rule.words) != std::string_view::npos;
  }
  return false;
}

// How rare a byte is in build logs, roughly: letters by their frequency in English; blanks and the characters
// of paths and options are common.
int rarity(char c) {
  constexpr std::string_view kFrequent = " /-._etaoinsrhldcumfpgwybvkxjqz";
  std::size_t place = kFrequent.find(c);
  return static_cast<int>(place == std::string_view::npos ? kFrequent.size() : place);
}

// The three rarest consecutive bytes of each rule's text. Almost no line of a long log contains any of them,
// so that one look at each byte is enough for most lines.
class Beginnings {
 public:
  Beginnings() {
    for (const Rule& rule : kRules)
      if (rule.weight > 0) add(rule.words);
    add("Error");
    add("Exception");
    add("***");
    // Lines that affect later lines (log_context.cc)
    for (std::string_view words : {"Traceback", "File \"", "===", "Usage: ", "usage: ", "FAILED ", "ERROR "})
      add(words);
  }
  bool any_in(std::string_view line) const {
    std::uint32_t three = 0;  // the last three bytes
    for (char c : line) {
      three = (three << 8 | static_cast<unsigned char>(c)) & 0xffffff;
      if (known_[place(three)]) return true;
    }
    return false;
  }

 private:
  static std::size_t place(std::uint32_t three) { return (three * 2654435761u) >> (32 - kBits); }
  void add(std::string_view words) {
    std::size_t best = 0;
    int most = -1;
    for (std::size_t i = 0; i + 3 <= words.size(); ++i)
      if (int sum = rarity(words[i]) + rarity(words[i + 1]) + rarity(words[i + 2]); sum > most) {
        most = sum;
        best = i;
      }
    std::uint32_t three = 0;
    for (char c : words.substr(best, 3)) three = three << 8 | static_cast<unsigned char>(c);
    known_.set(place(three));
  }

  static constexpr unsigned kBits = 18;
  std::bitset<1u << kBits> known_;
};

bool is_word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

// The last line of a traceback: `package.module.NameError: what`.
bool is_exception(std::string_view line) {
  std::size_t end = 0;
  while (end < line.size() && is_word_byte(line[end])) ++end;
  std::string_view name = line.substr(0, end);
  if (end != line.size() && line.substr(end, 2) != ": ") return false;
  return (name.ends_with("Error") || name.ends_with("Exception")) && name != "Error" &&
         name.find_first_not_of("0123456789.") == 0;
}

// pytest's list at the end: "FAILED test_a.py::test_value - ValueError: x".
bool is_pytest_summary(std::string_view line) {
  if (!line.starts_with("FAILED ") && !line.starts_with("ERROR ")) return false;
  std::size_t test = line.find(".py");
  return test != std::string_view::npos && line.substr(0, test).find(' ', 7) == std::string_view::npos;
}

// The text after make's `***`, whatever the name of make.
std::string_view after_stars(std::string_view line) {
  std::size_t at = line.find(": *** ");
  return at == std::string_view::npos ? std::string_view() : line.substr(at + 6);
}

}  // namespace

bool may_say_something(std::string_view line) {
  static const Beginnings kBeginnings;
  return kBeginnings.any_in(line);
}

bool announces_more(std::string_view message) {
  if (!message.ends_with(":")) return false;
  return message.starts_with("CMake Error") ||
         (message.starts_with("configure:") && message.ends_with(": error:")) ||
         message.find("PackagesNotFound") != std::string_view::npos ||
         message.find("ResolvePackageNotFound") != std::string_view::npos ||
         message.find("UnsatisfiableError") != std::string_view::npos ||
         message.find("changes are necessary to proceed") != std::string_view::npos;
}

LineWeight line_weight(std::string_view line) {
  if (!may_say_something(line)) return {};
  if (is_pytest_summary(line)) return {84, false};
  for (const Rule& rule : kRules)
    if (fits(rule, line)) return {rule.weight, rule.later};
  if (is_exception(line)) return {80, true};
  if (is_make_stop(line)) return {70, false};
  if (is_error_word(line)) return {40, true};
  return {};
}

bool is_chatter(std::string_view line) {
  if (line.find(": Leaving directory ") != std::string_view::npos) return true;
  if (line.starts_with("Report bugs to ") || line.starts_with("Try '") || line.starts_with("Try `"))
    return true;
  return line.starts_with("real\t") || line.starts_with("user\t") || line.starts_with("sys\t");
}

bool is_error_word(std::string_view line) {
  std::size_t at = 0;
  while (at < line.size() && ((line[at] >= 'a' && line[at] <= 'z') || (line[at] >= 'A' && line[at] <= 'Z')))
    ++at;
  return line.substr(0, at).find("Error") != std::string_view::npos;
}

bool is_test_failure(std::string_view line) {
  if (line.starts_with("Warning: Error testing") || line.starts_with("Warning: Failures testing"))
    return true;
  if (line.starts_with("Testsuite: ")) {
    std::string_view end = line.substr(11);
    return end.find("imed out") != std::string_view::npos || end.find("ailed") != std::string_view::npos ||
           end.find("illed") != std::string_view::npos;
  }
  if (!line.starts_with("sage ")) return false;
  if (std::size_t end = line.find("  # "); end != std::string_view::npos) {
    std::string_view what = line.substr(end + 4);
    for (std::string_view sign : {"Timed out", "Killed due to", "Bad exit"})
      if (what.starts_with(sign)) return true;
    if (what.ends_with("in doctesting framework")) return true;
  }
  std::size_t doctest = line.find("doctest", 4);
  return doctest != std::string_view::npos && line.find("failed", doctest) != std::string_view::npos;
}

std::string_view failed_target(std::string_view line) {
  std::string_view rest = after_stars(line);
  if (!rest.starts_with("[")) return {};
  std::size_t close = rest.rfind("] ");
  if (close == std::string_view::npos) return {};
  std::string_view target = rest.substr(1, close - 1);
  std::size_t place = target.rfind(": ");  // "Makefile:557: "; old versions print none
  return place == std::string_view::npos ? target : target.substr(place + 2);
}

bool is_make_stop(std::string_view line) {
  std::string_view rest = after_stars(line);
  return !rest.empty() && rest[0] != '[' && rest.ends_with("Stop.");
}

}  // namespace stagemake
