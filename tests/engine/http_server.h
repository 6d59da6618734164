// A small HTTP server on this machine that answers what a test says, faults included.
//
// The answering function is called from the server's threads, one call at a time.
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
  std::chrono::milliseconds delay{0};  // until the answer, or the end of the server
  std::size_t claimed = 0;  // bytes that Content-Length says beside those of the body, which never come
  bool hang_up = false;     // no answer at all
  bool endless = false;     // the body again and again, until nobody reads on
  std::chrono::milliseconds pause{0};  // after each byte of the body
};

class HttpServer {
 public:
  using Answer = std::function<ServerReply(const ServerRequest&)>;
  explicit HttpServer(Answer answer);
  ~HttpServer();

  std::string host() const;  // "127.0.0.1:PORT"
  std::string port() const;
  // All requests until now.
  std::vector<ServerRequest> requests() const;
  unsigned connections() const;
  // Bytes of bodies that were written until now.
  std::size_t sent() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stagemake::test
