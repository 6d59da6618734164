#include "tree/make_variables.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/files/beneath.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

// Only Sage 9.1 has the second one.
constexpr std::string_view kFile = "build/make/Makefile.in", kSecondFile = "build/make/deps";

struct Assumption {
  std::string_view name;
  std::string_view sage98;
  std::string_view passagemath2026;
};

// As in the makefiles of the two releases. gcc is in the toolchain if configure decides to build it: as long
// as that is unknown, it counts, like any package that the system may provide.
constexpr Assumption kAssumptions[] = {
    {"PYTHON", "python3", "python3"},
    {"MP_LIBRARY", "gmp", "gmp"},
    {"BLAS", "openblas", "openblas"},
    {"SAGERUNTIME", "sagelib $(inst_ipython) $(inst_pexpect)", "sagelib $(inst_ipython) $(inst_pexpect)"},
    {"SCRIPTS", "", ""},
    {"PCFILES", "", ""},
    {"TOOLCHAIN", "gcc", "gcc"},
    {"TOOLCHAIN_DEPS", "zlib $(MP_LIBRARY) mpfr mpc", "zlib $(MP_LIBRARY) mpfr mpc"},
    {"PYTHON_TOOLCHAIN", "setuptools pip setuptools_scm wheel setuptools_wheel",
     "setuptools pip setuptools_scm wheel flit_core hatchling python_build"},
    {"SAGE_CHECK_PACKAGES_DEFAULT_yes", "!python3,?meson_python",
     "!python3,?meson_python,!cython,!cysignals,!linbox,!ppl,!cmake,!rpy2,!sage_sws2rst,!sagelib"},
    {"SAGE_CHECK_PACKAGES_DEFAULT_warn", "",
     "!python3,?meson_python,!cython,!cysignals,!linbox,!ppl,!cmake,!rpy2,!sage_sws2rst,!sagelib"},
};
constexpr std::string_view kAssumedBase = "$(inst_patch) $(inst_pkgconf)";
constexpr std::string_view kAssumedBaseToolchain = "_clean-broken-gcc base";

bool is_variable_byte(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

bool starts_with_any(std::string_view line, std::initializer_list<std::string_view> starts) {
  return std::any_of(starts.begin(), starts.end(),
                     [&](std::string_view start) { return line.starts_with(start); });
}

// `@NAME@`, which configure replaces.
bool has_placeholder(std::string_view text) {
  for (std::size_t at = text.find('@'); at != std::string_view::npos; at = text.find('@', at + 1)) {
    std::size_t end = at + 1;
    while (end < text.size() && is_variable_byte(text[end])) ++end;
    if (end > at + 1 && end < text.size() && text[end] == '@') return true;
  }
  return false;
}

// One logical line: without comment, with continuation lines joined.
struct LogicalLines {
  std::string_view rest;
  unsigned next = 1;    // number of the first line of `rest`
  unsigned number = 0;  // of the line that next_line() returned

  bool next_line(std::string& line) {
    if (rest.empty()) return false;
    line.clear();
    number = next;
    while (!rest.empty()) {
      std::size_t end = rest.find('\n');
      std::string_view part = rest.substr(0, end);
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
      ++next;
      if (part.ends_with('\r')) part.remove_suffix(1);
      bool goes_on = part.ends_with('\\');
      if (goes_on) part.remove_suffix(1);
      line += part;
      if (!goes_on) break;
      line += ' ';
    }
    return true;
  }
};

}  // namespace

MakeVariables MakeVariables::read(const fs::path& tree, const TreeFeatures& features, Faults* faults) {
  MakeVariables variables;
  bool any = false;
  for (std::string_view file : {kFile, kSecondFile}) {
    std::optional<std::string> text;
    try {
      text = read_inside(tree, std::string(file));
    } catch (const Error& error) {
      std::string what = error.faults().front().what;
      if (faults == nullptr) throw bad_input(std::string(file), std::move(what));
      faults->add(std::string(file), std::move(what));
    }
    if (text) variables.read_text(*text, file);
    any = any || text;
  }
  if (!any) {
    variables.base_.text = kAssumedBase;
    variables.base_toolchain_.text = kAssumedBaseToolchain;
  }
  variables.fill_in(features);
  return variables;
}

void MakeVariables::read_text(std::string_view text, std::string_view file) {
  LogicalLines lines{text};
  std::string line;
  unsigned depth = 0;  // of conditionals and defines, whose assignments are not unconditional
  while (lines.next_line(line)) {
    if (line.starts_with('\t')) continue;
    std::string_view said = trimmed(line);
    if (starts_with_any(said, {"ifdef ", "ifndef ", "ifeq ", "ifneq ", "ifeq(", "ifneq(", "define "}))
      ++depth;
    if (depth > 0 && (said == "endif" || said == "endef" || starts_with_any(said, {"endif ", "endef "})))
      --depth;
    if (depth == 0) read_line(said, file, lines.number);
  }
}

void MakeVariables::read_line(std::string_view line, std::string_view file, unsigned number) {
  line = trimmed(line.substr(0, line.find('#')));
  std::size_t end = 0;
  while (end < line.size() && (is_variable_byte(line[end]) || line[end] == '-')) ++end;
  std::string_view name = line.substr(0, end);
  std::string_view rest = trimmed(line.substr(end));
  if (name.empty() || rest.empty()) return;
  auto where = [&] { return fmt::format("{}:{}", file, number); };
  for (std::string_view sign : {"=", ":=", "::=", "?=", "+="}) {
    if (!rest.starts_with(sign)) continue;
    std::string_view text = trimmed(rest.substr(sign.size()));
    auto [place, fresh] = values_.try_emplace(std::string(name), Value{std::string(text), where()});
    if (!fresh && sign == "+=") place->second.text.append(" ").append(text);
    if (!fresh && sign != "+=" && sign != "?=") place->second = {std::string(text), where()};
    return;
  }
  if (!rest.starts_with(':') || rest.starts_with("::")) return;
  if (name == "base") base_ = {std::string(trimmed(rest.substr(1))), where()};
  if (name == "sagelib-build-deps") sagelib_ = {std::string(trimmed(rest.substr(1))), where()};
  if (name == "base-toolchain") base_toolchain_ = {std::string(trimmed(rest.substr(1))), where()};
}

void MakeVariables::fill_in(const TreeFeatures& features) {
  for (auto& [name, value] : values_)
    if (has_placeholder(value.text)) value = {};  // set by configure; empty unless assumed below
  for (const Assumption& assumption : kAssumptions) {
    auto [place, fresh] = values_.try_emplace(std::string(assumption.name));
    if (fresh || place->second.assumed())
      place->second.text = assumption.name == "MP_LIBRARY"    ? features.mp_library
                           : features.recent_python_toolchain ? assumption.passagemath2026
                                                              : assumption.sage98;
  }
}

const MakeVariables::Value* MakeVariables::find(std::string_view name) const {
  auto found = values_.find(name);
  return found == values_.end() ? nullptr : &found->second;
}

std::vector<std::string> MakeVariables::names() const {
  std::vector<std::string> result;
  for (const auto& [name, value] : values_) result.push_back(name);
  return result;
}

}  // namespace stagemake
