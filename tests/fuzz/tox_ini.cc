// tox.ini: its form, the factor table, and what it says about environments. In memory.
#include "base/text/text.h"
#include "environment/factor_table.h"
#include "environment/ini_file.h"
#include "environment/tox_variables.h"
#include "fuzz.h"

namespace stagemake {
namespace {

constexpr const char* kFile = "tox.ini";
constexpr std::size_t kMostEnvironments = 5;
constexpr std::size_t kLongestName = 250;  // bytes; a longer one cannot be an image's name

void tell_environment(std::string& answer, const FactorTable& table, const std::string& name) {
  tell(answer, table.unknown_factors(name));
  tell_errors(answer, {}, [&] { table.check_factors(name); });
  tell_errors(answer, {kFile}, [&] {
    for (const auto& [key, value] : table.settings(name)) {
      tell(answer, key);
      tell(answer, value);
    }
  });
  ToxCall call{.environment = name};
  call.caller = [](std::string_view key) {
    return key.size() % 2 == 1 ? std::optional("of the caller, {env:A}") : std::nullopt;
  };
  call.arguments = {"build"};
  tell_errors(answer, {kFile}, [&] {
    std::map<std::string, std::string> variables = tox_variables(table, call);
    for (const auto& [key, value] : variables) {
      tell(answer, key);
      tell(answer, value);
    }
  });
}

void tell_shape(std::string& answer, std::string_view input) {
  Faults faults;
  for (const IniSection& section : parse_ini(input, kFile, faults)) {
    tell(answer, section.name);
    unsigned last = section.number;
    for (const IniKey& key : section.keys) {
      require(key.number > last || (key.number > 0 && last == 0), "keys come in the order of the lines",
              key.name);
      last = key.number;
      require(section.find(key.name) != nullptr, "a key is found by its name", key.name);
      for (const IniLine& line : logical_lines(key)) {
        require(line.number >= key.number && !line.text.empty(), "a line stands behind its key", line.text);
        tell(answer, line.text);
      }
    }
  }
  tell_faults(answer, faults.list(), {kFile});
}

}  // namespace

std::string answer_to(std::string_view input) {
  std::string answer;
  tell_shape(answer, input);
  Faults faults;
  FactorTable table = FactorTable::parse(input, kFile, faults);
  tell_faults(answer, faults.list(), {kFile});
  std::vector<std::string> names = {"docker-ubuntu-jammy-minimal",
                                    "docker-centos-7-devtoolset-gcc_11-maximal-incremental", "local-direct",
                                    "-"};
  for (const auto* list : {&table.envlist(), &table.platforms()})
    for (const ListedName& listed : *list) {
      tell(answer, listed.name);
      require(listed.line > 0 && listed.file == kFile, "a name in a list stands in a line", listed.name);
      if (names.size() < kMostEnvironments && listed.name.size() <= kLongestName)
        names.push_back(listed.name);
    }
  require(table.envlist().size() <= kMostNames && table.platforms().size() <= kMostNames,
          "lists are bounded");
  for (const std::string& name : names) tell_environment(answer, table, name);
  return answer;
}

void add_seeds(const fs::path& tree, const SeedSink& seed) {
  std::string all = seed_file(tree / "tox.ini") + seed_file(tree / "tox-setenv.ini");
  seed(all);
  // Small inputs find more: pieces of twenty lines with the two headers they need.
  std::vector<std::string_view> said = lines(all);
  for (std::size_t first = 0; first < said.size(); first += 20) {
    std::string part =
        "[tox]\nenvlist = docker-{ubuntu-jammy,debian}-{minimal,standard}\n[testenv]\nsetenv =\n";
    for (std::size_t i = first; i < said.size() && i < first + 20; ++i) part.append(said[i]).append("\n");
    seed(part);
  }
  seed(
      "[tox]\nenvlist = a{b,c{d,e}}-x, y\n    # comment\n[testenv:local]\nsetenv =\n    "
      "A={env:B:{env:C:{posargs:d}}}\n"
      "    x-!y,{u,v}-w: B = {env:A} \\\n  more\n    K=\\{v\\} \\# no comment # one\n; "
      "c\n[other]\nDEFAULT_SYSTEM_FACTORS =\n  u-v\n");
  seed(repeated("[testenv]\nsetenv =\n  A=", "{env:B:", "x"));
  seed(repeated("[testenv]\nsetenv =\n  A=x\n  B=", "{env:A}", ""));
  seed(repeated("[testenv]\nsetenv =\n  ", "{a,b}-", "c: A=1\n"));
  seed(repeated("[testenv]\nsetenv =\n  ", "{", "c: A=1\n"));
  seed(repeated("[testenv]\nsetenv =\n", "  a,!b-c: K = {env:K}x\\\n", "\n"));
  seed(repeated("[tox]\nenvlist = ", "{a,b", "}"));
  seed(repeated("[tox]\nenvlist = ", "docker-x-", "\n"));
  seed(repeated("", "[a]\nk=\n", ""));
}

}  // namespace stagemake
