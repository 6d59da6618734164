#include "run/build/run_context.h"

#include <algorithm>
#include <thread>

namespace stagemake {

unsigned RunContext::predicted_slots() const {
  if (options.predicted_slots > 0) return options.predicted_slots;
  return options.slots != nullptr ? options.slots->count()
                                  : std::max(1u, std::thread::hardware_concurrency());
}

bool RunContext::was_set_back() const {
  constexpr double kTolerance = 1;  // seconds
  try {
    return world.engine.now() - began_there < world.clock.now() - began - kTolerance;
  } catch (const Error&) {
    return true;  // not known: a look does no harm
  }
}

}  // namespace stagemake
