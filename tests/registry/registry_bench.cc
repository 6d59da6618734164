#include "registry/registry_bench.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/holds_soon.h"
#include "base/process/subprocess.h"
#include "base/text/digest.h"

namespace stagemake::test {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr const char* kOciManifest = "application/vnd.oci.image.manifest.v1+json";
constexpr const char* kDockerManifest = "application/vnd.docker.distribution.manifest.v2+json";

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

bool answers(int port) {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(port);
  bool connected = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return connected;
}

void make_certificate(const fs::path& folder) {
  Command command;
  command.argv = {"openssl",
                  "req",
                  "-x509",
                  "-newkey",
                  "ec",
                  "-pkeyopt",
                  "ec_paramgen_curve:prime256v1",
                  "-nodes",
                  "-days",
                  "2",
                  "-subj",
                  "/CN=stagemake test",
                  "-addext",
                  "subjectAltName=IP:127.0.0.1,DNS:localhost",
                  "-keyout",
                  (folder / "key.pem").string(),
                  "-out",
                  (folder / "certificate.crt").string()};
  if (Finished finished = run_command(command); !finished.ok()) throw std::runtime_error(finished.errors);
}

std::size_t append(char* data, std::size_t size, std::size_t count, void* into) {
  static_cast<std::string*>(into)->append(data, size * count);
  return size * count;
}

json descriptor(const std::string& type, const std::string& content) {
  return {{"mediaType", type}, {"digest", digest_of(content)}, {"size", content.size()}};
}

}  // namespace

std::string digest_of(const std::string& bytes) {
  return "sha256:" + sha256_hex(bytes);
}

std::string ImageDocuments::digest() const {
  return digest_of(manifest);
}

ImageDocuments image_documents(const ImageWish& wish) {
  ImageDocuments image;
  image.config = json{{"architecture", wish.architecture},
                      {"os", "linux"},
                      {"created", wish.created},
                      {"config", {{"Labels", wish.labels}, {"Cmd", {"/bin/sh"}}}},
                      {"rootfs", {{"type", "layers"}, {"diff_ids", {digest_of(wish.layer)}}}}}
                     .dump();
  const char* config_type = wish.is_oci ? "application/vnd.oci.image.config.v1+json"
                                        : "application/vnd.docker.container.image.v1+json";
  const char* layer_type = wish.is_oci ? "application/vnd.oci.image.layer.v1.tar+gzip"
                                       : "application/vnd.docker.image.rootfs.diff.tar.gzip";
  image.manifest = json{{"schemaVersion", 2},
                        {"mediaType", wish.is_oci ? kOciManifest : kDockerManifest},
                        {"config", descriptor(config_type, image.config)},
                        {"layers", {descriptor(layer_type, wish.layer)}}}
                       .dump();
  image.blobs[digest_of(image.config)] = image.config;
  image.blobs[digest_of(wish.layer)] = wish.layer;
  return image;
}

std::string index_document(const std::map<std::string, ImageDocuments>& images) {
  json list = json::array();
  for (const auto& [architecture, image] : images) {
    json entry = descriptor(json::parse(image.manifest)["mediaType"], image.manifest);
    entry["platform"] = {{"architecture", architecture}, {"os", "linux"}};
    list.push_back(entry);
  }
  return json{
      {"schemaVersion", 2}, {"mediaType", "application/vnd.oci.image.index.v1+json"}, {"manifests", list}}
      .dump();
}

int free_port() {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  bool bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
               ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(fd);
  if (!bound) throw std::runtime_error("no free port on 127.0.0.1");
  return ntohs(address.sin_port);
}

TestRegistry::TestRegistry(const fs::path& parent, Kind kind)
    : folder_(parent), kind_(kind), port_(free_port()) {
  const fs::path& folder = folder_.path();
  std::string config = fmt::format(
      "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n"
      "storage:\n  cache: {{blobdescriptor: inmemory}}\n  filesystem:\n    rootdirectory: {}/data\nhttp:\n"
      "  addr: 127.0.0.1:{}\n",
      folder.string(), port_);
  if (kind.tls) {
    make_certificate(folder);
    config +=
        fmt::format("  tls:\n    certificate: {0}/certificate.crt\n    key: {0}/key.pem\n", folder.string());
  }
  if (kind.password) {
    // kPassword as a bcrypt hash: crypt(3) with "$2b$04$…"
    write_file(folder / "htpasswd",
               std::string(kUser) + ":$2b$04$abcdefghijklmnopqrstuu/K3WOo40eQ4rUOD4rYKfm4mJNBj1nh6\n");
    config +=
        fmt::format("auth:\n  htpasswd:\n    realm: somewhere\n    path: {}/htpasswd\n", folder.string());
  }
  write_file(folder / "config.yml", config);
  thread_ = std::jthread([file = (folder / "config.yml").string()](std::stop_token stop) {
    Command command;
    command.argv = {"docker-registry", "serve", file};
    command.on_output = [](std::string_view) {};
    command.stop = stop;
    run_command(command);
  });
  holds_soon([this] { return answers(port_); });
}

std::string TestRegistry::host() const {
  return fmt::format("127.0.0.1:{}", port_);
}

std::string TestRegistry::name(const std::string& image) const {
  return host() + "/" + image;
}

struct TestRegistry::Answer {
  long status = 0;
  std::string body;
  std::string location;
};

TestRegistry::Answer TestRegistry::ask(const char* method, const std::string& url, const std::string& body,
                                       const std::string& type) {
  thread_local std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(
      curl_slist_append(nullptr, ("Content-Type: " + type).c_str()), curl_slist_free_all);
  Answer answer;
  curl_easy_reset(curl.get());
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(curl.get(), CURLOPT_CUSTOMREQUEST, method);
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_SSL_VERIFYPEER, 0L);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer.body);
  if (kind_.password) {
    curl_easy_setopt(curl.get(), CURLOPT_USERNAME, kUser);
    curl_easy_setopt(curl.get(), CURLOPT_PASSWORD, kPassword);
  }
  if (CURLcode code = curl_easy_perform(curl.get()); code != CURLE_OK)
    throw std::runtime_error(curl_easy_strerror(code));
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  curl_header* location = nullptr;
  if (curl_easy_header(curl.get(), "Location", 0, CURLH_HEADER, -1, &location) == CURLHE_OK)
    answer.location = location->value;
  return answer;
}

void TestRegistry::put(const std::string& repository, const std::string& tag, const ImageDocuments& image) {
  std::string api = fmt::format("{}://{}/v2/{}/", kind_.tls ? "https" : "http", host(), repository);
  for (const auto& [digest, content] : image.blobs) {
    if (!put_.try_emplace(repository + digest, true).second) continue;
    Answer begun = ask("POST", api + "blobs/uploads/", "", "application/octet-stream");
    if (begun.location.starts_with('/')) begun.location.insert(0, api.substr(0, api.find("/v2/")));
    std::string place =
        begun.location + (begun.location.find('?') == std::string::npos ? "?" : "&") + "digest=" + digest;
    if (Answer put = ask("PUT", place, content, "application/octet-stream"); put.status != 201)
      throw std::runtime_error(fmt::format("a blob is refused with {}: {}", put.status, put.body));
  }
  put_manifest(repository, tag, image.manifest);
}

void TestRegistry::put_manifest(const std::string& repository, const std::string& tag,
                                const std::string& manifest) {
  std::string url =
      fmt::format("{}://{}/v2/{}/manifests/{}", kind_.tls ? "https" : "http", host(), repository, tag);
  if (Answer put = ask("PUT", url, manifest, json::parse(manifest)["mediaType"]); put.status != 201)
    throw std::runtime_error(fmt::format("a manifest is refused with {}: {}", put.status, put.body));
}

std::string TestRegistry::digest(const std::string& repository, const std::string& tag) const {
  fs::path repositories = folder_.path() / "data/docker/registry/v2/repositories";
  return read_file(repositories / repository / "_manifests/tags" / tag / "current/link").value_or("none");
}

fs::path TestRegistry::blob(const std::string& digest) const {
  std::string hex = digest.substr(digest.find(':') + 1);
  return folder_.path() / "data/docker/registry/v2/blobs/sha256" / hex.substr(0, 2) / hex / "data";
}

}  // namespace stagemake::test
