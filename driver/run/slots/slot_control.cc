#include "run/slots/slot_control.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <mutex>

#include "base/error.h"
#include "base/process/sleep.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

constexpr std::chrono::milliseconds kLook{300};
constexpr std::string_view kWanted = ".wanted";  // appended to the name of the lock file

fs::path wanted_file(const fs::path& lock_file) {
  return lock_file.string() + std::string(kWanted);
}

void remove_quietly(const fs::path& file) {
  boost::system::error_code ignored;
  fs::remove(file, ignored);
}

}  // namespace

std::string change_slots(JobSlots& pool, unsigned count) {
  unsigned before = pool.count();
  pool.set_count(count);
  if (pool.are_borrowed())
    return fmt::format("at most {} of the calling make's job slots from now on; it was {} before",
                       pool.count(), before);
  return fmt::format("{} from now on; it was {} before", counted(pool.count(), "job slot"), before);
}

SlotControl::SlotControl(const fs::path& folder, JobSlots& pool, Reporter& reporter)
    : lock_file_(folder / std::to_string(::getpid())), pool_(pool), reporter_(reporter) {
  make_own_folder(folder);
  lock_ = FileLock::try_take(lock_file_);
  remove_quietly(wanted_file(lock_file_));  // left by a dead process with that number
  thread_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
}

SlotControl::~SlotControl() {
  thread_ = {};
  remove_quietly(lock_file_);
  remove_quietly(wanted_file(lock_file_));
}

void SlotControl::watch(const std::stop_token& stop) {
  while (sleep_for(kLook, stop)) {
    try {
      look();
    } catch (...) {
      // Try again on the next look.
    }
  }
}

void SlotControl::look() {
  std::optional<std::string> text = read_file(wanted_file(lock_file_));
  if (!text) return;
  remove_quietly(wanted_file(lock_file_));
  unsigned count = 0;
  std::from_chars(text->data(), text->data() + text->size(), count);
  if (count == 0 || count == pool_.count()) return;
  reporter_.note(change_slots(pool_, count));
}

std::vector<std::string> SlotControl::ask(const fs::path& folder, unsigned count) {
  std::vector<std::string> asked;
  boost::system::error_code failed;
  std::vector<fs::path> files;
  for (fs::directory_iterator file(folder, failed), end; !failed && file != end; file.increment(failed))
    files.push_back(file->path());
  for (const fs::path& file : files) {
    if (file.string().ends_with(kWanted)) continue;
    if (FileLock::try_take(file)) {  // its process is dead
      remove_quietly(file);
      remove_quietly(wanted_file(file));
      continue;
    }
    write_file(wanted_file(file), std::to_string(count));
    asked.push_back(FileLock::holder(file));
  }
  return asked;
}

}  // namespace stagemake
