// The variables that tox would set for an environment: the settings of the factor table that apply to its
// name, with `{env:…}` and the like replaced. Shell text in values stays unchanged
// (environment/shell_forms.h).
//
// `{env:K:DEFAULT}` is the setting K of the same environment, else the caller's variable, else DEFAULT, which
// may contain more references; `{env:K}` is empty if K is unset. A setting that refers to itself gets the
// caller's variable. Two settings that refer to each other are an error.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "environment/factor_table.h"

namespace stagemake {

// The caller's variables; nullopt for an unset one.
using CallerVariables = std::function<std::optional<std::string>(std::string_view)>;

struct ToxCall {
  std::string environment;  // the whole name, with `docker-`
  CallerVariables caller;
  // Settings from the command line: they count as the table's last lines.
  std::map<std::string, std::string> settings = {};
  std::vector<std::string> arguments = {};  // {posargs}
  // Folders: an absent one stays a placeholder, `{envdir}`, so that the result is the same everywhere.
  std::optional<std::string> envdir = {};
  std::optional<std::string> toxinidir = {};
};

// Variables by name. Throws Error (BadInput) if settings refer to each other in a cycle, or a value exceeds 1
// MB. A `{…}` that is not one of tox's forms stays unchanged.
std::map<std::string, std::string> tox_variables(const FactorTable& table, const ToxCall& call);

}  // namespace stagemake
