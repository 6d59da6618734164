// Errors that end a command: bad input, or a failure of the system outside the tree.
//
// The result of a stage's build is never such an error, but a value (run/outcome.h). An Error is thrown where
// it is found, carries all faults of its reading phase, and is caught once, in cli.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace stagemake {

// The exit statuses of the command.
enum class ExitStatus : int {
  Ok = 0,
  StageFailed = 1,
  BadInput = 2,        // usage, options, a faulty tree
  EngineUnusable = 3,  // no container engine, or it went away
  OutOfTime = 75,      // the deadline passed; finished work is saved, and the same command continues
  HungUp = 129,        // SIGHUP
  Interrupted = 130,   // SIGINT
  Terminated = 143,    // SIGTERM
};

// What users read about an exit status. Help, manual pages and driver/manual/ci.md say the same; a test
// compares them.
struct ExitStatusText {
  int status = 0;
  std::string_view brief;  // a few words
  std::string_view text;   // in Markdown
};
// All exit statuses, in ascending order.
std::vector<ExitStatusText> exit_statuses();

// One fault and its place. `where` is "file:line", "file", or empty if no file is at fault. `owner` is the
// faulty package; everything else is usable. If `owner` is empty, the whole tree is at fault.
struct Fault {
  std::string where;
  std::string what;
  std::string owner = {};

  std::string text() const { return where.empty() ? what : where + ": " + what; }
  auto operator<=>(const Fault&) const = default;
};

class Error : public std::runtime_error {
 public:
  // `faults` holds at least one; what() has their texts, one per line.
  Error(ExitStatus status, std::vector<Fault> faults);
  Error(ExitStatus status, std::string what) : Error(status, std::vector<Fault>{{"", std::move(what)}}) {}

  ExitStatus status() const { return status_; }
  const std::vector<Fault>& faults() const { return faults_; }

 private:
  ExitStatus status_;
  std::vector<Fault> faults_;
};

// Bad input: usage, options, or a tree that breaks the rules.
inline Error bad_input(std::string where, std::string what) {
  return Error(ExitStatus::BadInput, {{std::move(where), std::move(what)}});
}

// The system outside the tree failed: a file cannot be written, an engine does not answer.
inline Error engine_unusable(std::string what) {
  return Error(ExitStatus::EngineUnusable, std::move(what));
}

// Collects the faults of one reading phase, so that a person can fix them all at once.
class Faults {
 public:
  void add(std::string where, std::string what, std::string owner = {}) {
    list_.push_back({std::move(where), std::move(what), std::move(owner)});
  }
  void add(const std::vector<Fault>& others) { list_.insert(list_.end(), others.begin(), others.end()); }
  // Assigns the faults without an owner, from position `first` on, to `owner`.
  void assign(std::size_t first, const std::string& owner) {
    for (; first < list_.size(); ++first)
      if (list_[first].owner.empty()) list_[first].owner = owner;
  }
  bool empty() const { return list_.empty(); }
  const std::vector<Fault>& list() const { return list_; }
  // If there are any faults, throws one Error with all of them, sorted and without duplicates.
  void throw_if_any() const;

 private:
  std::vector<Fault> list_;
};

}  // namespace stagemake
