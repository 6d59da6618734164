#include "run/build/hosts.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

#include "base/caught_error.h"
#include "base/files/descriptor.h"
#include "base/text/text.h"
#include "run/build/prepare.h"
#include "run/container/adoption.h"
#include "run/container/image_survey.h"
#include "run/images/foreign_names.h"
#include "run/images/origins.h"

namespace stagemake {
namespace {

// Each stage takes at least one slot.
unsigned at_once(const BuildOptions& options) {
  return options.slots == nullptr ? options.at_once : std::min(options.at_once, options.slots->count());
}

double engine_time(ContainerEngine& engine) {
  try {
    return engine.now();
  } catch (const Error&) {
    return std::numeric_limits<double>::infinity();
  }
}

BuildOptions options_of(const BuildOptions& options, const BuildHost* host) {
  BuildOptions own = options;
  if (host == nullptr) return own;
  own.at_once = host->at_once;
  own.memory = host->memory;
  own.slots = host->pool;
  own.pushes = host->pushes;
  own.predicted_slots = host->slots;
  return own;
}

}  // namespace

std::vector<Snapshot> snapshots_on(ContainerEngine& engine, const std::string& host, const BuildWorld& world,
                                   std::vector<std::string>* problems) {
  std::vector<Snapshot> there = find_snapshots(engine, world.table, problems);
  Origins(world.state.origins()).judge(there, world.trusted);
  if (host.empty()) return there;
  for (Snapshot& image : there) {
    image.host = host;
    image.fetch_size = image.size;
  }
  return there;
}

Hosts::One::One(const BuildWorld& run_world, const BuildOptions& run_options, const BuildHost* host,
                RunProgress& progress, std::size_t index, std::size_t environments)
    : name(host == nullptr ? std::string() : host->name),
      world(host == nullptr ? run_world : with_engine(run_world, host->engine)),
      options(options_of(run_options, host)),
      names(world, options.pushes, progress.reporter()),
      limits(world, options, progress),
      heartbeat(world.engine, world.state),
      context{.world = world,
              .options = options,
              .progress = progress,
              .names = names,
              .limits = limits,
              .heartbeat = heartbeat,
              .environments = environments,
              .at_once = at_once(options),
              .host = index} {
  if (host != nullptr && !host->problem.empty()) {
    is_lost = true;
    why = host->problem;
  }
}

Hosts::Hosts(const BuildWorld& world, const std::vector<EnvironmentBuild>& builds,
             const BuildOptions& options, RunProgress& progress)
    : world_(world), builds_(builds), options_(options), progress_(progress) {
  auto add = [&](const BuildHost* host) {
    all_.push_back(std::make_unique<One>(world, options, host, progress, all_.size(), builds.size()));
    if (options.hosts.size() > 1) all_.back()->context.hosts = this;
  };
  for (const BuildHost& host : options.hosts) add(&host);
  if (options.hosts.empty()) add(nullptr);
}

Hosts::~Hosts() {
  end();
}

std::vector<DispatchLimits> Hosts::limits() const {
  std::vector<DispatchLimits> limits;
  for (const std::unique_ptr<One>& one : all_)
    limits.push_back({.slots = one->context.predicted_slots(),
                      .at_once = one->context.at_once,
                      .memory = one->options.memory});
  return limits;
}

void Hosts::begin(FlowExecutor& flow) {
  flow_ = &flow;
  for (std::size_t h = 0; h < all_.size(); ++h) {
    One& one = *all_[h];
    one.context.began = world_.clock.now();
    one.context.began_there =
        one.is_lost ? std::numeric_limits<double>::infinity() : engine_time(one.world.engine);
    one.limits.watch(&flow);
    one.lost_since = one.context.began;
    if (!one.is_lost) continue;
    flow.lose(h);
    progress_.note(fmt::format("host {} is not used until it works: {}", one.name, one.why));
  }
  if (are_several()) looker_ = std::jthread([this](const std::stop_token& stop) { look_after(stop); });
}

void Hosts::end() {
  if (looker_.joinable()) {
    looker_.request_stop();
    looker_.join();
  }
  for (const std::unique_ptr<One>& one : all_) one->limits.watch(nullptr);
  flow_ = nullptr;
}

void Hosts::complete(MachineSample& sample) {
  for (std::size_t h = 0; h < all_.size(); ++h)
    if (!is_lost(h)) all_[h]->limits.complete(sample);
}

void Hosts::finish_pushes() {
  for (const std::unique_ptr<One>& one : all_)
    if (one->options.pushes != nullptr) one->options.pushes->finish();
}

bool Hosts::is_lost(std::size_t host) const {
  std::lock_guard lock(mutex_);
  return all_[host]->is_lost;
}

bool Hosts::check(std::size_t host) {
  if (is_lost(host)) return true;
  try {
    all_[host]->world.engine.probe();
    return false;
  } catch (const EngineError& error) {
    lose(host, error.what());
    return true;
  }
}

void Hosts::lose(std::size_t host, const std::string& why) {
  {
    std::lock_guard lock(mutex_);
    One& one = *all_[host];
    if (std::exchange(one.is_lost, true)) return;
    one.why = why;
    one.lost_since = world_.clock.now();
  }
  flow_->lose(host);
  progress_.note(
      fmt::format("host {} is lost: {}\nits environments go on elsewhere, from what other hosts and "
                  "registries have of them; when it is back, it is used again",
                  name(host), printable(trimmed(why))));
  changed_.notify_all();
}

// Waits for lost hosts.
void Hosts::look_after(const std::stop_token& stop) {
  std::stop_callback on_stop(options_.stop, [this] { changed_.notify_all(); });
  while (!stop.stop_requested()) {
    std::vector<std::size_t> lost;
    {
      std::unique_lock lock(mutex_);
      auto any_lost = [this] {
        return std::any_of(all_.begin(), all_.end(), [](const auto& one) { return one->is_lost; });
      };
      if (!changed_.wait(lock, stop, any_lost)) return;
      for (std::size_t h = 0; h < all_.size(); ++h)
        if (all_[h]->is_lost) lost.push_back(h);
    }
    for (std::size_t h : lost) {
      if (stop.stop_requested()) return;
      if (is_back(h)) continue;
      bool gives_up = false;
      {
        std::lock_guard lock(mutex_);
        One& one = *all_[h];
        bool long_ago = world_.clock.now() - one.lost_since > options_.host_patience;
        gives_up = !one.is_given_up && (long_ago || options_.stop.stop_requested());
        if (gives_up) one.is_given_up = true;
      }
      if (gives_up) flow_->give_up(h);
    }
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, std::chrono::duration<double>(options_.host_pause),
                      [this] { return options_.stop.stop_requested(); });
    if (options_.stop.stop_requested())
      changed_.wait_for(lock, stop, std::chrono::seconds(1), [] { return false; });
  }
}

bool Hosts::is_back(std::size_t host) {
  One& one = *all_[host];
  try {
    one.world.engine.probe();
  } catch (const EngineError&) {
    return false;
  }
  adopt(host);
  {
    std::lock_guard lock(mutex_);
    one.is_lost = one.is_given_up = false;
  }
  progress_.note(fmt::format("host {} works again", one.name));
  flow_->regain(host);
  return true;
}

// What this run's own containers there hold when the host is back: their stages have ended here, so that
// nothing waits for what still runs in them.
void Hosts::adopt(std::size_t host) {
  One& one = *all_[host];
  std::stop_source no_waiting;
  no_waiting.request_stop();
  std::vector<Environment> environments;
  for (const EnvironmentBuild& build : builds_) environments.push_back(build.plan.environment);
  auto attempt = [&](const auto& call) {
    try {
      call();
    } catch (...) {  // the host can be used all the same; the next run tries again
      progress_.note(fmt::format("host {}: {}", one.name, caught_text()));
    }
  };
  std::set<std::string> left;
  attempt([&] { left = environments_left_behind(one.world.engine, one.world.state, environments); });
  for (const Environment& environment : environments)
    if (left.contains(environment.name))
      attempt(
          [&] { adopt_containers(one.world, environment, no_waiting.get_token(), progress_.reporter()); });
}

SnapshotList Hosts::images(const std::string& environment, std::size_t host, const SnapshotList& registries) {
  SnapshotList all;
  for (std::size_t h = 0; h < all_.size(); ++h) {
    if (is_lost(h)) continue;
    One& one = *all_[h];
    std::vector<Snapshot> there;
    try {
      there = snapshots_on(one.world.engine, h == host ? std::string() : one.name, one.world);
    } catch (const EngineError&) {
      if (h == host) throw;
      check(h);
      continue;
    }
    std::erase_if(there, [&](const Snapshot& image) { return image.environment != environment; });
    append(all, std::move(there));
  }
  for (const SnapshotPtr& image : registries)
    if (!image->reference.empty()) all.push_back(image);
  return all;
}

std::string Hosts::move(const std::string& image, std::size_t from, std::size_t to,
                        const std::stop_token& stop) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return "no pipe can be made";
  Descriptor reads(ends[0]), writes(ends[1]);
  std::string load_failed, save_failed;
  std::thread loader([&] {
    try {
      all_[to]->world.engine.load_image(reads.get());
    } catch (...) {
      load_failed = caught_text();
    }
    reads = Descriptor();  // the writer ends, too
  });
  try {
    all_[from]->world.engine.save_image(image, writes.get(), stop);
  } catch (...) {
    save_failed = caught_text();
  }
  writes = Descriptor();
  loader.join();
  // If the reader failed, the writer failed for that.
  return !load_failed.empty() ? load_failed : save_failed;
}

std::string Hosts::bring(const Snapshot& image, std::size_t to, const std::stop_token& stop) {
  std::size_t from = 0;
  while (from < all_.size() && all_[from]->name != image.host) ++from;
  if (from == all_.size() || is_lost(from)) return fmt::format("host {} does not answer", image.host);
  double began = world_.clock.now();
  std::string why = move(image.image, from, to, stop);
  double now = world_.clock.now();
  world_.journal.add(TransferRecord{.kind = TransferRecord::Kind::Pull,
                                    .when = static_cast<std::int64_t>(now),
                                    .host = place_of_transfer(image),
                                    .bytes = image.size,
                                    .seconds = now - began,
                                    .ok = why.empty()});
  if (!why.empty()) return check(from), check(to), why;
  if (!all_[to]->world.engine.find_image(image.image)) return "it did not arrive whole";
  for (const std::string& name : image.names) all_[to]->names.give(image.image, name);
  return {};
}

bool Hosts::bring_by_name(const std::string& image, std::size_t to, const std::stop_token& stop) {
  for (std::size_t from = 0; from < all_.size(); ++from) {
    if (from == to || is_lost(from)) continue;
    try {
      if (!all_[from]->world.engine.find_image(image)) continue;
    } catch (const EngineError&) {
      check(from);
      continue;
    }
    progress_.note(
        fmt::format("bringing {} from host {} to host {}", printable(image), name(from), name(to)));
    std::string why = move(image, from, to, stop);
    if (why.empty() && all_[to]->world.engine.find_image(image)) return true;
    if (!why.empty())
      progress_.note(fmt::format("{} could not be brought: {}", printable(image), printable(why)));
  }
  return false;
}

}  // namespace stagemake
