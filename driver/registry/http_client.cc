#include "registry/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <regex>

#include "base/error.h"
#include "base/text/text.h"
#include "registry/transfer_failure.h"

namespace stagemake {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr unsigned kConnectionsPerHost = 8;
constexpr unsigned kStreamsPerHost = 64;  // at once, if one connection carries many (HTTP/2)
constexpr unsigned kMostRedirects = 5;
constexpr std::size_t kMostHeaders = 256u << 10;  // bytes
constexpr milliseconds kFirstBackOff{200};        // doubled each time, multiplied by 0.5 … 1.5

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using Easy = std::unique_ptr<CURL, EasyDeleter>;

struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

struct Transfer {
  HttpRequest request;
  HttpClient::Done done;
  std::string url;     // after redirects
  std::string origin;  // of `url`
  unsigned redirects = 0;
  unsigned tries = 0;
  std::optional<Clock::time_point> deadline = {};  // set at the first attempt

  // Of the current attempt:
  std::unique_ptr<curl_slist, ListDeleter> headers = {};
  std::string authorities = {};
  HttpAnswer answer = {};
  std::size_t header_bytes = 0;
  bool too_long = false;
  char error[CURL_ERROR_SIZE] = {};
  Easy easy = {};  // points to the others, so it is destroyed first
};
using Owned = std::unique_ptr<Transfer>;

// libcurl's message without its times and counts, which differ from request to request, so that a problem of
// a whole registry is reported only once.
std::string reason_in(const std::string& words) {
  static const std::regex times(
      " after [0-9]+ (ms|milliseconds)|"
      " with [0-9]+( out of [0-9]+)? bytes received");
  static const std::regex counts("with [0-9]+ bytes");
  return printable(std::regex_replace(std::regex_replace(words, times, ""), counts, "with bytes"));
}

// libcurl has a queue of its own, but counts the time in it against CURLOPT_TIMEOUT_MS: of 80 requests of 0.5
// s each over 8 connections, 56 failed with a time-out of 2 s.
struct Host {
  std::deque<Owned> waiting;
  unsigned active = 0;
  unsigned most_active = kConnectionsPerHost;
};

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* into) {
  Transfer& transfer = *static_cast<Transfer*>(into);
  transfer.too_long = transfer.answer.body.size() + size * count > transfer.request.limit;
  if (transfer.too_long) return 0;
  transfer.answer.body.append(data, size * count);
  return size * count;
}

std::size_t take_header(char*, std::size_t size, std::size_t count, void* into) {
  Transfer& transfer = *static_cast<Transfer*>(into);
  transfer.header_bytes += size * count;
  transfer.too_long = transfer.header_bytes > kMostHeaders;
  return transfer.too_long ? 0 : size * count;
}

bool may_try_again(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_OPERATION_TIMEDOUT:
      return true;
    default:
      return false;
  }
}

bool is_redirect(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

milliseconds left_until(Clock::time_point until, Clock::time_point now) {
  return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(until - now));
}

void take_headers(CURL* easy, HttpAnswer& answer) {
  for (curl_header* header = nullptr;
       (header = curl_easy_nextheader(easy, CURLH_HEADER, -1, header)) != nullptr;) {
    std::string name = header->name;
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    answer.headers.emplace_back(std::move(name), header->value);
  }
}

}  // namespace

std::string HttpAnswer::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (key == name) return value;
  return {};
}

struct HttpClient::State {
  State(const HttpHosts& known_hosts, HttpLimits given) : hosts(known_hosts), limits(std::move(given)) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    multi = curl_multi_init();
    if (multi == nullptr) throw engine_unusable("libcurl cannot be initialized");
    curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, static_cast<long>(kConnectionsPerHost));
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 64L);
  }
  ~State() {
    for (auto& [easy, transfer] : running) curl_multi_remove_handle(multi, easy);
    running.clear();
    idle.clear();
    curl_multi_cleanup(multi);
  }

  void enqueue(Owned transfer);
  void fill();
  void retire(Transfer& transfer);
  void begin(Owned transfer, Host& host);
  void prepare(Transfer& transfer);
  bool collect();
  void finish(Owned transfer, CURLcode code);
  bool again(Owned& transfer, CURLcode code);
  void follow(Owned transfer, const char* target);
  void fail_all(const std::string& problem);
  milliseconds pause(Clock::time_point until) const;

  const HttpHosts& hosts;
  HttpLimits limits;
  CURLM* multi = nullptr;
  std::map<std::string, Host> queues;  // by origin
  std::map<CURL*, Owned> running;
  std::multimap<Clock::time_point, Owned> delayed;
  std::vector<Easy> idle;
  std::minstd_rand random{std::random_device()()};
};

HttpClient::HttpClient(const HttpHosts& hosts, HttpLimits limits)
    : state_(std::make_unique<State>(hosts, std::move(limits))) {}
HttpClient::~HttpClient() = default;

void HttpClient::start(HttpRequest request, Done done) {
  auto transfer = std::make_unique<Transfer>();
  transfer->url = request.url;
  transfer->request = std::move(request);
  transfer->done = std::move(done);
  state_->enqueue(std::move(transfer));
}

void HttpClient::State::enqueue(Owned transfer) {
  std::optional<UrlParts> parts = url_parts(transfer->url);
  transfer->origin = parts ? parts->origin() : "";
  queues[transfer->origin].waiting.push_back(std::move(transfer));
}

void HttpClient::State::fill() {
  for (Clock::time_point now = Clock::now(); !delayed.empty() && delayed.begin()->first <= now;) {
    Owned transfer = std::move(delayed.begin()->second);
    delayed.erase(delayed.begin());
    enqueue(std::move(transfer));
  }
  for (auto& [origin, host] : queues)
    while (!host.waiting.empty() && host.active < host.most_active) {
      Owned transfer = std::move(host.waiting.front());
      host.waiting.pop_front();
      begin(std::move(transfer), host);
    }
}

void HttpClient::State::begin(Owned transfer, Host& host) {
  transfer->answer = {};
  transfer->answer.problem = hosts.refusal(
      transfer->url, transfer->url == transfer->request.url ? transfer->request.from : transfer->request.url);
  if (!transfer->answer.problem.empty()) return transfer->done(std::move(transfer->answer));
  if (idle.empty()) idle.emplace_back(curl_easy_init());
  transfer->easy = std::move(idle.back());
  idle.pop_back();
  if (!transfer->easy) throw engine_unusable("libcurl cannot be initialized");
  prepare(*transfer);
  CURL* easy = transfer->easy.get();
  ++host.active;
  running.emplace(easy, std::move(transfer));
  curl_multi_add_handle(multi, easy);
}

void HttpClient::State::prepare(Transfer& transfer) {
  if (!transfer.deadline)
    transfer.deadline =
        Clock::now() + (transfer.request.patience.count() > 0 ? transfer.request.patience : limits.patience);
  ++transfer.tries;
  transfer.header_bytes = 0;
  transfer.too_long = false;
  transfer.error[0] = '\0';
  transfer.headers.reset();
  auto add = [&](const std::string& line) {
    transfer.headers.reset(curl_slist_append(transfer.headers.release(), line.c_str()));
  };
  UrlParts parts = *url_parts(transfer.url);
  std::optional<UrlParts> asked = url_parts(transfer.request.url);
  bool same = asked && asked->origin() == parts.origin();
  if (!transfer.request.accept.empty()) add("Accept: " + transfer.request.accept);
  if (same && !transfer.request.authorization.empty())
    add("Authorization: " + transfer.request.authorization);
  if (!transfer.request.content_type.empty()) add("Content-Type: " + transfer.request.content_type);
  if (!transfer.request.content_range.empty()) add("Content-Range: " + transfer.request.content_range);
  if (!transfer.request.bytes.empty()) add("Expect:");  // servers that do not know it cost a second

  CURL* easy = transfer.easy.get();
  auto set = [&](CURLoption option, auto value) { curl_easy_setopt(easy, option, value); };
  set(CURLOPT_URL, transfer.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
  set(CURLOPT_QUICK_EXIT, 1L);  // a name server that does not answer must not delay a stop
#endif
  set(CURLOPT_TCP_NODELAY, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits.connect_patience.count()));
  set(CURLOPT_TIMEOUT_MS,
      std::max(1L, static_cast<long>(left_until(*transfer.deadline, Clock::now()).count())));
  set(CURLOPT_USERAGENT, "stagemake/" STAGEMAKE_VERSION);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  if (parts.scheme == "https") set(CURLOPT_PIPEWAIT, 1L);
  if (is_loopback(parts.host)) set(CURLOPT_PROXY, "");  // a proxy would contact its own machine
  set(CURLOPT_HTTPHEADER, transfer.headers.get());
  if (!transfer.request.form.empty()) set(CURLOPT_COPYPOSTFIELDS, transfer.request.form.c_str());
  if (transfer.request.only_headers) set(CURLOPT_NOBODY, 1L);
  if (!transfer.request.method.empty()) {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_CUSTOMREQUEST, transfer.request.method.c_str());
    std::string_view content =
        transfer.request.bytes.empty() ? transfer.request.content : transfer.request.bytes;
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(content.size()));
    set(CURLOPT_POSTFIELDS, content.data());
  }
  if (transfer.request.silence.count() > 0) {
    set(CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(CURLOPT_LOW_SPEED_TIME, std::max(1L, static_cast<long>(transfer.request.silence.count() / 1000)));
  }
  set(CURLOPT_ERRORBUFFER, transfer.error);
  set(CURLOPT_WRITEFUNCTION, take_body);
  set(CURLOPT_WRITEDATA, &transfer);
  set(CURLOPT_HEADERFUNCTION, take_header);
  set(CURLOPT_HEADERDATA, &transfer);
  if (parts.scheme == "https") transfer.authorities = hosts.authorities(parts);
  if (!transfer.authorities.empty()) {
    curl_blob blob{transfer.authorities.data(), transfer.authorities.size(), CURL_BLOB_NOCOPY};
    set(CURLOPT_CAINFO_BLOB, &blob);
  }
}

// Keeps the handle for another transfer.
void HttpClient::State::retire(Transfer& transfer) {
  curl_easy_reset(transfer.easy.get());
  idle.push_back(std::move(transfer.easy));
}

// Collects the transfers that have ended. True if there were any.
bool HttpClient::State::collect() {
  bool any = false;
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* easy = message->easy_handle;
    CURLcode code = message->data.result;
    auto found = running.find(easy);
    Owned transfer = std::move(found->second);
    running.erase(found);
    curl_multi_remove_handle(multi, easy);
    Host& host = queues[transfer->origin];
    --host.active;
    long version = 0;
    curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
    if (version >= CURL_HTTP_VERSION_2_0) host.most_active = kStreamsPerHost;
    finish(std::move(transfer), code);
    any = true;
  }
  return any;
}

void HttpClient::State::finish(Owned transfer, CURLcode code) {
  CURL* easy = transfer->easy.get();
  HttpAnswer& answer = transfer->answer;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer.status);
  take_headers(easy, answer);
  char* target = nullptr;
  curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &target);
  if (code == CURLE_OK && target != nullptr && is_redirect(answer.status) && transfer->request.form.empty() &&
      transfer->request.method.empty())
    return follow(std::move(transfer), target);
  if (again(transfer, code)) return;
  if (transfer->too_long)
    answer.problem = fmt::format("its answer is longer than {}", size_text(transfer->request.limit));
  else if (code == CURLE_OPERATION_TIMEDOUT)
    answer.problem = fmt::format("it did not answer in time: {}", reason_in(transfer->error));
  else if (code != CURLE_OK)
    answer.problem = reason_in(transfer->error[0] != '\0' ? transfer->error : curl_easy_strerror(code));
  answer.speaks_something_else = code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_WEIRD_SERVER_REPLY;
  retire(*transfer);
  transfer->done(std::move(answer));
}

// Schedules another attempt for a failed request. False if there is none left.
bool HttpClient::State::again(Owned& transfer, CURLcode code) {
  bool broken = code == CURLE_OK ? is_transient_status(transfer->answer.status) : may_try_again(code);
  if (!broken || transfer->too_long || transfer->tries >= limits.tries || transfer->request.only_once)
    return false;
  std::uniform_real_distribution<double> jitter(0.5, 1.5);
  auto wait =
      std::chrono::duration_cast<milliseconds>(kFirstBackOff * (1 << (transfer->tries - 1)) * jitter(random));
  curl_off_t asked = 0;
  curl_easy_getinfo(transfer->easy.get(), CURLINFO_RETRY_AFTER, &asked);
  if (asked > 0) wait = std::chrono::seconds(std::min<curl_off_t>(asked, 3600));
  Clock::time_point then = Clock::now() + wait;
  if (then >= *transfer->deadline) {
    if (asked > 0)
      transfer->answer.problem = fmt::format("it answered {} and asks to retry only after {}",
                                             transfer->answer.status, duration_text(double(asked)));
    return false;
  }
  retire(*transfer);
  delayed.emplace(then, std::move(transfer));
  return true;
}

void HttpClient::State::follow(Owned transfer, const char* target) {
  transfer->url = target;
  retire(*transfer);
  if (++transfer->redirects <= kMostRedirects) {
    --transfer->tries;
    return enqueue(std::move(transfer));
  }
  transfer->answer.problem = "it redirects too many times";
  transfer->done(std::move(transfer->answer));
}

void HttpClient::State::fail_all(const std::string& problem) {
  while (true) {
    std::vector<Owned> all;
    for (auto& [easy, transfer] : running) {
      curl_multi_remove_handle(multi, easy);
      all.push_back(std::move(transfer));
    }
    running.clear();
    for (auto& [time, transfer] : delayed) all.push_back(std::move(transfer));
    delayed.clear();
    for (auto& [origin, host] : queues) {
      host.active = 0;
      for (Owned& transfer : host.waiting) all.push_back(std::move(transfer));
      host.waiting.clear();
    }
    if (all.empty()) return;
    for (Owned& transfer : all) transfer->done({.problem = problem});  // `done` may start others
  }
}

milliseconds HttpClient::State::pause(Clock::time_point until) const {
  Clock::time_point now = Clock::now();
  milliseconds time = std::min(left_until(until, now), milliseconds(1000));
  return delayed.empty() ? time : std::min(time, left_until(delayed.begin()->first, now));
}

void HttpClient::run(Clock::time_point until) {
  State& state = *state_;
  std::stop_callback wake(state.limits.stop, [&] { curl_multi_wakeup(state.multi); });
  while (true) {
    if (state.limits.stop.stop_requested()) return state.fail_all("a stop was requested");
    if (Clock::now() >= until) return state.fail_all("no time was left for it");
    state.fill();
    int active = 0;
    curl_multi_perform(state.multi, &active);
    if (state.collect()) continue;
    bool waits = std::any_of(state.queues.begin(), state.queues.end(),
                             [](const auto& one) { return !one.second.waiting.empty(); });
    if (state.running.empty() && state.delayed.empty() && !waits) return;
    if (waits && state.running.empty()) continue;
    curl_multi_poll(state.multi, nullptr, 0, static_cast<int>(state.pause(until).count()), nullptr);
  }
}

}  // namespace stagemake
