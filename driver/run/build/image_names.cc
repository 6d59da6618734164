#include "run/build/image_names.h"

#include <fmt/format.h>

#include "base/caught_error.h"
#include "run/images/foreign_names.h"
#include "run/images/origins.h"

namespace stagemake {
namespace {

constexpr std::string_view kPartial = "-failed";  // at the end of an unfinished image's name

}  // namespace

ImageNames::ImageNames(const BuildWorld& world, PushQueue* pushes, Reporter& reporter)
    : world_(world), pushes_(pushes), reporter_(reporter) {}

std::vector<std::string> ImageNames::in(const std::string& repository, const StagePlan& plan,
                                        std::size_t stage) const {
  std::vector<std::string> names;
  for (const std::string& tag : world_.tags)
    names.push_back(image_name(plan.table, repository, plan.environment.name, plan.stages[stage].name) + ":" +
                    tag);
  return names;
}

std::vector<std::string> ImageNames::of(const StagePlan& plan, std::size_t stage) const {
  return in(world_.repository, plan, stage);
}

std::string ImageNames::partial(const StagePlan& plan, std::size_t stage) const {
  return of(plan, stage).front().append(kPartial);
}

std::vector<std::string> ImageNames::all_partial(const StagePlan& plan, std::size_t stage) const {
  std::vector<std::string> names = {partial(plan, stage)};
  if (pushes() && world_.push_repository != world_.repository)
    names.push_back(in(world_.push_repository, plan, stage).front().append(kPartial));
  return names;
}

void ImageNames::give(const std::string& image, const std::string& name) {
  if (!world_.take_names && is_foreign_name(world_.engine, name)) return note_left(name);
  world_.engine.tag(image, name);
}

void ImageNames::note_left(const std::string& name) {
  std::lock_guard lock(mutex_);
  if (!left_.insert(name).second) return;
  reporter_.note(fmt::format(
      "{} is an image that stagemake did not make, and keeps that name; --take-names moves the name, "
      "--repository or --tag choose others",
      name));
}

void ImageNames::push(const StagePlan& plan, std::size_t stage, const std::string& image, bool complete,
                      std::uint64_t bytes, bool required) {
  if (!pushes()) return;
  std::vector<std::string> names = in(world_.push_repository, plan, stage);
  if (!complete) names = {names.front().append(kPartial)};
  try {
    // A name left to somebody else's image would push that image.
    if (!world_.take_names)
      std::erase_if(names, [&](const std::string& name) {
        bool is_left = is_foreign_name(world_.engine, name);
        if (is_left) note_left(name);
        return is_left;
      });
    if (world_.push_repository != world_.repository)
      for (const std::string& name : names) world_.engine.tag(image, name);
    // An upper bound of what is sent: layers that the registry already has are not sent.
    pushes_->add(names, bytes, required);
  } catch (...) {  // the image is made; a failed push fails no stage
    pushes_->add_failed(names, caught_text(), required);
  }
}

std::string ImageNames::reason_not_to_push(const StagePlan& plan, std::size_t stage,
                                           const Snapshot& image) const {
  if (!pushes() || world_.push_fetched) return {};
  return stagemake::reason_not_to_push(image, Origins(world_.state.origins()),
                                       in(world_.push_repository, plan, stage).front());
}

bool ImageNames::is_sending_partial(const StagePlan& plan, std::size_t stage) const {
  return pushes() && pushes_->is_sending(in(world_.push_repository, plan, stage).front().append(kPartial));
}

bool ImageNames::forget(const std::vector<std::string>& names) {
  return pushes_ == nullptr || pushes_->forget(names);
}

}  // namespace stagemake
