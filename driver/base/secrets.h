// Removes secrets from text that is written to files or shown: passwords in URLs, and values whose names say
// that they are secret.
#pragma once

#include <string>
#include <string_view>

namespace stagemake {

// `text` with `…` for each user and password in a URL ("https://…@host/path"; ssh's public `git@` stays), and
// for the value of each NAME=VALUE whose name contains token, password, secret or API key. A value ends at a
// blank, a quote or `&`. Both are guesses by form: values that are known to be private, such as a proxy's,
// must not be written at all.
std::string without_secrets(std::string_view text);

inline bool has_secret(std::string_view text) {
  return without_secrets(text) != text;
}

}  // namespace stagemake
