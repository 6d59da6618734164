#include "run/container/pooled_make.h"

#include <fmt/format.h>

#include "base/text/text.h"
#include "environment/make_flags.h"

namespace stagemake {
namespace {

// How to pass the pipe to make, by its version. Before 4.2, make takes a number after -j as a request for its
// own pool, and knows the pipe as --jobserver-fds. From 4.4 on, it opens a FIFO by name, so that makes below
// it that inherit no descriptors can take part too.
constexpr std::string_view kVersions = R"(jobserver_of() {
  version=$(MAKEFLAGS='' GNUMAKEFLAGS='' make --version 2> /dev/null | sed -n '1s/^GNU Make //p')
  case $version in
    3.8[0-9]* | 4.[01] | 4.[01].*) jobserver='-j --jobserver-fds=8,8' ;;
    4.[23] | 4.[23].*) jobserver="-j$slots --jobserver-auth=8,8" ;;
    4.* | [5-9].* | [1-9][0-9]*.*) jobserver="-j$slots --jobserver-auth=fifo:$fifo" ;;
    *) jobserver= ;;
  esac
}
)";

// MAKEFLAGS starts with make's one-letter options, without a dash; after ` -- ` follow variables, whose
// values may look like options. If a make joined and a make below it no longer sees a jobserver, that one
// must be serial: somebody passed -j1.
constexpr std::string_view kProgram = R"(flags=${MAKEFLAGS-}
case " ${flags%% -- *}" in
  *' -j'* | *' --jobserver'*) STAGEMAKE_POOLED=yes ;;
esac
if [ -z "${STAGEMAKE_POOLED-}" ] && [ -p "$fifo" ] && (exec 8<> "$fifo") 2> /dev/null &&
  jobserver_of && [ -n "$jobserver" ]; then
  letters=${flags%% *}
  case $letters in
    -* | *=*) letters= flags=" $flags" ;;
    *) flags=${flags#"$letters"} ;;
  esac
  MAKEFLAGS="$letters $jobserver$flags"
  export MAKEFLAGS
  # Also for the form with a name: whoever opens a FIFO for reading waits until somebody can write.
  exec 8<> "$fifo"
fi
STAGEMAKE_POOLED=yes
export STAGEMAKE_POOLED
exec make "$@"
)";

}  // namespace

std::string pooled_make_setup(const PooledMake& make) {
  std::string known =
      fmt::format("fifo={}\nslots={}\n{}", shell_quoted(std::string_view(make.fifo)), make.slots, kVersions);
  std::string program = fmt::format(
      "#!/bin/sh\n# What $(MAKE) is here: make, with the job slots of the build.\n{}{}", known, kProgram);
  std::string path = shell_quoted(std::string_view(make.program));
  return std::string(kForgetMakeFlags) +
         fmt::format(
             "MAKE=$(\n{0}jobserver_of\n"
             "if [ -n \"$jobserver\" ] && [ -p \"$fifo\" ] && (exec 8<> \"$fifo\") 2> /dev/null; then\n"
             "  printf '%s' {1} > {2}\n"
             "  chmod 755 {2}\n"
             "  echo {2}\n"
             "else\n"
             "  echo \"{3}${{version:-of another kind}} shares no job slots: it gets {4} of its own\" >&2\n"
             "  echo 'make -j{4}'\n"
             "fi)\n"
             "export MAKE SAGE_NUM_THREADS={4} NUMPROC={4}\n",
             known, shell_quoted(std::string_view(program)), path, kSharesNoneLine, make.fair_share);
}

}  // namespace stagemake
