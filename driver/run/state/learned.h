// Predictions from two sources of observations: this machine's journal, and the labels of snapshots, which
// come from other machines too.
#pragma once

#include <vector>

#include "run/state/journal.h"
#include "schedule/predictions.h"
#include "snapshot/snapshot.h"

namespace stagemake {

// The journal takes precedence: snapshots count only for packages that it does not know in their environment.
Predictions learned(const JournalContents& journal, const SnapshotList& snapshots);

}  // namespace stagemake
