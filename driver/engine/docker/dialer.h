// A socket of this machine whose connections are made by a program, such as ssh: for each connection to the
// socket, one program runs with it as its standard input and output. A program ends when its connection is
// closed.
//
// Thread rule: all calls from any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/files/files.h"

namespace stagemake {

class Dialer {
 public:
  // EngineError if there can be no socket.
  explicit Dialer(std::vector<std::string> argv);
  ~Dialer();  // ends programs that still run
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;

  const fs::path& socket() const;
  // What the last program said on standard error that ended with words. Waits a moment for one that is about
  // to; empty if there is none.
  std::string last_words() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stagemake
