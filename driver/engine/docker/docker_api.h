// Requests to a docker daemon over its socket, with libcurl: HTTP over a Unix socket, TCP, TLS or ssh, on
// connections that stay open. (https://docs.docker.com/reference/api/engine/)
//
// The status of an answer says what happened; what the daemon says is for people. A call may take as long as
// it needs: if nothing comes for a while, the daemon is asked on another connection whether it lives, and
// only a daemon that does not answer this fails the call. Everything that a daemon sends is bounded.
//
// Thread rule: const after construction; all calls from any thread, each on a connection of its own.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/container_engine.h"
#include "engine/docker/docker_endpoint.h"
#include "engine/engine_report.h"

namespace stagemake {

struct DockerPatience {
  std::chrono::milliseconds connect{30'000};
  std::chrono::milliseconds silence{20'000};  // nothing comes: then the daemon is asked whether it lives
  std::chrono::milliseconds sign{60'000};     // for its answer to that
};

struct DockerRequest {
  std::string verb;  // for messages: "commit"
  std::string method = "GET";
  std::string path;                                             // "/images/json"; docker_path() encodes names
  std::vector<std::pair<std::string, std::string>> query = {};  // not encoded
  std::string content = {};                                     // JSON
  int body = -1;                                    // instead of it: a descriptor with a tar stream
  std::string authorization = {};                   // the value of X-Registry-Auth
  std::function<void(std::string_view)> sink = {};  // gets the content of an answer that is ok()
  std::stop_token stop = {};                        // ends the call; the daemon sees that the caller left
};

struct DockerAnswer {
  long status = 0;
  std::string content = {};  // without a sink, or if it is not ok()
  bool stopped = false;
  // 304: it is so already.
  bool ok() const { return ((status >= 200 && status < 300) || status == 304) && !stopped; }
  bool is_absent() const { return status == 404; }
  bool is_conflict() const { return status == 409; }
  // The daemon's words, in one printable line; else the status.
  std::string message() const;
};

class DockerApi {
 public:
  // `place`: where the daemon listens, as docker_endpoint_at() takes it; empty: where docker's own command
  // finds it.
  explicit DockerApi(DockerPatience patience = {}, std::string place = {});
  ~DockerApi();
  DockerApi(const DockerApi&) = delete;
  DockerApi& operator=(const DockerApi&) = delete;

  std::string name() const { return "docker"; }
  const DockerPatience& patience() const;
  // Whether its place was given: then docker's own command must be told the host, or the context, unless it
  // is empty.
  bool is_named() const;
  std::string context() const;
  // EngineError if the configuration cannot be used.
  const DockerEndpoint& endpoint() const;
  EngineReport examine(Look look = Look::Quick) const;

  // Any status is an answer. EngineError if the daemon cannot be reached, goes away or does not live.
  DockerAnswer call(const DockerRequest& request) const;
  // The content of an answer that is ok(), as JSON. EngineError if it is not.
  nlohmann::json ask(const DockerRequest& request) const;
  // Describes a container; nothing if there is none.
  std::optional<nlohmann::json> find_container(const std::string& container, const char* verb) const;
  // EngineError if the daemon does not answer in time.
  void expect_sign_of_life() const;

  EngineError error(const std::string& verb, const DockerAnswer& answer) const;
  EngineError error(const std::string& verb, std::string_view words) const;

 private:
  friend class DockerStream;
  struct State;
  std::unique_ptr<State> state_;
};

// A connection that a request turned into a stream of bytes in both directions. Thread rule: one thread.
class DockerStream {
 public:
  // EngineError if the daemon refuses. The API must outlive it.
  DockerStream(const DockerApi& api, const DockerRequest& request);
  ~DockerStream();
  DockerStream(const DockerStream&) = delete;
  DockerStream& operator=(const DockerStream&) = delete;

  int descriptor() const;  // for poll(); receive() until nothing comes before waiting for it
  // Passes on what has come. False if nothing is there now, or the stream has ended.
  bool receive(const std::function<void(std::string_view)>& heard);
  bool has_ended() const { return has_ended_; }
  // Sends the beginning of `bytes`, as much as goes at once, and returns how much that was. EngineError if
  // the connection is lost.
  std::size_t send(std::string_view bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
  bool has_ended_ = false;
};

// "/images/NAME/json": `name` encoded for a URL, but for the `/` in it.
std::string docker_path(std::string_view before, std::string_view name, std::string_view after = {});

}  // namespace stagemake
