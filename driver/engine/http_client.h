// HTTP requests, many at once, over kept connections: libcurl's multi interface, driven by one thread.
//
// Bounded in everything a stranger decides: the size of an answer, its headers, redirects, time. A redirect
// goes to http and https only, to plain HTTP only where HttpHosts allows it, and takes no authorization to
// another origin. What a server does is an answer, never an exception.
//
// Thread rule: one thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "engine/http_hosts.h"

namespace stagemake {

struct HttpRequest {
  std::string url;
  std::string accept = {};         // the header's value; empty: anything
  std::string authorization = {};  // the header's value; goes to the origin of `url` and nowhere else
  std::string form = {};           // is sent as a POST where not empty; such a request follows no redirect
  std::string from = {};           // the URL that led to this one, for HttpHosts::refusal
  std::size_t limit = 4u << 20;    // bytes of the answer's body
};

struct HttpAnswer {
  long status = 0;  // 0: none came
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};  // names in lower case
  std::string problem = {};            // why there is no whole answer, fit for a terminal; else empty
  bool speaks_something_else = false;  // it answered, but not with HTTP

  // The first header of that name (in lower case); empty where there is none.
  std::string header(std::string_view name) const;
};

struct HttpLimits {
  std::chrono::milliseconds connect_patience{3000};
  std::chrono::milliseconds patience{
      10000};          // for a request, with all its tries; waiting for its turn is not in it
  unsigned tries = 3;  // transient statuses and broken connections are tried again while there is time
  std::stop_token stop = {};
};

class HttpClient {
 public:
  using Done = std::function<void(HttpAnswer&&)>;

  // `hosts` must outlive the client.
  HttpClient(const HttpHosts& hosts, HttpLimits limits);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Queues a request. `done` is called once, out of run(), and may start others.
  void start(HttpRequest request, Done done);
  // Until all requests are answered. Those that are not at `until`, or when a stop is requested, are answered
  // with a problem.
  void run(std::chrono::steady_clock::time_point until);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stagemake
