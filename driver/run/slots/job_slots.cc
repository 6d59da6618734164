#include "run/slots/job_slots.h"

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

namespace stagemake {
namespace {

// How often the broker looks. A compiler runs for about a second; slots that a make gives back in between are
// usually taken again by the same make at once, without the broker.
constexpr std::chrono::milliseconds kLook{10};
// How often a container that has only the slot of its first job is offered another.
constexpr std::chrono::milliseconds kOffer{200};
// How long a slot of a calling make may stay unused before it is returned.
constexpr std::chrono::milliseconds kLies{20};

Descriptor opened_epoll() {
  Descriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.is_open())
    throw engine_unusable(fmt::format("cannot watch job slots (epoll): {}", std::strerror(errno)));
  return epoll;
}

}  // namespace

JobSlots::JobSlots(unsigned count) : JobSlots(nullptr, count) {}

JobSlots::JobSlots(CallingMake& make, unsigned count) : JobSlots(&make, count) {}

JobSlots::JobSlots(CallingMake* make, unsigned count)
    : make_(make),
      count_(std::max(1u, count)),
      returned_(opened_epoll()),
      broker_([this](const std::stop_token& stop) { serve(stop); }) {
  if (make_ == nullptr) return;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;  // edge-triggered: other makes are quick
  (void)::epoll_ctl(returned_.get(), EPOLL_CTL_ADD, make_->descriptor(), &event);  // as in Share below
}

JobSlots::~JobSlots() {
  broker_ = {};
  if (make_ != nullptr) {
    ::epoll_ctl(returned_.get(), EPOLL_CTL_DEL, make_->descriptor(), nullptr);
    while (make_->give_back()) {
    }
  }
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

unsigned JobSlots::here() const {
  return make_ == nullptr ? count_ : std::min(count_, 1 + make_->held());
}

// Takes one from the calling make if necessary.
bool JobSlots::has_free() {
  return used() < here() || (make_ != nullptr && used() < count_ && make_->take());
}

bool JobSlots::is_busy() const {
  return waiting_ > 0 || (make_ != nullptr && make_->held() > 0) ||
         std::any_of(shares_.begin(), shares_.end(), [](const Share* share) { return share->runs_; });
}

void JobSlots::serve(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (!changed_.wait(lock, stop, [this] { return is_busy(); })) return;
    balance();
    if (!is_busy()) continue;
    // A make with more work at once takes back what it has given back: to get that slot for another
    // container, the broker must be quick.
    lock.unlock();
    epoll_event event{};
    ::epoll_wait(returned_.get(), &event, 1, static_cast<int>(kLook.count()));
    lock.lock();
  }
}

// Each running share keeps at most one unused slot, which shows that it wants no more. That slot is taken too
// if another share has none to start with, or uses all of its own.
void JobSlots::balance() {
  collect_unused(false);
  bool short_of = used() >= here() && (waiting_ > 0 || hungriest() != nullptr);
  if (short_of || used() > count_) collect_unused(true);
  deal();
  give_back_spare();
}

// Stages that wait to start come before those that want more slots.
void JobSlots::deal() {
  if (waiting_ > 0) {
    if (has_free()) changed_.notify_all();
    return;
  }
  for (Share* share = hungriest(); share != nullptr && has_free(); share = hungriest())
    if (!share->put()) return;
}

// Other jobs of a calling make may be waiting for slots that nobody needs here.
void JobSlots::give_back_spare() {
  if (make_ == nullptr || waiting_ > 0) return;
  while (1 + make_->held() > std::max(1u, used()) && make_->give_back()) {
  }
}

void JobSlots::collect_unused(bool all) {
  auto now = std::chrono::steady_clock::now();
  for (Share* share : shares_) {
    unsigned unused = share->runs_ ? share->unused() : 0;
    if (unused == 0 || share->lies_since_ == decltype(now){})
      share->lies_since_ = unused == 0 ? decltype(now){} : now;
    bool wants_none = make_ != nullptr && unused > 0 && now - share->lies_since_ >= kLies;
    share->refused_ = wants_none || (share->refused_ && now - share->offered_ < kOffer);
    if (wants_none) share->offered_ = now;
    unsigned kept = all || wants_none ? 0 : 1;
    if (unused > kept) share->given_ -= std::min(share->given_, share->take(unused - kept));
  }
}

// Of the shares that use all their slots, the one with the fewest. A share without slots may want none, like
// one that left a calling make's slot unused: it gets an offer from time to time.
JobSlots::Share* JobSlots::hungriest() {
  auto now = std::chrono::steady_clock::now();
  Share* best = nullptr;
  for (Share* share : shares_) {
    if (!share->runs_ || share->unused() > 0) continue;
    if ((share->given_ == 0 || share->refused_) && now - share->offered_ < kOffer) continue;
    if (best == nullptr || share->given_ < best->given_) best = share;
  }
  return best;
}

JobSlots::Share::Share(JobSlots& pool, fs::path fifo) : pool_(pool), fifo_(std::move(fifo)) {
  make_own_folder(fifo_.parent_path());
  keep_private(fifo_.parent_path(), "");
  ::unlink(fifo_.c_str());
  // Root in a container may have any user id outside: the pipe is open to all, and its folder only to its
  // user. An engine mounts the pipe itself, so a container sees it without the folder.
  if (::mkfifo(fifo_.c_str(), 0600) != 0 || ::chmod(fifo_.c_str(), 0666) != 0 ||
      (descriptor_ = ::open(fifo_.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC)) < 0)
    throw engine_unusable(fmt::format("{}: cannot create a FIFO for job slots there: {}", fifo_.string(),
                                      std::strerror(errno)));
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  // If this fails, the broker sees returned slots on its next look, kLook later.
  (void)::epoll_ctl(pool_.returned_.get(), EPOLL_CTL_ADD, descriptor_, &event);
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
  bool has_one = pool_.changed_.wait(lock, stop, [this] { return pool_.used() < pool_.here(); });
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
    lies_since_ = {};
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
  refused_ = false;
  offered_ = std::chrono::steady_clock::now();
  return true;
}

unsigned JobSlots::Share::take(unsigned most) {
  unsigned taken = 0;
  for (char byte = 0; taken < most && ::read(descriptor_, &byte, 1) == 1;) ++taken;
  return taken;
}

}  // namespace stagemake
