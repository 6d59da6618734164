// A small HTTP server on this machine that answers as a test says, faults included.
//
// The server's threads call the answering function, one call at a time.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace stagemake::test {

struct ServerRequest {
  std::string method;
  std::string target;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;

  std::string header(const std::string& name) const {
    auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

struct ServerReply {
  int status = 200;
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::chrono::milliseconds delay{0};  // before the answer, unless the server ends first
  std::size_t claimed = 0;  // bytes that Content-Length adds to the body's, and that are never sent
  bool hang_up = false;     // no answer at all
  bool endless = false;     // repeats the body until the client stops reading
  std::chrono::milliseconds pause{0};  // after each byte of the body
};

class HttpServer {
 public:
  using Answer = std::function<ServerReply(const ServerRequest&)>;
  explicit HttpServer(Answer answer);
  ~HttpServer();

  std::string host() const;  // "127.0.0.1:PORT"
  std::string port() const;
  // All requests so far.
  std::vector<ServerRequest> requests() const;
  unsigned connections() const;
  // Bytes of bodies written so far.
  std::size_t sent() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stagemake::test
