// A fake engine for simulations: its verbs take virtual time, and at a given moment of a command something
// happens: the driver dies, the engine goes away, a person requests a stop.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <stop_token>
#include <string>

#include "engine/fake/fake_engine.h"
#include "run/virtual_clock.h"

namespace stagemake {

// The driver died. A build treats it like any other failure; the simulation checks is_dead().
struct DriverDied : std::exception {
  const char* what() const noexcept override { return "the driver died"; }
};

class Chance {
 public:
  explicit Chance(std::uint64_t seed) : engine_(seed) {}
  std::size_t below(std::size_t end) { return end == 0 ? 0 : engine_() % end; }
  bool percent(unsigned percent) { return below(100) < percent; }
  double between(double least, double most) {
    return least + (most - least) * static_cast<double>(engine_() % 1'000'000) / 1e6;
  }

 private:
  std::mt19937_64 engine_;
};

// What happens in a command, by the number of the moment. Moments are verbs, and in containers the start, the
// middle and the end of what is made.
struct Mishaps {
  std::optional<unsigned> dies, crashes, stops, kills;
  bool leaves_running = false;  // the container keeps running when the driver dies
  // At this moment, the machine's clock is set, by this many seconds.
  std::optional<unsigned> clock_is_set = {};
  double set_by = 0;
};

class ScheduleEngine : public FakeEngine {
 public:
  ScheduleEngine(std::shared_ptr<FakeRegistry> registry, const std::string& machine, VirtualClock& time,
                 Chance& chance);

  // Starts a command; if the engine was gone, it is back.
  void begin_command(const Mishaps& mishaps);
  // A moment passes; throws DriverDied if the driver dies in it.
  void moment();
  // Whether running work is left half done.
  bool is_broken() const { return dead_ || gone_; }
  bool is_gone() const { return gone_; }
  bool is_dead() const { return dead_; }
  std::stop_token stop() const { return stop_.get_token(); }
  std::stop_token kill() const { return kill_.get_token(); }
  // Of the current run.
  const StopRequest& request() const { return request_; }

  // The prefix of the names that are pushed.
  std::string push_repository;
  double ahead = 0;            // seconds by which the machine's clock is wrong
  double commit_seconds = 10;  // at least; at most 40 % more
  // Sees each new container's files before anything runs in it.
  std::function<void(const FakeContainer&)> on_create;

  std::optional<ImageInfo> find_image(const std::string& image) override;
  std::vector<ImageInfo> list_images(const std::string& label, const std::string& value) override;
  std::vector<ContainerInfo> list_containers(const std::string& label, const std::string& value) override;
  Transfer pull(const std::string& image, const std::stop_token& stop = {}) override;
  Transfer push(const std::string& image, const std::stop_token& stop = {}) override;
  void create(const ContainerSpec& spec) override;
  void copy_in(const std::string& container, const fs::path& tar_file) override;
  std::optional<std::string> copy_out(const std::string& container, const std::string& path) override;
  RunOutcome run(const std::string& container, const std::string& script, const OutputSink& sink,
                 const StopRequest& stop) override;
  void stop_container(const std::string& container, std::chrono::milliseconds grace,
                      const std::stop_token& kill) override;
  bool pause(const std::string& container) override;
  void resume(const std::string& container) override;
  std::string commit(const std::string& container, const CommitSpec& spec) override;
  void remove_container(const std::string& container) override;
  void tag(const std::string& image, const std::string& new_name) override;

 private:
  void begin(const char* verb);
  void die();

  VirtualClock& time_;
  Chance& chance_;
  Mishaps mishaps_;
  unsigned moments_ = 0;
  std::atomic<bool> dead_{false}, gone_{false};
  std::stop_source stop_, kill_;
  StopRequest request_;
};

}  // namespace stagemake
