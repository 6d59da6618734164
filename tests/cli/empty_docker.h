// A `docker` for tests of whole commands that need no images: it answers, but has built nothing and offers no
// base image.
#pragma once

#include <sys/stat.h>

#include "base/files/files.h"

namespace stagemake::test {

// Writes it into `folder` and returns its path, for $STAGEMAKE_DOCKER. The program writes its calls to
// "docker.calls" in the same folder. Its messages contain a secret that must not be shown.
inline fs::path write_empty_docker(const fs::path& folder) {
  fs::path docker = folder / "docker";
  write_file(docker,
             "#!/bin/sh\n"
             "echo \"$*\" >> \"$0.calls\"\n"
             "case $1 in\n"
             "  version) echo '{\"Server\": {\"Version\": \"1\"}}' ;;\n"
             "  images|ps) ;;\n"
             "  image) echo \"Error: No such image: $3\" >&2; exit 1 ;;\n"
             "  *) echo \"manifest unknown at https://user:s3cret@registry/x\" >&2; exit 1 ;;\n"
             "esac\n");
  ::chmod(docker.c_str(), 0755);
  return docker;
}

}  // namespace stagemake::test
