#include "run/schedule_engine.h"

namespace stagemake {

ScheduleEngine::ScheduleEngine(std::shared_ptr<FakeRegistry> registry, const std::string& machine,
                               VirtualClock& time, Chance& chance)
    : FakeEngine(std::move(registry), machine), time_(time), chance_(chance) {
  clock = [this, &time] { return static_cast<std::int64_t>(time.now() + ahead); };
}

void ScheduleEngine::begin_command(const Mishaps& mishaps) {
  mishaps_ = mishaps;
  moments_ = 0;
  dead_ = gone_ = false;
  stop_ = {};
  kill_ = {};
}

void ScheduleEngine::die() {
  dead_ = true;
  crash(mishaps_.leaves_running);
  time_.release();
  throw DriverDied();
}

void ScheduleEngine::moment() {
  ++moments_;
  if (mishaps_.clock_is_set == moments_) ahead += mishaps_.set_by;
  if (mishaps_.stops == moments_) stop_.request_stop();
  if (mishaps_.kills == moments_) kill_.request_stop();
  if (mishaps_.crashes == moments_) {
    gone_ = true;
    crash();
  }
  if (mishaps_.dies == moments_) die();
}

// In the build lane.
void ScheduleEngine::begin(const char* verb) {
  if (dead_) throw DriverDied();
  moment();
  if (gone_) throw EngineError(std::string(verb) + ": the engine is gone");
}

std::optional<ImageInfo> ScheduleEngine::find_image(const std::string& image) {
  begin("find_image");
  return FakeEngine::find_image(image);
}

std::vector<ImageInfo> ScheduleEngine::list_images(const std::string& label, const std::string& value) {
  begin("list_images");
  return FakeEngine::list_images(label, value);
}

std::vector<ContainerInfo> ScheduleEngine::list_containers(const std::string& label,
                                                           const std::string& value) {
  begin("list_containers");
  return FakeEngine::list_containers(label, value);
}

Transfer ScheduleEngine::pull(const std::string& image, const std::stop_token& stop) {
  begin("pull");
  time_.pass(chance_.between(0.2, 0.9));
  return FakeEngine::pull(image, stop);
}

// In the push lane: no moments, and only the randomness of its name.
Transfer ScheduleEngine::push(const std::string& image, const std::stop_token& stop) {
  time_.pass(0.2 + 0.7 * static_cast<double>(std::hash<std::string>()(image) % 100) / 100);
  if (is_broken()) throw EngineError("push: the engine is gone");
  return FakeEngine::push(image, stop);
}

void ScheduleEngine::create(const ContainerSpec& spec) {
  begin("create");
  FakeEngine::create(spec);
  if (on_create) on_create(container(spec.name));
}

void ScheduleEngine::copy_in(const std::string& container, const fs::path& tar_file) {
  begin("copy_in");
  FakeEngine::copy_in(container, tar_file);
}

std::optional<std::string> ScheduleEngine::copy_out(const std::string& container, const std::string& path) {
  begin("copy_out");
  return FakeEngine::copy_out(container, path);
}

RunOutcome ScheduleEngine::run(const std::string& container, const std::string& script,
                               const OutputSink& sink, const StopRequest& stop) {
  begin("run");
  request_ = stop;
  RunOutcome outcome = FakeEngine::run(container, script, sink, stop);
  request_ = {};
  return outcome;
}

void ScheduleEngine::stop_container(const std::string& container, std::chrono::milliseconds grace,
                                    const std::stop_token& kill) {
  begin("stop_container");
  FakeEngine::stop_container(container, grace, kill);
}

bool ScheduleEngine::pause(const std::string& container) {
  begin("pause");
  return FakeEngine::pause(container);
}

void ScheduleEngine::resume(const std::string& container) {
  begin("resume");
  FakeEngine::resume(container);
}

std::string ScheduleEngine::commit(const std::string& container, const CommitSpec& spec) {
  begin("commit");
  time_.pass(commit_seconds * chance_.between(1, 1.4));
  std::string id = FakeEngine::commit(container, spec);
  begin("commit");  // the engine may be gone before it has answered
  return id;
}

// Also called during an exception: a dead driver removes nothing.
void ScheduleEngine::remove_container(const std::string& container) {
  if (is_broken()) throw EngineError("remove_container: nobody is there");
  FakeEngine::remove_container(container);
}

void ScheduleEngine::tag(const std::string& image, const std::string& new_name) {
  begin("tag");
  FakeEngine::tag(image, new_name);
  if (!push_repository.empty() && new_name.starts_with(push_repository)) time_.await_push(new_name);
}

}  // namespace stagemake
