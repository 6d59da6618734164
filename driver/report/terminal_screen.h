// A terminal in which lines scroll by above a block that is redrawn in place, and its keys.
//
// It knows neither runs nor reporters. What a resize made of the block it works out from the block's lines:
// terminals fold them anew. Where the terminal is not ours for a while (the driver is in the background, or
// was stopped), nothing is drawn and no key read.
//
// Thread rule: one thread at a time, but for restore().
#pragma once

#include <termios.h>

#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stagemake {

class TerminalScreen {
 public:
  // `out` is a terminal; `in` may be one: else there are no keys.
  TerminalScreen(int out, int in);
  // Takes the block away and restores the terminal.
  ~TerminalScreen();
  TerminalScreen(const TerminalScreen&) = delete;
  TerminalScreen& operator=(const TerminalScreen&) = delete;

  bool has_keys() const { return has_keys_; }
  struct Size {
    unsigned columns = 80, rows = 24;
  };
  Size size() const;

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

  const int out_, in_;
  bool has_keys_ = false;
  termios before_{};
  termios ours_{};
  std::atomic<bool> changed_{false};  // the terminal has our settings
  std::vector<std::string> block_;    // as it stands
};

}  // namespace stagemake
