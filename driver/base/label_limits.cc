#include "base/label_limits.h"

#include <fmt/format.h>

#include "base/text.h"

namespace stagemake {

std::string unfit_label(const std::map<std::string, std::string>& labels, std::string_view prefix) {
  std::size_t all = 0;
  for (const auto& [name, value] : labels) {
    if (!name.starts_with(prefix)) continue;
    std::size_t size = name.size() + value.size();
    all += size;
    if (size > kLongestLabel)
      return fmt::format("its label {} has {}, of which at most {} can be", shown(name), size_text(size),
                         size_text(kLongestLabel));
  }
  if (all <= kMostLabelBytes) return {};
  return fmt::format("its labels have {}, of which at most {} can be", size_text(all),
                     size_text(kMostLabelBytes));
}

}  // namespace stagemake
