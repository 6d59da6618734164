#include "plan/dialect.h"

namespace stagemake {

std::string_view name(Dialect dialect) {
  return dialect == Dialect::Sage98 ? "sage-9.8" : "passagemath-2026";
}

std::optional<Dialect> dialect_named(std::string_view wanted) {
  for (Dialect dialect : {Dialect::Sage98, Dialect::Passagemath2026})
    if (name(dialect) == wanted) return dialect;
  return std::nullopt;
}

}  // namespace stagemake
