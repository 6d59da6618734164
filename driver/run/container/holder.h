// Finds the driver that holds a container, which is the one that made it, by the container's labels and by
// the traces that the driver leaves in the engine. Nothing that runs inside can reach either.
//
// The path of a lock does not identify a driver. CI jobs in containers that share a daemon's socket have
// different files at the same path, so a free lock there proves nothing. The evidence, in this order:
// - The same state folder: the holder of the environment's lock there knows that the container's driver is
//   dead.
// - The same boot and process namespace: the process exists or it does not.
// - Otherwise signs of life. A container has one from its creation; a driver that lives longer leaves others
//   (Heartbeat), each as a container that never runs. No sign for kSilence means dead. All times are by the
//   clock of the engine's machine.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "engine/container_engine.h"
#include "run/state/state_folder.h"

namespace stagemake {

// Seconds between two signs of life, and seconds without any after which a driver counts as dead. A driver
// that is stopped (SIGSTOP) for that long counts as dead unless there is better evidence.
inline constexpr int kSignEvery = 60;
inline constexpr int kSilence = 600;

// Labels of containers. Images inherit them, but they mean nothing there.
inline constexpr std::string_view kHolderLabel = "org.stagemake.holder";  // to_label() of its driver
inline constexpr std::string_view kSignLabel =
    "org.stagemake.sign";  // when it was made, in seconds since the epoch
// On a sign of life: Holder::run.
inline constexpr std::string_view kBeaconLabel = "org.stagemake.beacon";

// All words are digests or random, except the process number.
struct Holder {
  std::string run;     // one process of stagemake
  std::string folder;  // its state folder for the tree; empty: not known, matches no other
  std::string boot;    // of the kernel that it runs on; empty: not known
  std::string process_namespace;
  long process = 0;     // its process number there
  std::string started;  // distinguishes it from later processes with that number

  bool operator==(const Holder&) const = default;
};
std::string to_label(const Holder& holder);
std::optional<Holder> holder_in(const std::string& label);
// This process.
Holder this_driver(const StateFolder& state);

// Judges the containers of one look at the engine.
class Holders {
 public:
  Holders(ContainerEngine& engine, const StateFolder& state) : engine_(engine), me_(this_driver(state)) {}

  // Why a container must be left to its driver, for people; nothing if the driver is dead. The caller holds
  // the lock of the container's environment, or has seen that it is free.
  std::optional<std::string> claim(const ContainerInfo& container);

 private:
  double last_sign(const std::string& run, const ContainerInfo& container);

  ContainerEngine& engine_;
  const Holder me_;
  std::optional<std::map<std::string, double>> beacons_;  // by run; nothing: not asked yet
};

// Gives signs of life as long as it exists. Thread-safe.
class Heartbeat {
 public:
  Heartbeat(ContainerEngine& engine, const StateFolder& state,
            std::chrono::milliseconds every = std::chrono::seconds(kSignEvery))
      : engine_(engine), run_(this_driver(state).run), every_(every) {}
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  // A container was made from this image: signs of life start now, and are made from the image.
  void holds(const std::string& image);

 private:
  void beat(const std::stop_token& stop);
  bool give_sign();

  ContainerEngine& engine_;
  const std::string run_;
  const std::chrono::milliseconds every_;
  std::mutex mutex_;
  std::vector<std::string> images_;  // the last ones named, newest last
  std::string sign_;                 // the container that is the latest sign; used only by the thread
  unsigned number_ = 0;
  std::jthread thread_;
};

// Removes signs of life that are too old to count.
void remove_old_signs(ContainerEngine& engine);

}  // namespace stagemake
