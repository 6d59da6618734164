#include "engine/docker/docker_api.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <exception>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/files/descriptor.h"
#include "base/process/subprocess.h"
#include "base/text/json_text.h"
#include "base/text/json_values.h"
#include "base/text/text.h"
#include "engine/docker/dialer.h"
#include "engine/engine_program.h"

namespace stagemake {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kLongestAnswer = 256u << 20;  // bytes of JSON
constexpr std::size_t kLongestError = 1u << 20;     // bytes of an answer that is not ok
constexpr std::size_t kLongestHead = 64u << 10;     // bytes of an answer before a stream
constexpr std::size_t kShownBytes = 4000;           // of an answer that is not JSON
constexpr milliseconds kLook{1000};                 // the longest wait for something to happen
constexpr unsigned kOldestMinor = 40,
                   kNewestMinor = 51;  // of version 1 of the interface: 1.40 is docker 19.03

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct MultiDeleter {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Easy = std::unique_ptr<CURL, EasyDeleter>;
using Headers = std::unique_ptr<curl_slist, ListDeleter>;

std::string encoded(std::string_view text, std::string_view kept) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
  std::string url;
  for (char c : text) {
    if (kPlain.find(c) != std::string_view::npos || kept.find(c) != std::string_view::npos)
      url += c;
    else
      url += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return url;
}

std::string target_of(const DockerRequest& request, const std::string& version) {
  std::string target = version.empty() ? request.path : "/v" + version + request.path;
  char separator = '?';
  for (const auto& [key, value] : request.query) {
    target += fmt::format("{}{}={}", separator, encoded(key, ""), encoded(value, ""));
    separator = '&';
  }
  return target;
}

// One request and its answer on the way.
struct Exchange {
  const DockerRequest& request;
  CURL* easy = nullptr;
  DockerAnswer answer = {};
  std::string api_version = {};  // the header of that name
  std::size_t moved = 0;         // bytes in both directions
  bool is_too_long = false;
  std::exception_ptr thrown = {};
};

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* into) {
  Exchange& exchange = *static_cast<Exchange*>(into);
  std::size_t bytes = size * count;
  exchange.moved += bytes;
  curl_easy_getinfo(exchange.easy, CURLINFO_RESPONSE_CODE, &exchange.answer.status);
  bool ok = exchange.answer.ok();
  if (ok && exchange.request.sink) {
    try {
      exchange.request.sink({data, bytes});
      return bytes;
    } catch (...) {
      exchange.thrown = std::current_exception();
      return 0;
    }
  }
  exchange.is_too_long = exchange.answer.content.size() + bytes > (ok ? kLongestAnswer : kLongestError);
  if (exchange.is_too_long) return 0;
  exchange.answer.content.append(data, bytes);
  return bytes;
}

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* into) {
  Exchange& exchange = *static_cast<Exchange*>(into);
  exchange.moved += size * count;
  std::string_view line(data, size * count);
  constexpr std::string_view kName = "api-version:";
  if (line.size() > kName.size() && ::strncasecmp(line.data(), kName.data(), kName.size()) == 0)
    exchange.api_version = trimmed(line.substr(kName.size()));
  return size * count;
}

std::size_t give_body(char* data, std::size_t size, std::size_t count, void* from) {
  Exchange& exchange = *static_cast<Exchange*>(from);
  ssize_t bytes = 0;
  do bytes = ::read(exchange.request.body, data, size * count);
  while (bytes < 0 && errno == EINTR);
  if (bytes < 0) return CURL_READFUNC_ABORT;
  exchange.moved += static_cast<std::size_t>(bytes);
  return static_cast<std::size_t>(bytes);
}

// "1.41" → 41; nothing if it is not version 1.
std::optional<unsigned> minor_version(std::string_view text) {
  unsigned minor = 0;
  if (!text.starts_with("1.")) return std::nullopt;
  auto [rest, failed] = std::from_chars(text.data() + 2, text.data() + text.size(), minor);
  if (failed != std::errc() || rest != text.data() + text.size()) return std::nullopt;
  return minor;
}

// "docker ping: cannot …" → "cannot …"
std::string without_verb(std::string_view message) {
  std::size_t colon = message.find(": ");
  bool has_verb = message.starts_with("docker") && colon != std::string_view::npos;
  return std::string(has_verb ? message.substr(colon + 2) : message);
}

}  // namespace

std::string docker_path(std::string_view before, std::string_view name, std::string_view after) {
  return fmt::format("{}{}{}", before, encoded(name, "/:@"), after);
}

std::string DockerAnswer::message() const {
  std::optional<json> said = json_in(content, kLongestError);
  std::string words = said ? text_at(*said, "message") : std::string(content.substr(0, kShownBytes));
  std::string text = shown_words(words);
  return text.empty() ? fmt::format("status {}", status) : text;
}

// A connection with its own cache: curl keeps it open for the next call that gets it.
struct Connection {
  Connection() : multi(curl_multi_init()), easy(curl_easy_init()) {
    if (!multi || !easy) throw EngineError("docker: libcurl cannot be initialized");
  }
  std::unique_ptr<CURLM, MultiDeleter> multi;
  Easy easy;  // destroyed first
};

struct DockerApi::State {
  State(DockerPatience given, std::string named) : patience(given), name_of_place(std::move(named)) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  }

  const DockerEndpoint& place() {
    std::lock_guard lock(mutex);
    if (!endpoint) {
      DockerEndpoint found = name_of_place.empty() ? docker_endpoint() : docker_endpoint_at(name_of_place);
      if (!found.dialer.empty()) dialer.emplace(found.dialer);
      endpoint = std::move(found);
    }
    return *endpoint;
  }
  std::unique_ptr<Connection> taken() {
    std::lock_guard lock(mutex);
    if (idle.empty()) return std::make_unique<Connection>();
    std::unique_ptr<Connection> connection = std::move(idle.back());
    idle.pop_back();
    return connection;
  }
  void give_back(std::unique_ptr<Connection> connection) {
    curl_easy_reset(connection->easy.get());
    std::lock_guard lock(mutex);
    idle.push_back(std::move(connection));
  }

  void set_endpoint(CURL* easy);
  EngineError unreachable(const std::string& verb, CURL* easy, CURLcode code, const char* words);
  DockerAnswer exchange(const DockerRequest& request, const std::string& version, bool asks_for_sign,
                        std::string* api_version = nullptr);
  void expect_sign_of_life();
  std::string version();

  const DockerPatience patience;
  const std::string name_of_place;
  std::mutex mutex;  // guards all below
  std::optional<DockerEndpoint> endpoint;
  std::optional<Dialer> dialer;  // before the connections: they use it until they are closed
  std::vector<std::unique_ptr<Connection>> idle;
  std::string negotiated;
};

void DockerApi::State::set_endpoint(CURL* easy) {
  const DockerEndpoint& to = place();
  auto set = [&](CURLoption option, auto value) { curl_easy_setopt(easy, option, value); };
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_PROXY, "");
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_TCP_NODELAY, 1L);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(patience.connect.count()));
  set(CURLOPT_USERAGENT, "stagemake/" STAGEMAKE_VERSION);
  if (dialer)
    set(CURLOPT_UNIX_SOCKET_PATH, dialer->socket().c_str());
  else if (!to.socket.empty())
    set(CURLOPT_UNIX_SOCKET_PATH, to.socket.c_str());
  if (!to.authority.empty()) set(CURLOPT_CAINFO, to.authority.c_str());
  if (!to.certificate.empty()) set(CURLOPT_SSLCERT, to.certificate.c_str());
  if (!to.key.empty()) set(CURLOPT_SSLKEY, to.key.c_str());
  if (!to.verifies) {
    set(CURLOPT_SSL_VERIFYPEER, 0L);
    set(CURLOPT_SSL_VERIFYHOST, 0L);
  }
}

EngineError DockerApi::State::unreachable(const std::string& verb, CURL* easy, CURLcode code,
                                          const char* words) {
  long number = 0;
  curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &number);
  bool never_connected = code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST;
  std::string reason = never_connected && number != 0       ? std::strerror(static_cast<int>(number))
                       : words != nullptr && *words != '\0' ? words
                                                            : curl_easy_strerror(code);
  if (dialer)
    if (std::string said = dialer->last_words(); !said.empty()) reason = said;
  return EngineError(fmt::format("docker {}: {} the docker daemon at {}: {}", verb,
                                 never_connected ? "cannot connect to" : "lost the connection to",
                                 place().host, printable(reason)));
}

DockerAnswer DockerApi::State::exchange(const DockerRequest& request, const std::string& version,
                                        bool asks_for_sign, std::string* api_version) {
  std::unique_ptr<Connection> connection = taken();
  CURL* easy = connection->easy.get();
  CURLM* multi = connection->multi.get();
  Exchange exchange{.request = request, .easy = easy};
  char words[CURL_ERROR_SIZE] = {};
  set_endpoint(easy);
  auto set = [&](CURLoption option, auto value) { curl_easy_setopt(easy, option, value); };
  std::string url = place().url + target_of(request, version);
  set(CURLOPT_URL, url.c_str());
  Headers headers;
  auto add = [&](const std::string& line) {
    headers.reset(curl_slist_append(headers.release(), line.c_str()));
  };
  add("Expect:");
  if (!request.authorization.empty()) add("X-Registry-Auth: " + request.authorization);
  if (request.body >= 0) {
    add("Content-Type: application/x-tar");
    set(CURLOPT_UPLOAD, 1L);
    set(CURLOPT_READFUNCTION, give_body);
    set(CURLOPT_READDATA, &exchange);
  } else if (request.method != "GET") {
    add("Content-Type: application/json");
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.content.size()));
    set(CURLOPT_POSTFIELDS, request.content.c_str());
  }
  set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_ERRORBUFFER, words);
  set(CURLOPT_WRITEFUNCTION, take_body);
  set(CURLOPT_WRITEDATA, &exchange);
  set(CURLOPT_HEADERFUNCTION, take_header);
  set(CURLOPT_HEADERDATA, &exchange);
  if (!asks_for_sign) set(CURLOPT_TIMEOUT_MS, static_cast<long>(patience.sign.count()));

  curl_multi_add_handle(multi, easy);
  CURLcode code = CURLE_OK;
  {
    std::stop_callback wake(request.stop, [&] { curl_multi_wakeup(multi); });
    auto last = Clock::now();
    std::size_t moved = 0;
    try {
      for (int active = 1; active > 0 && !exchange.answer.stopped;) {
        curl_multi_perform(multi, &active);
        if (active == 0) break;
        if (request.stop.stop_requested()) exchange.answer.stopped = true;
        if (std::exchange(moved, exchange.moved) != exchange.moved) last = Clock::now();
        if (asks_for_sign && Clock::now() - last > patience.silence) {
          expect_sign_of_life();
          last = Clock::now();
        }
        if (!exchange.answer.stopped)
          curl_multi_poll(multi, nullptr, 0, static_cast<int>(std::min(patience.silence, kLook).count()),
                          nullptr);
      }
    } catch (...) {
      curl_multi_remove_handle(multi, easy);
      throw;
    }
  }
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi, &left))
    if (message->msg == CURLMSG_DONE) code = message->data.result;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &exchange.answer.status);
  curl_multi_remove_handle(multi, easy);
  if (exchange.thrown) std::rethrow_exception(exchange.thrown);
  if (exchange.answer.stopped) return std::move(exchange.answer);
  if (exchange.is_too_long)
    throw EngineError(fmt::format("docker {}: the daemon's answer is longer than {}", request.verb,
                                  size_text(exchange.answer.ok() ? kLongestAnswer : kLongestError)));
  // An answer that came before the whole request was sent is an answer.
  bool refused_early = code == CURLE_SEND_ERROR && exchange.answer.status >= 400;
  if (code != CURLE_OK && !refused_early) throw unreachable(request.verb, easy, code, words);
  if (api_version != nullptr) *api_version = std::move(exchange.api_version);
  if (code == CURLE_OK) give_back(std::move(connection));
  return std::move(exchange.answer);
}

void DockerApi::State::expect_sign_of_life() {
  exchange({.verb = "ping", .path = "/_ping"}, "", false);
}

// The newest version that both sides know. A daemon that needs a newer one says so in each answer.
std::string DockerApi::State::version() {
  {
    std::lock_guard lock(mutex);
    if (!negotiated.empty()) return negotiated;
  }
  std::string theirs;
  DockerAnswer answer = exchange({.verb = "ping", .path = "/_ping"}, "", false, &theirs);
  if (!answer.ok()) throw EngineError(fmt::format("docker ping: {}", answer.message()));
  std::optional<unsigned> minor = minor_version(theirs);
  if (!minor)
    throw EngineError(fmt::format("docker: what listens at {} is not a docker daemon", place().host));
  if (*minor < kOldestMinor)
    throw EngineError(
        fmt::format("docker: the daemon at {} speaks version {} of the interface; at least 1.{} "
                    "(docker 19.03) is needed",
                    place().host, theirs, kOldestMinor));
  std::lock_guard lock(mutex);
  negotiated = fmt::format("1.{}", std::min(*minor, kNewestMinor));
  return negotiated;
}

DockerApi::DockerApi(DockerPatience patience, std::string place)
    : state_(std::make_unique<State>(patience, std::move(place))) {}
DockerApi::~DockerApi() = default;

bool DockerApi::is_named() const {
  return !state_->name_of_place.empty();
}

std::string DockerApi::context() const {
  return names_context(state_->name_of_place) ? state_->name_of_place : std::string();
}

const DockerPatience& DockerApi::patience() const {
  return state_->patience;
}

const DockerEndpoint& DockerApi::endpoint() const {
  return state_->place();
}

DockerAnswer DockerApi::call(const DockerRequest& request) const {
  return state_->exchange(request, state_->version(), true);
}

json DockerApi::ask(const DockerRequest& request) const {
  DockerAnswer answer = call(request);
  if (!answer.ok()) throw error(request.verb, answer);
  return parsed_answer("docker " + request.verb, answer.content);
}

std::optional<json> DockerApi::find_container(const std::string& container, const char* verb) const {
  DockerAnswer answer = call({.verb = verb, .path = docker_path("/containers/", container, "/json")});
  if (answer.is_absent()) return std::nullopt;
  if (!answer.ok()) throw error(verb, answer);
  return parsed_answer("docker inspect", answer.content);
}

void DockerApi::expect_sign_of_life() const {
  state_->expect_sign_of_life();
}

EngineError DockerApi::error(const std::string& verb, const DockerAnswer& answer) const {
  return error(verb, answer.message());
}

EngineError DockerApi::error(const std::string& verb, std::string_view words) const {
  return EngineError(fmt::format("docker {}: {}", verb, words));
}

EngineReport DockerApi::examine(Look look) const {
  const std::string install =
      "install docker: apt-get install docker.io, or see https://docs.docker.com/engine/install";
  const DockerEndpoint* to = nullptr;
  try {
    to = &endpoint();
  } catch (const EngineError& error) {
    return not_usable(
        name(), without_verb(error.what()),
        state_->name_of_place.empty()
            ? "correct DOCKER_HOST, DOCKER_CONTEXT or docker's configuration, whichever names it"
            : "correct its endpoint in --hosts, or the context that it names");
  }
  boost::system::error_code failed;
  if (to->is_local() && !fs::exists(to->socket, failed) && !failed && find_program("docker").empty())
    return not_usable(name(), fmt::format("there is no docker daemon at {}", to->host), install);
  try {
    json version = ask({.verb = "version", .path = "/version"});
    std::string warning;
    if (look == Look::Close)
      warning = storage_warning(text_at(ask({.verb = "info", .path = "/info"}), "Driver"));
    return usable(name(), text_at(version, "Version"), std::move(warning));
  } catch (const EngineError& error) {
    std::string problem = without_verb(error.what());
    bool is_denied = problem.find(std::strerror(EACCES)) != std::string::npos && to->is_local();
    return not_usable(
        name(), problem,
        is_denied
            ? "add yourself to the group docker (usermod -aG docker $USER) and log in again, or use buildah"
        : to->dialer.empty()
            ? (state_->name_of_place.empty()
                   ? "start the daemon (systemctl start docker), or set DOCKER_HOST to where it listens"
                   : "start its daemon, or correct its endpoint in --hosts")
            : "`" + join(to->dialer, " ") + "` must work without asking anything");
  }
}

// --- streams

struct DockerStream::State {
  const DockerApi& api;
  std::string verb;
  Easy easy;
  char words[CURL_ERROR_SIZE] = {};
  std::string early = {};  // what came with the head of the answer
};

namespace {

// False if nothing happens within the time.
bool wait_for(int descriptor, short events, milliseconds patience) {
  pollfd watched{descriptor, events, 0};
  int ready = 0;
  do ready = ::poll(&watched, 1, static_cast<int>(patience.count()));
  while (ready < 0 && errno == EINTR);
  return ready > 0;
}

}  // namespace

DockerStream::DockerStream(const DockerApi& api, const DockerRequest& request)
    : state_(new State{.api = api, .verb = request.verb, .easy = Easy(curl_easy_init())}) {
  if (!state_->easy) throw EngineError("docker: libcurl cannot be initialized");
  CURL* easy = state_->easy.get();
  DockerApi::State& shared = *api.state_;
  std::string version = shared.version();
  shared.set_endpoint(easy);
  std::string url = shared.place().url;
  std::size_t path = url.find('/', url.find("//") + 2);  // where a proxy passes requests on below a path
  std::string target = (path == std::string::npos ? "" : url.substr(path)) + target_of(request, version);
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, state_->words);
  if (CURLcode code = curl_easy_perform(easy); code != CURLE_OK)
    throw shared.unreachable(state_->verb, easy, code, state_->words);

  std::string head = fmt::format(
      "{} {} HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
      "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
      request.method, target, request.content.size(), request.content);
  for (std::string_view rest = head; !rest.empty();) {
    rest.remove_prefix(send(rest));
    if (!rest.empty() && !wait_for(descriptor(), POLLOUT, shared.patience.sign))
      throw api.error(state_->verb, "the daemon accepts nothing");
  }
  std::string answer;
  std::size_t end = std::string::npos;
  while ((end = answer.find("\r\n\r\n")) == std::string::npos) {
    if (receive([&](std::string_view piece) { answer += piece; })) {
      if (answer.size() > kLongestHead) throw api.error(state_->verb, "the daemon's answer has no end");
      continue;
    }
    if (has_ended_) throw api.error(state_->verb, "the daemon closed the connection");
    if (!wait_for(descriptor(), POLLIN, shared.patience.sign))
      throw api.error(state_->verb, "the daemon does not answer");
  }
  std::string_view rest = std::string_view(answer).substr(end + 4);
  DockerAnswer said;
  if (answer.starts_with("HTTP/1.1 ") && end >= 12)
    std::from_chars(answer.data() + 9, answer.data() + 12, said.status);
  bool is_stream = answer.find("application/vnd.docker.") < end;
  if (said.status == 101 || (said.status == 200 && is_stream)) {
    state_->early = rest;
    return;
  }
  // A refusal: its words follow at once.
  said.content = rest;
  while (said.content.empty() && !has_ended_ && wait_for(descriptor(), POLLIN, milliseconds(1000)))
    receive([&](std::string_view piece) { said.content += piece; });
  std::size_t begin = said.content.find('{');  // it may come in chunks
  if (begin != std::string::npos)
    said.content = said.content.substr(begin, said.content.rfind('}') - begin + 1);
  if (said.ok()) throw api.error(state_->verb, "what answers for the daemon passes on no streams");
  throw api.error(state_->verb, said);
}

DockerStream::~DockerStream() = default;

int DockerStream::descriptor() const {
  curl_socket_t socket = CURL_SOCKET_BAD;
  curl_easy_getinfo(state_->easy.get(), CURLINFO_ACTIVESOCKET, &socket);
  return socket;
}

bool DockerStream::receive(const std::function<void(std::string_view)>& heard) {
  if (!state_->early.empty()) {
    std::string early = std::exchange(state_->early, {});
    heard(early);
    return true;
  }
  std::array<char, 65536> piece;
  std::size_t bytes = 0;
  CURLcode code = curl_easy_recv(state_->easy.get(), piece.data(), piece.size(), &bytes);
  if (code == CURLE_AGAIN) return false;
  if (code != CURLE_OK ||
      bytes == 0) {  // a connection that was reset has ended, too: the container's state counts
    has_ended_ = true;
    return false;
  }
  heard({piece.data(), bytes});
  return true;
}

std::size_t DockerStream::send(std::string_view bytes) {
  std::size_t sent = 0;
  CURLcode code = curl_easy_send(state_->easy.get(), bytes.data(), bytes.size(), &sent);
  if (code == CURLE_AGAIN) return 0;
  if (code != CURLE_OK)
    throw state_->api.state_->unreachable(state_->verb, state_->easy.get(), code, state_->words);
  return sent;
}

}  // namespace stagemake
