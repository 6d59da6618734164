// A hostile registry, in one way at a time: documents that are deep, endless, slow or wrong, lists and
// redirects without end, compressed floods, circular indexes, impossible sizes.
//
// The answering functions keep only atomic state, and serve any number of requests.
#pragma once

#include <map>
#include <string>

#include "registry/http_server.h"

namespace stagemake::test {

// By name: what each such registry answers to any request.
const std::map<std::string, HttpServer::Answer>& hostilities();

}  // namespace stagemake::test
