// Output that nobody waits for: text is queued, and a thread of the queue's own writes it to a descriptor.
//
// A reader that is slow, stopped (ctrl-S) or gone, and a full disk, cost lines and nothing else: add() never
// waits and never throws, and what waits takes at most `most` bytes. Lines that are lost are counted, and a
// marker stands in their place, if anything can be written after them.
//
// The descriptor's flags are shared with whoever else has it open (a shell, make), so they stay as they are:
// the thread polls before it writes, in pieces that a pipe or a terminal takes whole. It may still get stuck
// in a write, when another process fills the pipe at that moment. Then finish() leaves it behind, until the
// process ends.
//
// Thread rule: any thread; finish() once.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

namespace stagemake {

// "stagemake: 12 lines are left out here: WHY", with its end.
std::string lost_lines_marker(std::size_t lines, const std::string& why);
inline constexpr const char* kReadTooLate = "they were not read in time";

struct OutputQueueOptions {
  std::size_t most = 8u << 20;          // bytes that wait
  std::chrono::milliseconds gather{0};  // text that comes closer together is written together
  bool owns_descriptor = false;         // the queue closes it
  // The text that stands for lost lines, with its line end. Empty: lost_lines_marker().
  std::function<std::string(std::size_t lines, const std::string& why)> marker = {};
};

// What of the output did not reach its reader.
struct OutputLoss {
  std::size_t lines = 0;
  std::string why = {};  // why the last of them was lost; empty where none was
  explicit operator bool() const { return lines > 0; }
};

class OutputQueue {
 public:
  static constexpr std::chrono::milliseconds kPatience{2000};

  explicit OutputQueue(int descriptor, OutputQueueOptions options = {});
  ~OutputQueue();  // finish()
  OutputQueue(const OutputQueue&) = delete;
  OutputQueue& operator=(const OutputQueue&) = delete;

  int descriptor() const;
  // The lines of one call stay together.
  void add(std::string_view text) noexcept;
  // Counts lines that the caller left out by itself, and put a marker of its own in their place.
  void lose(std::size_t lines) noexcept;
  // Whether nothing waits: all text has been handed to the descriptor, or is lost.
  bool is_idle() const noexcept;
  OutputLoss loss() const;

  // Waits until all is written, or until the reader has taken nothing for `patience`: then the rest is lost.
  // So is what is added afterwards.
  OutputLoss finish(std::chrono::milliseconds patience = kPatience) noexcept;

 private:
  struct State;
  void start();
  std::shared_ptr<State> state_;  // the thread's, too: it may outlive the queue
  std::thread thread_;            // begins with the first text
};

}  // namespace stagemake
