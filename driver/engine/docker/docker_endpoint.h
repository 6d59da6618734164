// Where the docker daemon listens, by the rules of docker's own command: $DOCKER_HOST; else the context that
// $DOCKER_CONTEXT or `currentContext` in docker's configuration names; else unix:///var/run/docker.sock, or,
// if there is no such socket, that of a rootless daemon or of Docker Desktop in their usual places.
// $DOCKER_TLS_VERIFY, $DOCKER_TLS and $DOCKER_CERT_PATH apply to $DOCKER_HOST; a context has its own.
// (https://docs.docker.com/reference/cli/docker/#environment-variables)
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/files/files.h"

namespace stagemake {

struct DockerEndpoint {
  std::string host = {};  // for messages and for `docker --host`: "unix:///var/run/docker.sock"
  fs::path socket = {};   // if it is a socket of this machine, else empty
  std::string url = {};   // the beginning of request URLs: "https://builder:2376"
  // A command whose standard input and output are a connection to the daemon: ssh. Else empty.
  std::vector<std::string> dialer = {};
  // Files in PEM format; empty: none. Without an authority, the system's are used.
  fs::path authority = {};
  fs::path certificate = {};
  fs::path key = {};
  bool verifies = true;   // whether the daemon's certificate is checked
  bool is_guess = false;  // a usual place that docker's own command does not know: tell it the host

  bool is_local() const { return !socket.empty(); }
};

// EngineError if the configuration names an endpoint that does not exist or cannot be used.
DockerEndpoint docker_endpoint();
// The endpoint of a host, "unix://…", "tcp://host:port", "ssh://user@host" or "host:port", with the TLS
// settings of the caller's environment.
DockerEndpoint docker_endpoint(std::string_view host);
// The endpoint at a place: such a host if it contains "://", else a context of docker's by name; "default" is
// docker_endpoint().
DockerEndpoint docker_endpoint_at(const std::string& place);
// Whether a place is a context.
bool names_context(std::string_view place);

}  // namespace stagemake
