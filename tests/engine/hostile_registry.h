// A registry that means no good, in one way at a time: deep documents, endless ones, slow ones, wrong ones,
// lists and redirects without an end, compressed floods, indexes in a circle, sizes that cannot be.
//
// The answering functions keep no state but what is atomic, and serve any number of requests.
#pragma once

#include <map>
#include <string>

#include "http_server.h"

namespace stagemake::test {

// By name, each what such a registry answers to anything.
const std::map<std::string, HttpServer::Answer>& hostilities();

}  // namespace stagemake::test
