// The program that $MAKE names in the container of a stage whose build has a pool of job slots.
//
// A distribution's top-level makefile is meant to run without -j: it makes one target after the other, and
// hands each to a make of its own, $(MAKE), which is parallel. Two of these at once would build the same
// packages and delete each other's build directories. So the first make of a recipe gets no jobserver. The
// program that it finds as $(MAKE) adds one to MAKEFLAGS, in the form that the container's make understands,
// and executes that make; every make below joins as usual. A recipe whose only make is the parallel one runs
// $MAKE itself.
#pragma once

#include <string>
#include <string_view>

namespace stagemake {

// Its path in a container.
inline constexpr std::string_view kPooledMakePath = "/.stagemake/make";

// The start of the log line that says that a make cannot take part.
inline constexpr std::string_view kSharesNoneLine = "stagemake: make ";

struct PooledMake {
  std::string fifo;                      // the FIFO of job slots, in the container
  std::string program{kPooledMakePath};  // where the program is written
  unsigned slots = 1;                    // of the pool: the -j value for those who read MAKEFLAGS
  unsigned fair_share = 1;               // jobs of a make that cannot take part, and of other tools
};

// POSIX shell text to run before a recipe, in the recipe's own environment (its PATH says which make is
// meant). It writes the program and exports MAKE. If make or the FIFO cannot serve, it prints a line that
// begins with kSharesNoneLine and exports `make -jN` as MAKE. SAGE_NUM_THREADS and NUMPROC give the fair
// share to tools that know no jobserver.
std::string pooled_make_setup(const PooledMake& make);

}  // namespace stagemake
