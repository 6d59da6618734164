// Output that nobody waits for: text is queued, and the queue's own thread writes it to a descriptor.
//
// A reader that is slow, stopped (ctrl-S) or gone, and a full disk, only cost lines: add() never blocks and
// never throws, and at most `most` bytes are queued. Lost lines are counted, and a marker replaces them if
// anything can be written after them.
//
// Other processes (a shell, make) may share the descriptor and its flags, so we do not change the flags: the
// thread polls before it writes, in pieces that a pipe or a terminal accepts whole. It can still block in a
// write if another process fills the pipe at that moment. Then finish() abandons the thread until the process
// ends.
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

// "stagemake: 12 lines are left out here: WHY", with its line end.
std::string lost_lines_marker(std::size_t lines, const std::string& why);
inline constexpr const char* kReadTooLate = "they were not read in time";

struct OutputQueueOptions {
  std::size_t most = 8u << 20;          // bytes in the queue
  std::chrono::milliseconds gather{0};  // text that comes within this time is written together
  bool owns_descriptor = false;         // the queue closes the descriptor
  // The text that replaces lost lines, with its line end. Empty: lost_lines_marker().
  std::function<std::string(std::size_t lines, const std::string& why)> marker = {};
};

// Output that did not reach its reader.
struct OutputLoss {
  std::size_t lines = 0;
  std::string why = {};  // why the last one was lost; empty if none was
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
  // Counts lines that the caller dropped itself and replaced with its own marker.
  void lose(std::size_t lines) noexcept;
  // Whether the queue is empty: all text was written to the descriptor or is lost.
  bool is_idle() const noexcept;
  OutputLoss loss() const;

  // Waits until everything is written, or until the reader has accepted nothing for `patience`. Then the rest
  // is lost, and so is text that is added later.
  OutputLoss finish(std::chrono::milliseconds patience = kPatience) noexcept;

 private:
  struct State;
  void start();
  std::shared_ptr<State> state_;  // shared with the thread, which may outlive the queue
  std::thread thread_;            // starts with the first text
};

}  // namespace stagemake
