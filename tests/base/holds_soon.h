// Waits for what another thread or process does.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace stagemake::test {

// True as soon as the condition holds. False if it does not within five minutes, which a busy machine never
// needs.
inline bool holds_soon(const std::function<bool()>& condition) {
  auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(5);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace stagemake::test
