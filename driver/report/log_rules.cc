#include "report/log_rules.h"

#include <algorithm>
#include <bitset>

namespace stagemake {
namespace {

enum class Where { Begins, Contains, Ends };
struct Rule {
  std::string_view words;  // at least three bytes
  Where where;
  int weight;
  bool later = false;
};

// The first that fits counts: what is more special, and what takes weight away, comes before what is general.
constexpr Rule kRules[] = {
    // The machine's own troubles: all that is said besides follows from them.
    {"No space left on device", Where::Contains, 100},
    {"Disk quota exceeded", Where::Contains, 100},
    {"Cannot allocate memory", Where::Contains, 96},
    {"virtual memory exhausted", Where::Contains, 96},
    {"Killed (program", Where::Contains, 96},
    {"Killed signal terminated program", Where::Contains, 96},
    {"internal compiler error", Where::Contains, 95},
    // No failures, however they read: trials of configure scripts, and what somebody ignores.
    {"configure: error: ", Where::Contains, 90},
    {"checking ", Where::Begins, 0},
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
    // Consequences that read like causes
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
    // Package managers
    {"E: Sub-process", Where::Begins, 38},
    {"E: Unable to fetch some", Where::Begins, 38},
    {"E: Failed to fetch", Where::Begins, 85},
    {"E: ", Where::Begins, 88},
    {"Unable to find a match", Where::Contains, 90},
    {"No match for argument", Where::Contains, 91},
    {"error: target not found", Where::Contains, 90},
    {"(no such package)", Where::Contains, 90},
    {"unable to select packages", Where::Contains, 38},
    {"No provider of ", Where::Contains, 88},
    {"there are no ebuilds", Where::Contains, 88},
    {"PackagesNotFoundError", Where::Contains, 88},
    {"ResolvePackageNotFound", Where::Contains, 88},
    {"othing provides ", Where::Contains, 88},
    // The network, and what came from it
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
    // What says of itself that it is one
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
      return line.starts_with(rule.words);
    case Where::Ends:
      return line.ends_with(rule.words);
    case Where::Contains:
      return line.find(rule.words) != std::string_view::npos;
  }
  return false;
}

// Which three bytes some rule begins with. Nearly no line of a long log holds any, so that looking at each
// byte once is enough for nearly all.
class Beginnings {
 public:
  Beginnings() {
    for (const Rule& rule : kRules) add(rule.words);
    add("Error");
    add("Exception");
    add("***");
  }
  bool any_in(std::string_view line) const {
    for (std::size_t i = 0; i + 3 <= line.size(); ++i)
      if (known_[place(line[i], line[i + 1], line[i + 2])]) return true;
    return false;
  }

 private:
  static std::size_t place(char a, char b, char c) {
    auto byte = [](char one) { return static_cast<std::size_t>(static_cast<unsigned char>(one)); };
    return (byte(a) * 1021 + byte(b) * 67 + byte(c)) % kPlaces;
  }
  void add(std::string_view words) { known_.set(place(words[0], words[1], words[2])); }

  static constexpr std::size_t kPlaces = 1 << 15;
  std::bitset<kPlaces> known_;
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

// `***` of make, wherever make is called what.
std::string_view after_stars(std::string_view line) {
  std::size_t at = line.find(": *** ");
  return at == std::string_view::npos ? std::string_view() : line.substr(at + 6);
}

}  // namespace

LineWeight line_weight(std::string_view line) {
  static const Beginnings kBeginnings;
  if (!kBeginnings.any_in(line)) return {};
  for (const Rule& rule : kRules)
    if (fits(rule, line)) return {rule.weight, rule.later};
  if (is_exception(line)) return {80, true};
  if (is_make_stop(line)) return {70, false};
  if (is_error_word(line)) return {40, true};
  return {};
}

bool is_chatter(std::string_view line) {
  if (line.find(": Leaving directory ") != std::string_view::npos) return true;
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
  if (!line.starts_with("sage ")) return false;
  std::size_t doctest = line.find("doctest", 4);
  return doctest != std::string_view::npos && line.find("failed", doctest) != std::string_view::npos;
}

std::string_view failed_target(std::string_view line) {
  std::string_view rest = after_stars(line);
  if (!rest.starts_with("[")) return {};
  std::size_t close = rest.rfind("] ");
  if (close == std::string_view::npos) return {};
  std::string_view target = rest.substr(1, close - 1);
  std::size_t place = target.rfind(": ");  // "Makefile:557: "; old ones have none
  return place == std::string_view::npos ? target : target.substr(place + 2);
}

bool is_make_stop(std::string_view line) {
  std::string_view rest = after_stars(line);
  return !rest.empty() && rest[0] != '[' && rest.ends_with("Stop.");
}

}  // namespace stagemake
