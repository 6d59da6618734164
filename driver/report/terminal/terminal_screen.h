// A terminal in which lines scroll by above a block that is redrawn in place, and its keys.
//
// Knows neither runs nor reporters. After a resize, it computes from the block's lines how the terminal has
// wrapped them. While the driver is stopped or in the background, nothing is drawn and no key is read.
//
// Output is queued, so a stopped terminal (ctrl-S) delays nobody.
//
// Thread rule: one thread at a time, except for restore().
#pragma once

#include <termios.h>

#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/process/output_queue.h"

namespace stagemake {

class TerminalScreen {
 public:
  // `out` writes to a terminal. If `in` is not a terminal, there are no keys.
  TerminalScreen(OutputQueue& out, int in);
  // Removes the block and restores the terminal.
  ~TerminalScreen();
  TerminalScreen(const TerminalScreen&) = delete;
  TerminalScreen& operator=(const TerminalScreen&) = delete;

  bool has_keys() const { return has_keys_; }
  struct Size {
    unsigned columns = 80, rows = 24;
  };
  Size size() const;

  // Whether the terminal has taken all output; if not, another frame would only queue up.
  bool is_idle() const { return queue_.is_idle(); }
  // Writes `above` (complete lines with line ends) in the place of the block, and the block below (lines
  // without line ends). If the block is empty, only `above`.
  void show(std::string_view above, const std::vector<std::string>& block);

  // The next key, waiting at most so many milliseconds; nothing if none was pressed. Escape is '\x1b'; other
  // keys that send sequences are ignored.
  std::optional<char> key(int milliseconds);

  // Restores the terminal, for code that must exit at once. Call from any thread.
  void restore();

 private:
  bool take_over();
  unsigned rows_of_block(const Size& size) const;

  OutputQueue& queue_;
  const int out_, in_;
  bool has_keys_ = false;
  termios before_{};
  termios ours_{};
  std::atomic<bool> changed_{false};  // the terminal has our settings
  std::vector<std::string> block_;    // as currently drawn
};

}  // namespace stagemake
