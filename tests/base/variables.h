// Sets environment variables during a test. An empty value unsets the variable.
#pragma once

#include <stdlib.h>

#include <map>
#include <optional>
#include <string>

namespace stagemake::test {

class Variables {
 public:
  Variables(std::initializer_list<std::pair<const std::string, std::string>> values) {
    for (const auto& [name, value] : values) set(name, value);
  }
  ~Variables() {
    for (const auto& [name, value] : before_)
      value ? ::setenv(name.c_str(), value->c_str(), 1) : ::unsetenv(name.c_str());
  }
  Variables(const Variables&) = delete;
  Variables& operator=(const Variables&) = delete;

  void set(const std::string& name, const std::string& value) {
    const char* old = ::getenv(name.c_str());
    before_.try_emplace(name, old == nullptr ? std::nullopt : std::optional<std::string>(old));
    value.empty() ? ::unsetenv(name.c_str()) : ::setenv(name.c_str(), value.c_str(), 1);
  }

 private:
  std::map<std::string, std::optional<std::string>> before_;
};

}  // namespace stagemake::test
