// Help that fits a terminal of 80 columns: names in the first ones, what they mean wrapped beside them.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "base/text.h"

namespace stagemake {

class HelpFormatter : public CLI::Formatter {
 public:
  explicit HelpFormatter(std::size_t names) : room_(kColumns - names) { column_width(names); }

  std::string make_option_desc(const CLI::Option* option) const override {
    std::string whole = CLI::Formatter::make_option_desc(option);
    std::string text, line;
    for (std::string_view word : words(whole)) {
      if (!line.empty() && line.size() + 1 + word.size() > room_) {
        text += line + "\n";
        line.clear();
      }
      line += (line.empty() ? "" : " ") + std::string(word);
    }
    return text + line;
  }

 private:
  static constexpr std::size_t kColumns = 80;
  std::size_t room_;
};

}  // namespace stagemake
