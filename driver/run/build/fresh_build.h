// A fresh build (`--fresh`) starts at the base image, and takes as many runs as it needs, on any machines.
//
// Its images carry its name as a label. A run with `--fresh` looks at images here and in registries, and
// continues the newest unfinished fresh build of the same stages with the same keys in the same environments.
// When all requested stages are built, the fresh build is finished, and the next run with `--fresh` starts
// another. `--rebuild` is a fresh build that begins at a later stage: it uses images of other builds up to
// the stage before, and is continued in the same way. The state folder also remembers that a fresh build is
// finished, in case its last image is removed.
#pragma once

#include <string>
#include <vector>

#include "run/build/build.h"

namespace stagemake {

// Assigns builds with restore.fresh or restore.rebuild to their fresh build, and decides for them again. The
// first build's notes say whether one is continued. Does nothing for other builds. `start_over`: start
// another fresh build even if one is unfinished.
void settle_fresh(const BuildWorld& world, std::vector<EnvironmentBuild>& builds, bool start_over);

// Call this when everything of `builds` is built. A state folder that cannot be written is no error: then
// only the labels of images say so.
void remember_finished(const BuildWorld& world, const std::vector<EnvironmentBuild>& builds);

}  // namespace stagemake
