// What tox would give an environment as variables: the settings of the factor table that hold for its name,
// with `{env:…}` and the like replaced. Shell text in values stays as it is (plan/shell_forms.h).
//
// `{env:K:DEFAULT}` is the setting K of the same environment, else the caller's variable, else DEFAULT, which
// may hold more of the kind; `{env:K}` of something unset is empty. A setting that asks for itself gets the
// caller's. Two that ask for each other are an error.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plan/factor_table.h"

namespace stagemake {

// The caller's variables; nothing for one that is not set.
using CallerVariables = std::function<std::optional<std::string>(std::string_view)>;

struct ToxCall {
  std::string environment;  // the whole name, with `docker-`
  CallerVariables caller;
  // Settings that somebody says at the command line: they stand as if they were the table's last lines.
  std::map<std::string, std::string> settings = {};
  std::vector<std::string> arguments = {};  // {posargs}
  // Folders: what is absent stays a placeholder, `{envdir}`, so that the answer is the same everywhere.
  std::optional<std::string> envdir = {};
  std::optional<std::string> toxinidir = {};
};

// By name. Throws Error (BadInput) where settings ask for each other in a circle, or a value grows beyond
// 1 MB. A `{…}` that is none of tox's forms stays as it is.
std::map<std::string, std::string> tox_variables(const FactorTable& table, const ToxCall& call);

}  // namespace stagemake
