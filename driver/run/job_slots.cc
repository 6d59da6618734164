#include "run/job_slots.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/text.h"

namespace stagemake {
namespace {

// How often the broker looks. A compiler runs for a second or so; what is given back in between is mostly
// taken again by the same make at once, without the broker.
constexpr std::chrono::milliseconds kLook{10};
// How often a container with no slot but that of its first job is offered one.
constexpr std::chrono::milliseconds kOffer{200};

}  // namespace

JobSlots::JobSlots(unsigned count)
    : count_(std::max(1u, count)),
      returned_(::epoll_create1(EPOLL_CLOEXEC)),
      broker_([this](const std::stop_token& stop) { serve(stop); }) {}

JobSlots::~JobSlots() {
  broker_ = {};
  ::close(returned_);
}

std::unique_ptr<JobSlots::Share> JobSlots::share(const fs::path& fifo) {
  std::unique_ptr<Share> share(new Share(*this, fifo));
  std::lock_guard lock(mutex_);
  shares_.push_back(share.get());
  return share;
}

unsigned JobSlots::count() const {
  std::lock_guard lock(mutex_);
  return count_;
}

void JobSlots::set_count(unsigned count) {
  {
    std::lock_guard lock(mutex_);
    count_ = std::max(1u, count);
  }
  changed_.notify_all();
}

unsigned JobSlots::used() const {
  unsigned slots = 0;
  for (const Share* share : shares_) slots += share->given_ + (share->runs_ ? 1 : 0);
  return slots;
}

unsigned JobSlots::free() const {
  std::lock_guard lock(mutex_);
  return count_ - std::min(count_, used());
}

void JobSlots::serve(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    auto is_busy = [this] {
      return waiting_ > 0 ||
             std::any_of(shares_.begin(), shares_.end(), [](const Share* s) { return s->runs_; });
    };
    if (!changed_.wait(lock, stop, is_busy)) return;
    balance();
    // A make that has more to do takes again at once what it has given back: who wants it elsewhere must be
    // quick.
    lock.unlock();
    epoll_event event{};
    ::epoll_wait(returned_, &event, 1, static_cast<int>(kLook.count()));
    lock.lock();
  }
}

// Each running share keeps one unused slot at most, by which it is seen that it wants no more; and that one
// goes too where somebody else has none to begin with, or has used up all that it has.
void JobSlots::balance() {
  collect_unused(false);
  bool short_of = used() >= count_ && (waiting_ > 0 || hungriest() != nullptr);
  if (short_of || used() > count_) collect_unused(true);
  if (waiting_ > 0 && used() < count_) {
    changed_.notify_all();
    return;  // who begins comes before who wants more
  }
  for (Share* share = hungriest(); share != nullptr && used() < count_; share = hungriest())
    if (!share->put()) return;
}

void JobSlots::collect_unused(bool all) {
  for (Share* share : shares_) {
    unsigned unused = share->runs_ ? share->unused() : 0;
    unsigned kept = all ? 0 : 1;
    if (unused > kept) share->given_ -= std::min(share->given_, share->take(unused - kept));
  }
}

// Of those that use all that they have, the one that has the fewest. One that has none may want none: it is
// asked by an offer now and then.
JobSlots::Share* JobSlots::hungriest() {
  auto now = std::chrono::steady_clock::now();
  Share* best = nullptr;
  for (Share* share : shares_) {
    if (!share->runs_ || share->unused() > 0) continue;
    if (share->given_ == 0 && now - share->offered_ < kOffer) continue;
    if (best == nullptr || share->given_ < best->given_) best = share;
  }
  return best;
}

JobSlots::Share::Share(JobSlots& pool, fs::path fifo) : pool_(pool), fifo_(std::move(fifo)) {
  boost::system::error_code failed;
  fs::create_directories(fifo_.parent_path(), failed);
  ::unlink(fifo_.c_str());
  // Whoever is root in a container may have any number outside.
  if (::mkfifo(fifo_.c_str(), 0600) != 0 || ::chmod(fifo_.c_str(), 0666) != 0 ||
      (descriptor_ = ::open(fifo_.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC)) < 0)
    throw engine_unusable(
        fmt::format("{}: no pipe for job slots can be made there: {}", fifo_.string(), std::strerror(errno)));
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  ::epoll_ctl(pool_.returned_, EPOLL_CTL_ADD, descriptor_, &event);
}

JobSlots::Share::~Share() {
  end();
  {
    std::lock_guard lock(pool_.mutex_);
    std::erase(pool_.shares_, this);
  }
  ::close(descriptor_);
}

bool JobSlots::Share::begin(const std::stop_token& stop) {
  std::unique_lock lock(pool_.mutex_);
  ++pool_.waiting_;
  pool_.changed_.notify_all();
  bool has_one = pool_.changed_.wait(lock, stop, [this] { return pool_.used() < pool_.count_; });
  --pool_.waiting_;
  runs_ = has_one;
  lock.unlock();
  pool_.changed_.notify_all();
  return has_one;
}

void JobSlots::Share::end() {
  {
    std::lock_guard lock(pool_.mutex_);
    take(unused());
    given_ = 0;
    runs_ = false;
  }
  pool_.changed_.notify_all();
}

unsigned JobSlots::Share::slots() const {
  std::lock_guard lock(pool_.mutex_);
  return given_ + (runs_ ? 1 : 0);
}

unsigned JobSlots::Share::unused() const {
  int bytes = 0;
  return ::ioctl(descriptor_, FIONREAD, &bytes) == 0 && bytes > 0 ? static_cast<unsigned>(bytes) : 0;
}

bool JobSlots::Share::put() {
  if (::write(descriptor_, "+", 1) != 1) return false;
  ++given_;
  offered_ = std::chrono::steady_clock::now();
  return true;
}

unsigned JobSlots::Share::take(unsigned most) {
  unsigned taken = 0;
  for (char byte = 0; taken < most && ::read(descriptor_, &byte, 1) == 1;) ++taken;
  return taken;
}

std::string job_slots_setup(std::string_view path, unsigned slots, unsigned fair_share) {
  // GNU make understands --jobserver-auth from 4.2 on. `make -jN` as $MAKE would make a pool of its own.
  return fmt::format(
      "stagemake_make=$(make --version 2>/dev/null | sed -n '1s/^GNU Make //p')\n"
      "case $stagemake_make in\n"
      "  '' | [0-3].* | 4.[01] | 4.[01].*) stagemake_slots= ;;\n"
      "  *) stagemake_slots=yes ;;\n"
      "esac\n"
      "if [ -n \"$stagemake_slots\" ] && [ -p {0} ]; then\n"
      "  exec 8<> {0}\n"
      "  MAKE=make MAKEFLAGS=' -j{1} --jobserver-auth=8,8' SAGE_NUM_THREADS={2}\n"
      "  export MAKE MAKEFLAGS SAGE_NUM_THREADS\n"
      "else\n"
      "  echo \"stagemake: make ${{stagemake_make:-of another kind}} shares no job slots: it gets {2} of its "
      "own\"\n"
      "  MAKE='make -j{2}' SAGE_NUM_THREADS={2}\n"
      "  export MAKE SAGE_NUM_THREADS\n"
      "fi\n",
      shell_quoted(path), slots, fair_share);
}

}  // namespace stagemake
