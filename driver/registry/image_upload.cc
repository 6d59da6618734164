#include "registry/image_upload.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <mutex>

#include "base/process/sleep.h"
#include "base/text/digest.h"
#include "base/text/text.h"
#include "registry/registry_access.h"
#include "registry/registry_reader.h"
#include "registry/transfer_failure.h"

namespace stagemake {
namespace {

using Kind = UploadError::Kind;

constexpr std::size_t kLongestAnswer = 1u << 20;    // bytes
constexpr std::size_t kLongestManifest = 4u << 20;  // bytes
constexpr const char* kBytes = "application/octet-stream";

bool is_fine(const HttpAnswer& answer) {
  return answer.problem.empty() && answer.status >= 200 && answer.status < 300;
}

// Whether the same request may have another answer later.
bool is_interrupted(const HttpAnswer& answer) {
  if (answer.status == 401) return false;
  return !answer.problem.empty() || is_transient_status(answer.status);
}

UploadError error_of(const HttpAnswer& answer) {
  return {is_interrupted(answer) ? Kind::Interrupted : Kind::Refused, reason_in(answer)};
}

// The number of bytes that "0-99" or "bytes=0-99" stands for; nothing if it is something else.
std::optional<std::uint64_t> bytes_in_range(std::string_view range) {
  std::size_t dash = range.find("0-");
  if (dash == std::string_view::npos) return std::nullopt;
  std::string_view end = range.substr(dash + 2);
  std::uint64_t last = 0;
  auto [rest, failed] = std::from_chars(end.data(), end.data() + end.size(), last);
  if (failed != std::errc() || rest != end.data() + end.size() || last >= std::uint64_t{1} << 60)
    return std::nullopt;
  return last == 0 ? 0 : last + 1;  // registries say "0-0" if they have nothing
}

}  // namespace

struct ImageUpload::State {
  State(UploadOptions given, RegistryName name)
      : options(std::move(given)), to(std::move(name)), hosts(options.plain_http) {}

  std::string path(std::string_view rest) const { return fmt::format("{}/{}", to.repository, rest); }

  const UploadOptions options;
  const RegistryName to;
  const HttpHosts hosts;
  std::mutex mutex;
  std::vector<std::unique_ptr<Connection>> idle;  // under mutex
};

// One thread's way to the registry, with its token.
class ImageUpload::Connection {
 public:
  explicit Connection(const State& state)
      : state_(state),
        credentials_(state.options.stop),
        client_(state.hosts,
                HttpLimits{state.options.connect_patience, state.options.patience, 3, state.options.stop}),
        access_(state.hosts, client_, credentials_, {}, state.options.token_hosts) {}

  // A question to the repository of the image, or to another one. `path`: as in RegistryQuestion.
  RegistryQuestion question(std::string method, std::string path) const {
    return {.host = state_.to.api_host(),
            .repository = state_.to.repository,
            .path = std::move(path),
            .limit = kLongestAnswer,
            .method = std::move(method)};
  }
  RegistryQuestion head(const std::string& digest) const {
    RegistryQuestion asked = question("", state_.path("blobs/" + digest));
    asked.only_headers = true;
    return asked;
  }
  void ask(RegistryQuestion question, HttpClient::Done done) {
    access_.ask(std::move(question), std::move(done));
  }
  // Waits for all answers.
  void run() {
    client_.run(std::chrono::steady_clock::now() + 2 * state_.options.chunk_patience);
    if (state_.options.stop.stop_requested()) throw UploadError(Kind::Stopped, "the run was stopped");
  }
  HttpAnswer answer_to(RegistryQuestion question) {
    HttpAnswer answer;
    ask(std::move(question), [&](HttpAnswer&& one) { answer = std::move(one); });
    run();
    return answer;
  }

 private:
  const State& state_;
  RegistryCredentials credentials_;
  HttpClient client_;
  RegistryAccess access_;
};

// The upload of one blob.
class ImageUpload::Session {
 public:
  Session(const State& state, Connection& connection) : state_(state), connection_(connection) {}

  void upload(const std::function<BlobChunk()>& next) {
    BlobChunk chunk = next();
    if (!chunk.digest.empty()) return put_whole(chunk);
    begin();
    for (std::uint64_t offset = 0;; offset += chunk.bytes.size(), chunk = next()) {
      send(chunk.bytes, offset);
      if (!chunk.digest.empty()) return end(chunk.digest);
    }
  }

 private:
  void begin();
  void put_whole(const BlobChunk& chunk);
  void send(std::string_view bytes, std::uint64_t offset);
  void end(const std::string& digest);
  std::optional<std::uint64_t> standing();
  bool take_location(const HttpAnswer& answer);
  HttpAnswer put(const std::string& digest, std::string_view bytes);
  bool has(const std::string& digest) {
    return connection_.answer_to(connection_.head(digest)).status == 200;
  }
  void note_failure(const std::string& why);

  const State& state_;
  Connection& connection_;
  std::string location_;
  unsigned failures_ = 0;  // in a row
};

// False if the answer names no place, or one on another host.
bool ImageUpload::Session::take_location(const HttpAnswer& answer) {
  std::string place = upload_path(answer.header("location"), state_.to.api_host());
  if (place.empty()) return false;
  location_ = std::move(place);
  return true;
}

// Waits before another attempt, or throws if there is none left.
void ImageUpload::Session::note_failure(const std::string& why) {
  if (++failures_ >= state_.options.tries) throw UploadError(Kind::Interrupted, why);
  if (!sleep_for(state_.options.first_pause * (1u << (failures_ - 1)), state_.options.stop))
    throw UploadError(Kind::Stopped, "the run was stopped");
}

void ImageUpload::Session::begin() {
  HttpAnswer answer = connection_.answer_to(connection_.question("POST", state_.path("blobs/uploads/")));
  if (!is_fine(answer)) throw error_of(answer);
  location_.clear();
  if (answer.status != 202 || !take_location(answer))
    throw UploadError(Kind::Refused, "it names no place on its own host for an upload");
  std::string least = answer.header("oci-chunk-min-length");
  if (least.size() > 7 || std::strtoul(least.c_str(), nullptr, 10) > BlobChunk::kSize)
    throw UploadError(Kind::Refused, "it wants larger chunks: " + shown(least));
}

HttpAnswer ImageUpload::Session::put(const std::string& digest, std::string_view bytes) {
  char separator = location_.find('?') == std::string::npos ? '?' : '&';
  RegistryQuestion question =
      connection_.question("PUT", fmt::format("{}{}digest={}", location_, separator, url_encoded(digest)));
  question.content_type = kBytes;
  question.bytes = bytes;
  question.patience = state_.options.chunk_patience;
  question.only_once = true;
  return connection_.answer_to(std::move(question));
}

// A blob of one chunk. If the connection breaks, it is sent again as a whole.
void ImageUpload::Session::put_whole(const BlobChunk& chunk) {
  while (true) {
    begin();
    HttpAnswer answer = put(chunk.digest, chunk.bytes);
    if (is_fine(answer)) return;
    if (!is_interrupted(answer) && answer.status != 404) throw error_of(answer);
    note_failure(reason_in(answer));
    if (has(chunk.digest)) return;  // only its answer was lost
  }
}

// How many bytes the registry has; nothing if it does not know the upload any more.
std::optional<std::uint64_t> ImageUpload::Session::standing() {
  while (true) {
    RegistryQuestion question = connection_.question("GET", location_);
    HttpAnswer answer = connection_.answer_to(std::move(question));
    std::optional<std::uint64_t> bytes = bytes_in_range(answer.header("range"));
    if (is_fine(answer) && bytes) {
      take_location(answer);
      return bytes;
    }
    if (!is_interrupted(answer)) return std::nullopt;
    note_failure(reason_in(answer));
  }
}

void ImageUpload::Session::send(std::string_view bytes, std::uint64_t offset) {
  std::uint64_t at = offset;
  const std::uint64_t end = offset + bytes.size();
  while (at < end) {
    RegistryQuestion question = connection_.question("PATCH", location_);
    question.content_type = kBytes;
    question.content_range = fmt::format("{}-{}", at, end - 1);
    question.bytes = bytes.substr(at - offset);
    question.patience = state_.options.chunk_patience;
    question.silence = state_.options.silence;
    question.only_once = true;
    HttpAnswer answer = connection_.answer_to(std::move(question));
    if (is_fine(answer)) {
      if (!take_location(answer) && !answer.header("location").empty())
        throw UploadError(Kind::Refused, "it redirects an upload to another host");
      std::string range = answer.header("range");
      std::optional<std::uint64_t> has = end == 1 && range == "0-0" ? 1 : bytes_in_range(range);
      if (range.empty() || has == end) {
        failures_ = 0;
        at = end;
        continue;
      }
      if (!has || *has < at || *has > end)
        throw UploadError(Kind::Refused, "it reports an impossible state of an upload: " + shown(range));
      if (*has > at)
        failures_ = 0;
      else
        note_failure("it takes nothing");
      at = *has;
      continue;
    }
    if (!is_interrupted(answer) && answer.status != 416 && answer.status != 404) throw error_of(answer);
    note_failure(reason_in(answer));
    std::optional<std::uint64_t> has = standing();
    if (has && *has >= offset && *has <= end) {
      if (*has > at) failures_ = 0;
      at = *has;
    } else if (offset == 0) {
      begin();
      at = 0;
    } else {
      throw UploadError(Kind::Interrupted, "it lost a part of a layer that was sent to it");
    }
  }
}

void ImageUpload::Session::end(const std::string& digest) {
  while (true) {
    HttpAnswer answer = put(digest, {});
    if (is_fine(answer)) return;
    if (!is_interrupted(answer)) throw error_of(answer);
    note_failure(reason_in(answer));
    if (has(digest)) return;
    if (!standing()) throw UploadError(Kind::Interrupted, "it lost a layer that was sent to it");
  }
}

ImageUpload::ImageUpload(UploadOptions options, RegistryName to)
    : state_(std::make_unique<State>(std::move(options), std::move(to))) {}
ImageUpload::~ImageUpload() = default;

// A connection is kept for other calls unless something went wrong on it.
struct ImageUpload::Borrowed {
  explicit Borrowed(State& from) : state(from) {
    std::lock_guard lock(state.mutex);
    if (!state.idle.empty()) {
      connection = std::move(state.idle.back());
      state.idle.pop_back();
    }
    if (!connection) connection = std::make_unique<Connection>(state);
  }
  void give_back() {
    std::lock_guard lock(state.mutex);
    state.idle.push_back(std::move(connection));
  }
  State& state;
  std::unique_ptr<Connection> connection;
};

std::map<std::string, std::uint64_t> ImageUpload::present(const std::vector<RegistryLayer>& blobs) {
  Borrowed borrowed(*state_);
  Connection& connection = *borrowed.connection;
  std::map<std::string, std::uint64_t> found;
  std::optional<HttpAnswer> failed;
  for (const RegistryLayer& blob : blobs)
    connection.ask(connection.head(blob.digest), [&, blob](HttpAnswer&& answer) {
      std::string text = answer.header("content-length");
      std::uint64_t size = blob.size;
      if (!text.empty()) std::from_chars(text.data(), text.data() + text.size(), size);
      if (is_fine(answer) && size > 0 && (blob.size == 0 || size == blob.size))
        found[blob.digest] = size;
      else if (!is_fine(answer) && answer.status != 404)
        failed = std::move(answer);
    });
  connection.run();
  if (failed) throw error_of(*failed);
  borrowed.give_back();
  return found;
}

std::set<std::string> ImageUpload::mounted(const std::vector<std::pair<std::string, std::string>>& blobs) {
  Connection connection(*state_);  // a refused token of another repository must not spoil the uploads' own
  std::set<std::string> taken;
  for (const auto& [digest, repository] : blobs) {
    std::string path =
        fmt::format("blobs/uploads/?mount={}&from={}", url_encoded(digest), url_encoded(repository));
    connection.ask(
        connection.question("POST", state_->path(path)), [&, digest = digest](HttpAnswer&& answer) {
          if (is_fine(answer) && answer.status == 201) taken.insert(digest);
          std::string place = upload_path(answer.header("location"), state_->to.api_host());
          if (answer.status == 202 && !place.empty())  // it began an upload instead, which nobody wants
            connection.ask(connection.question("DELETE", place), [](HttpAnswer&&) {});
        });
  }
  connection.run();
  return taken;
}

std::optional<std::string> ImageUpload::manifest(const std::string& repository, const std::string& digest) {
  Connection connection(*state_);
  RegistryQuestion question{.host = state_->to.api_host(),
                            .repository = repository,
                            .path = fmt::format("{}/manifests/{}", repository, digest),
                            .accept = kImageManifest,
                            .limit = kLongestManifest};
  HttpAnswer answer = connection.answer_to(std::move(question));
  bool is_right = is_fine(answer) && "sha256:" + sha256_hex(answer.body) == digest;
  return is_right ? std::optional(std::move(answer.body)) : std::nullopt;
}

void ImageUpload::upload(const std::function<BlobChunk()>& next) {
  Borrowed borrowed(*state_);
  Session(*state_, *borrowed.connection).upload(next);
  borrowed.give_back();
}

std::string ImageUpload::put_manifest(const std::string& manifest, const std::string& type) {
  Borrowed borrowed(*state_);
  const RegistryName& to = state_->to;
  RegistryQuestion question = borrowed.connection->question(
      "PUT", state_->path("manifests/" + (to.tag.empty() ? std::string("latest") : to.tag)));
  question.content = manifest;
  question.content_type = type;
  HttpAnswer answer = borrowed.connection->answer_to(std::move(question));
  if (!is_fine(answer)) throw error_of(answer);
  std::string digest = "sha256:" + sha256_hex(manifest);
  std::string said = answer.header("docker-content-digest");
  if (!said.empty() && said != digest)
    throw UploadError(Kind::Refused, "it changed the manifest: " + shown(said));
  borrowed.give_back();
  return digest;
}

}  // namespace stagemake
