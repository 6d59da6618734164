// Decides whether a failed push or pull may succeed on another attempt. Engines report failures only as text:
// their words and the registry's are interpreted here, for all engines.
#pragma once

#include <string>
#include <string_view>

namespace stagemake {

// HTTP statuses 408, 429, and server errors, 500 to 599, except 501 and 505 (RFC 9110: the server will never
// do that).
bool is_transient_status(long status);

// `why`: Transfer::why; `image`: the name that was pushed or pulled, which may itself contain any words. True
// unless the text says for certain that the same request gets the same answer: a permanent status or error
// code of a registry, a missing or refused login, an untrusted certificate, an image or name that does not
// exist.
bool is_transient_failure(std::string_view why, std::string_view image);

}  // namespace stagemake
