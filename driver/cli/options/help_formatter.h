// Help for a terminal of 80 columns: names in the first columns, descriptions wrapped beside them.
#pragma once

#include <CLI/CLI.hpp>
#include <sstream>
#include <string>

#include "base/text/text.h"

namespace stagemake {

class HelpFormatter : public CLI::Formatter {
 public:
  explicit HelpFormatter(std::size_t names) : room_(kColumns - names) { column_width(names); }

  std::string make_option_desc(const CLI::Option* option) const override {
    return wrapped(CLI::Formatter::make_option_desc(option));
  }

  std::string make_subcommand(const CLI::App* command) const override {
    std::stringstream out;
    CLI::detail::format_help(out, command->get_name(), wrapped(command->get_description()), column_width_);
    return out.str();
  }

 private:
  std::string wrapped(const std::string& whole) const {
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

  static constexpr std::size_t kColumns = 80;
  std::size_t room_;
};

}  // namespace stagemake
