// A fresh build (`--fresh`) starts at the base image, and takes as many runs as it needs, on any machines.
//
// Its images carry its name as a label. A run with `--fresh` continues the newest unfinished fresh build of the
// same stages with the same keys in the same environments, which images here or in registries tell of; when all
// stages asked for are built, it is finished, and the next run with `--fresh` begins another. That a fresh
// build is finished is also remembered in the state folder, in case its last image is removed.
#pragma once

#include <string>
#include <vector>

#include "run/build.h"

namespace stagemake {

// Says of builds that are to be fresh which fresh build they belong to, and decides for them again. Whether
// one is continued is in the first build's notes. Does nothing for other builds.
// `start_over`: begin another one, whatever is unfinished.
void settle_fresh(const BuildWorld& world, std::vector<EnvironmentBuild>& builds, bool start_over);

// To be called when everything of `builds` was built. A state folder that cannot be written is no error: then
// the labels of images have to say it.
void remember_finished(const BuildWorld& world, const std::vector<EnvironmentBuild>& builds);

}  // namespace stagemake
