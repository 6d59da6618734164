// A terminal in which lines scroll by above a block that is redrawn in place, and its keys.
//
// It knows neither runs nor reporters. What a resize made of the block it works out from the block's lines:
// terminals fold them anew. Where the terminal is not ours for a while (the driver is in the background, or
// was stopped), nothing is drawn and no key read.
//
// What is shown is queued: a terminal that was stopped (ctrl-S) holds up nobody.
//
// Thread rule: one thread at a time, but for restore().
#pragma once

#include <termios.h>

#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/output_queue.h"

namespace stagemake {

class TerminalScreen {
 public:
  // `out` writes to a terminal; `in` may be one: else there are no keys.
  TerminalScreen(OutputQueue& out, int in);
  // Takes the block away and restores the terminal.
  ~TerminalScreen();
  TerminalScreen(const TerminalScreen&) = delete;
  TerminalScreen& operator=(const TerminalScreen&) = delete;

  bool has_keys() const { return has_keys_; }
  struct Size {
    unsigned columns = 80, rows = 24;
  };
  Size size() const;

  // Whether the terminal has taken all that was shown: else another frame would only wait behind that.
  bool is_idle() const { return queue_.is_idle(); }
  // Writes `above`, whole lines with their ends, where the block is, and the block beneath; its lines have
  // none. An empty block: only `above`.
  void show(std::string_view above, const std::vector<std::string>& block);

  // A key that was pressed, waiting for one for some milliseconds; nothing where none was. Escape is '\x1b';
  // other keys that send sequences are passed over.
  std::optional<char> key(int milliseconds);

  // The terminal as it was before, for who must end at once. From any thread.
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
  std::vector<std::string> block_;    // as it stands
};

}  // namespace stagemake
