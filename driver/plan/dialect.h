// The two ways of describing a distribution that are supported: Sage 9.8 (January 2023) and passagemath
// (2026). They differ in which files a package's folder holds and in how dependency lines become make's
// prerequisites.
//
// A tree's dialect is recognized from its metadata (plan/package_index.h); this module only names it.
#pragma once

#include <optional>
#include <string_view>

namespace stagemake {

enum class Dialect { Sage98, Passagemath2026 };

// "sage-9.8", "passagemath-2026".
std::string_view name(Dialect dialect);

// The dialect of that name; nothing where none has it.
std::optional<Dialect> dialect_named(std::string_view name);

}  // namespace stagemake
