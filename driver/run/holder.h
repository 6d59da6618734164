// Who holds a container: the driver that made it, by the container's labels and by what that driver leaves in
// the engine. Neither can be reached by what runs inside.
//
// The path of a lock names no driver. CI jobs in containers that share a daemon's socket have other files at
// the same path, and a lock that is free there says nothing. What is known, in this order:
// - The same state folder: who holds the environment's lock there knows that the container's driver is dead.
// - The same boot and process namespace: the process is there, or it is not.
// - Else signs of life. A container has one from its creation on; a driver that lives for longer leaves
// others
//   (Heartbeat), each as a container that never runs. No sign for kSilence means dead. All by the clock of
//   the engine's machine.
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
#include "run/state_folder.h"

namespace stagemake {

// Seconds between two signs of life, and without any after which a driver counts as dead. A driver that is
// stopped (SIGSTOP) for so long counts as dead where nothing better is known.
inline constexpr int kSignEvery = 60;
inline constexpr int kSilence = 600;

// Labels of containers. Images get them too, where they mean nothing.
inline constexpr std::string_view kHolderLabel = "org.stagemake.holder";  // to_label() of its driver
inline constexpr std::string_view kSignLabel =
    "org.stagemake.sign";  // when it was made: seconds since the epoch
// Of a sign of life: Holder::run.
inline constexpr std::string_view kBeaconLabel = "org.stagemake.beacon";

// All words are digests or random, but the number of the process.
struct Holder {
  std::string run;     // one process of stagemake
  std::string folder;  // its state folder for the tree; empty: not known, and then like no other
  std::string boot;    // of the kernel that it runs on; empty: not known
  std::string process_namespace;
  long process = 0;     // its number there
  std::string started;  // what tells it from later ones of that number

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

  // Why a container must be left to its driver, for a person; nothing where that is dead. The caller holds
  // the lock of the container's environment, or has seen that it is free.
  std::optional<std::string> claim(const ContainerInfo& container);

 private:
  double last_sign(const std::string& run, const ContainerInfo& container);

  ContainerEngine& engine_;
  const Holder me_;
  std::optional<std::map<std::string, double>> beacons_;  // by run; nothing: not asked yet
};

// Gives signs of life while it lives. Thread-safe.
class Heartbeat {
 public:
  Heartbeat(ContainerEngine& engine, const StateFolder& state,
            std::chrono::milliseconds every = std::chrono::seconds(kSignEvery))
      : engine_(engine), run_(this_driver(state).run), every_(every) {}
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  // A container was made from this image: from now on there is something to hold, and signs are made from it.
  void holds(const std::string& image);

 private:
  void beat(const std::stop_token& stop);
  bool give_sign();

  ContainerEngine& engine_;
  const std::string run_;
  const std::chrono::milliseconds every_;
  std::mutex mutex_;
  std::vector<std::string> images_;  // the last ones that were named, the youngest at the end
  std::string sign_;                 // the container that is the last one; of the thread alone
  unsigned number_ = 0;
  std::jthread thread_;
};

// Removes signs of life that are too old to count.
void remove_old_signs(ContainerEngine& engine);

}  // namespace stagemake
