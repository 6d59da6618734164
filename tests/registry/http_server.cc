#include "registry/http_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/asio.hpp>
#include <cctype>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/text/text.h"

namespace stagemake::test {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

ServerRequest parsed(const std::string& head) {
  ServerRequest request;
  std::vector<std::string_view> all = lines(head);
  std::vector<std::string_view> first = words(all.at(0));
  request.method = first.at(0);
  request.target = first.at(1);
  for (std::size_t i = 1; i < all.size(); ++i)
    if (std::size_t colon = all[i].find(':'); colon != std::string_view::npos)
      request.headers[lower(all[i].substr(0, colon))] = trimmed(all[i].substr(colon + 1));
  return request;
}

}  // namespace

struct HttpServer::State {
  explicit State(Answer given)
      : answer(std::move(given)), acceptor(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {}

  void accept() {
    while (true) {
      auto socket = std::make_shared<tcp::socket>(loop);
      boost::system::error_code failed;
      acceptor.accept(*socket, failed);
      std::lock_guard lock(mutex);
      if (failed || stopping) return;
      sockets.push_back(socket);
      threads.emplace_back([this, socket] { serve(*socket); });
    }
  }

  void serve(tcp::socket& socket) {
    boost::system::error_code failed;
    std::string buffer;
    while (!failed) {
      std::size_t size = asio::read_until(socket, asio::dynamic_buffer(buffer), "\r\n\r\n", failed);
      if (failed) break;
      ServerRequest request = parsed(buffer.substr(0, size));
      buffer.erase(0, size);
      std::size_t length = std::strtoul(request.header("content-length").c_str(), nullptr, 10);
      if (buffer.size() < length)
        asio::read(socket, asio::dynamic_buffer(buffer), asio::transfer_exactly(length - buffer.size()),
                   failed);
      request.body = buffer.substr(0, length);
      buffer.erase(0, length);
      // The last chunk; the content of those before is not of interest.
      if (request.header("transfer-encoding") == "chunked")
        buffer.erase(0, asio::read_until(socket, asio::dynamic_buffer(buffer), "0\r\n\r\n", failed));
      if (!reply(socket, request)) break;
    }
    socket.shutdown(tcp::socket::shutdown_both, failed);
  }

  bool reply(tcp::socket& socket, const ServerRequest& request) {
    ServerReply reply;
    {
      std::lock_guard lock(mutex);
      requests.push_back(request);
      reply = answer(request);
    }
    if (reply.delay.count() > 0) {
      std::unique_lock lock(mutex);
      ends.wait_for(lock, reply.delay, [this] { return stopping; });
    }
    if (reply.hang_up) return false;
    std::string text = fmt::format("HTTP/1.1 {} Said\r\n", reply.status);
    if (!reply.endless) text += fmt::format("Content-Length: {}\r\n", reply.body.size() + reply.claimed);
    for (const auto& [name, value] : reply.headers) text += fmt::format("{}: {}\r\n", name, value);
    boost::system::error_code failed;
    asio::write(socket, asio::buffer(text + "\r\n"), failed);
    do write_body(socket, reply, failed);
    while (reply.endless && !failed && !is_stopping());
    return !failed && reply.claimed == 0;
  }

  void write_body(tcp::socket& socket, const ServerReply& reply, boost::system::error_code& failed) {
    std::size_t piece = reply.pause.count() > 0 ? 1 : std::max<std::size_t>(reply.body.size(), 1);
    for (std::size_t at = 0; at < reply.body.size() && !failed; at += piece) {
      sent += asio::write(
          socket, asio::buffer(reply.body.data() + at, std::min(piece, reply.body.size() - at)), failed);
      if (reply.pause.count() == 0) continue;
      std::unique_lock lock(mutex);
      if (ends.wait_for(lock, reply.pause, [this] { return stopping; })) return;
    }
  }

  bool is_stopping() {
    std::lock_guard lock(mutex);
    return stopping;
  }

  Answer answer;
  asio::io_context loop;
  tcp::acceptor acceptor;
  std::mutex mutex;
  bool stopping = false;
  std::condition_variable ends;
  std::vector<ServerRequest> requests;
  std::atomic<std::size_t> sent = 0;
  std::vector<std::shared_ptr<tcp::socket>> sockets;
  std::vector<std::jthread> threads;
  std::jthread accepting;
};

HttpServer::HttpServer(Answer answer) : state_(std::make_unique<State>(std::move(answer))) {
  state_->accepting = std::jthread([state = state_.get()] { state->accept(); });
}

HttpServer::~HttpServer() {
  std::vector<std::jthread> threads;
  boost::system::error_code ignored;
  {
    std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    for (auto& socket : state_->sockets) socket->shutdown(tcp::socket::shutdown_both, ignored);
    threads.swap(state_->threads);
  }
  state_->ends.notify_all();
  tcp::socket last(state_->loop);  // wakes the acceptor
  last.connect(state_->acceptor.local_endpoint(), ignored);
  state_->accepting.join();
}

std::string HttpServer::port() const {
  return std::to_string(state_->acceptor.local_endpoint().port());
}

std::string HttpServer::host() const {
  return "127.0.0.1:" + port();
}

std::vector<ServerRequest> HttpServer::requests() const {
  std::lock_guard lock(state_->mutex);
  return state_->requests;
}

unsigned HttpServer::connections() const {
  std::lock_guard lock(state_->mutex);
  return static_cast<unsigned>(state_->sockets.size());
}

std::size_t HttpServer::sent() const {
  return state_->sent;
}

}  // namespace stagemake::test
