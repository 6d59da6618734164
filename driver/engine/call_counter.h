// Counts the calls of an engine's verbs, from any thread.
#pragma once

#include <map>
#include <mutex>
#include <string>

namespace stagemake {

class CallCounter {
 public:
  void count(const std::string& verb) {
    std::lock_guard lock(mutex_);
    ++calls_[verb];
  }
  std::map<std::string, unsigned> all() const {
    std::lock_guard lock(mutex_);
    return calls_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, unsigned> calls_;
};

}  // namespace stagemake
