// Errors that end a command: bad input from a person, or a broken world.
//
// What a stage's build did is never an error of this kind: it is a value (run/outcome.h). An Error is thrown
// where it is found, carries every fault of its reading phase, and is caught once, in cli.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace stagemake {

// The exit statuses of the command. README.md lists them for users.
enum class ExitStatus : int {
  Ok = 0,
  StageFailed = 1,
  BadInput = 2,        // usage, options, a faulty tree
  EngineUnusable = 3,  // no container engine, or it went away
  OutOfTime = 75,      // the deadline came: what was done is saved, and the same command goes on
  Interrupted = 130,   // SIGINT
  Terminated = 143,    // SIGTERM
};

// One thing that is wrong and where. `where` is "file:line", "file", or empty where no file is at fault.
// `owner`: the package that is faulty; all else is as good as without the fault. Empty: the fault is the
// whole tree's.
struct Fault {
  std::string where;
  std::string what;
  std::string owner = {};

  std::string text() const { return where.empty() ? what : where + ": " + what; }
  auto operator<=>(const Fault&) const = default;
};

class Error : public std::runtime_error {
 public:
  // `faults` holds at least one; what() is their texts, one a line.
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

// The world outside the tree is broken: a file that cannot be written, an engine that does not answer.
inline Error engine_unusable(std::string what) {
  return Error(ExitStatus::EngineUnusable, std::move(what));
}

// Collects the faults of one reading phase, so that a person mends them all in one go.
class Faults {
 public:
  void add(std::string where, std::string what, std::string owner = {}) {
    list_.push_back({std::move(where), std::move(what), std::move(owner)});
  }
  void add(const std::vector<Fault>& others) { list_.insert(list_.end(), others.begin(), others.end()); }
  // Gives the faults without an owner from position `first` on to `owner`.
  void assign(std::size_t first, const std::string& owner) {
    for (; first < list_.size(); ++first)
      if (list_[first].owner.empty()) list_[first].owner = owner;
  }
  bool empty() const { return list_.empty(); }
  const std::vector<Fault>& list() const { return list_; }
  // Throws one Error with all faults, sorted and without repeats, where there are any.
  void throw_if_any() const;

 private:
  std::vector<Fault> list_;
};

}  // namespace stagemake
