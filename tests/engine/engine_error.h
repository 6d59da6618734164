// What an engine says when it fails.
#pragma once

#include <functional>
#include <string>

#include "engine/container_engine.h"

namespace stagemake::test {

// The words of the EngineError that `call` throws; "no EngineError" if it throws none.
inline std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const EngineError& error) {
    return error.what();
  }
  return "no EngineError";
}

}  // namespace stagemake::test
