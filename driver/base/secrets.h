// What only its owner may know, in text that is written into files or shown: passwords in URLs, and values
// whose names say that they are secret.
#pragma once

#include <string>
#include <string_view>

namespace stagemake {

// `text` with `…` for each user and password in a URL ("https://…@host/path"; ssh's `git@` stays, which is
// everybody's), and for the value of each NAME=VALUE whose name speaks of a token, a password, a secret or a
// key of an API: up to a blank, a quote or `&`. Both are guesses by form: where it is known that a value is
// its caller's alone, as a proxy's, it is not to be written at all.
std::string without_secrets(std::string_view text);

inline bool has_secret(std::string_view text) {
  return without_secrets(text) != text;
}

}  // namespace stagemake
