// A fake engine for simulations: its verbs take virtual time, and at a stated moment of a command something
// happens: the driver dies, the engine goes away, a person asks for the end.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <stop_token>
#include <string>

#include "engine/fake_engine.h"
#include "run/virtual_clock.h"

namespace stagemake {

// The driver is no more. A build takes it for a failure like any other; the simulation knows by is_dead().
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

// What happens in a command, by the number of the moment; moments are verbs, and in containers the beginning,
// the middle and the end of what is made.
struct Mishaps {
  std::optional<unsigned> dies, crashes, stops, kills;
  bool leaves_running = false;  // the container goes on when the driver dies
  // The machine's clock is set then, by so many seconds.
  std::optional<unsigned> clock_is_set = {};
  double set_by = 0;
};

class ScheduleEngine : public FakeEngine {
 public:
  ScheduleEngine(std::shared_ptr<FakeRegistry> registry, const std::string& machine, VirtualClock& time,
                 Chance& chance);

  // Begins a command; whatever was gone is there again.
  void begin_command(const Mishaps& mishaps);
  // A moment passes; throws DriverDied where the driver dies in it.
  void moment();
  // Whether what runs is left half done.
  bool is_broken() const { return dead_ || gone_; }
  bool is_gone() const { return gone_; }
  bool is_dead() const { return dead_; }
  std::stop_token stop() const { return stop_.get_token(); }
  std::stop_token kill() const { return kill_.get_token(); }
  // Of the run that goes on.
  const StopRequest& request() const { return request_; }

  // In front of the names that are pushed.
  std::string push_repository;
  double ahead = 0;            // seconds by which the machine's clock is wrong
  double commit_seconds = 10;  // at least; up to two fifths more
  // Sees each new container's files before anything is done in it.
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
