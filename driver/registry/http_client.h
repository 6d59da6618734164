// HTTP requests, many at once, over persistent connections: libcurl's multi interface, driven by one thread.
//
// Everything that a server decides is bounded: the size of an answer, its headers, redirects, time. Redirects
// go to http and https only, to plain HTTP only if HttpHosts allows it, and take no authorization to another
// origin. Server errors are answers, never exceptions.
//
// Thread rule: one thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "registry/http_hosts.h"

namespace stagemake {

struct HttpRequest {
  std::string url;
  std::string accept = {};         // the header's value; empty: anything
  std::string authorization = {};  // the header's value; goes to the origin of `url` and nowhere else
  std::string form = {};           // if not empty, sent as a POST; such a request follows no redirect
  // A method other than GET, with its content and content type. Such a request follows no redirect either.
  std::string method = {};
  std::string content = {};
  std::string content_type = {};
  std::string_view bytes = {};     // instead of `content`; must stay until the answer is there
  std::string content_range = {};  // the header's value; empty: none
  // With its connection, instead of HttpLimits::patience; 0: that one.
  std::chrono::milliseconds patience{0};
  std::chrono::milliseconds silence{0};  // the longest time without a byte in either direction; 0: any
  bool only_once = false;                // no other attempt, whatever HttpLimits::tries says
  bool only_headers = false;             // a HEAD request: the answer has no body
  std::string from = {};                 // the URL that led to this one, for HttpHosts::refusal
  std::size_t limit = 4u << 20;          // bytes of the answer's body
};

struct HttpAnswer {
  long status = 0;  // 0: no answer
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};  // names in lower case
  std::string problem = {};  // why there is no complete answer, safe to print on a terminal; else empty
  bool speaks_something_else = false;  // the server answered, but not with HTTP

  // The first header of that name (in lower case); empty if there is none.
  std::string header(std::string_view name) const;
};

struct HttpLimits {
  std::chrono::milliseconds connect_patience{3000};
  std::chrono::milliseconds patience{
      10000};          // for a request with all its attempts, without its time in the queue
  unsigned tries = 3;  // attempts; transient statuses and broken connections are retried while there is time
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

  // Queues a request. run() calls `done` once; `done` may start other requests.
  void start(HttpRequest request, Done done);
  // Runs until all requests are answered. Requests that are unanswered at `until`, or when a stop is
  // requested, get an answer with a problem.
  void run(std::chrono::steady_clock::time_point until);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stagemake
