#include "base/text/labels.h"

#include <fmt/format.h>

#include "base/text/text.h"

namespace stagemake {

std::string unfit_label(const Labels& labels, std::string_view prefix) {
  std::size_t all = 0;
  for (const auto& [name, value] : labels) {
    if (!name.starts_with(prefix)) continue;
    std::size_t size = name.size() + value.size();
    all += size;
    if (size > kLongestLabel)
      return fmt::format("its label {} has {}; the limit is {}", shown(name), size_text(size),
                         size_text(kLongestLabel));
  }
  if (all <= kMostLabelBytes) return {};
  return fmt::format("its labels have {}; the limit is {}", size_text(all), size_text(kMostLabelBytes));
}

}  // namespace stagemake
