// Whether a push or pull that failed may do better on another attempt. Engines say it in words only: theirs
// and the registry's are read here, once, for all of them.
#pragma once

#include <string>
#include <string_view>

namespace stagemake {

// Of an HTTP answer: 408, 429, and the errors of a server itself, 500 to 599, except 501 and 505 (RFC 9110: the
// server will never do that).
bool is_transient_status(long status);

// `why`: Transfer::why; `image`: the name that was pushed or pulled, which may hold any words itself. True
// unless the text says for certain that the same request gets the same answer: a registry's permanent status
// or error code, a missing or refused login, a certificate that is not trusted, an image or name that does
// not exist.
bool is_transient_failure(std::string_view why, std::string_view image);

}  // namespace stagemake
