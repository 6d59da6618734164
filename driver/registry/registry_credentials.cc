#include "registry/registry_credentials.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/error.h"
#include "base/files/descriptor.h"
#include "base/process/callers_environment.h"
#include "base/process/sleep.h"
#include "base/process/subprocess.h"
#include "base/text/json_text.h"
#include "base/text/json_values.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestAnswer = 1u << 20;  // bytes of a helper's answer
constexpr std::string_view kHubKey = "https://index.docker.io/v1/";

std::vector<fs::path> places() {
  if (std::string file = callers_variable("REGISTRY_AUTH_FILE"); !file.empty()) return {file};
  std::vector<fs::path> files;
  if (std::string folder = callers_variable("DOCKER_CONFIG"); !folder.empty())
    files.push_back(fs::path(folder) / "config.json");
  else if (std::string home = callers_variable("HOME"); !home.empty())
    files.push_back(fs::path(home) / ".docker/config.json");
  if (std::string folder = callers_variable("XDG_RUNTIME_DIR"); !folder.empty())
    files.push_back(fs::path(folder) / "containers/auth.json");
  return files;
}

bool is_hub(std::string_view host) {
  return host == "docker.io" || host == "index.docker.io" || host == "registry-1.docker.io";
}

// "https://host:5000/v2/" → "host:5000"; a key without a scheme may continue with a repository.
std::string plain_key(std::string_view key) {
  bool has_scheme = key.starts_with("https://") || key.starts_with("http://");
  if (has_scheme) {
    key.remove_prefix(key.find("//") + 2);
    key = key.substr(0, key.find('/'));
  }
  while (key.ends_with('/')) key.remove_suffix(1);
  return is_hub(key) ? "docker.io" : std::string(key);
}

// The possible keys of an entry for this repository, the most specific first.
std::vector<std::string> keys_of(const std::string& host, const std::string& repository) {
  std::string place = is_hub(host) ? "docker.io" : host;
  std::vector<std::string> keys{place};
  for (std::string_view part : split(repository, '/'))
    if (!part.empty()) keys.push_back(keys.back() + "/" + std::string(part));
  std::reverse(keys.begin(), keys.end());
  return keys;
}

std::optional<RegistryCredential> credential_in(const json& entry) {
  RegistryCredential found{text_at(entry, "username"), text_at(entry, "password"),
                           text_at(entry, "identitytoken")};
  if (std::string packed = text_at(entry, "auth"); !packed.empty()) {
    std::string both = from_base64(trimmed(packed)).value_or("");
    while (both.ends_with('\0')) both.pop_back();
    std::size_t colon = both.find(':');
    if (colon == std::string::npos) return std::nullopt;
    found.user = both.substr(0, colon);
    found.password = both.substr(colon + 1);
  }
  if (found.user.empty() && found.identity_token.empty()) return std::nullopt;
  return found;
}

// Stops a command after some time, whatever it does.
class Watchdog {
 public:
  Watchdog(std::stop_source& stop, std::chrono::milliseconds time)
      : thread_([&stop, time](const std::stop_token& done) {
          if (sleep_for(time, done)) stop.request_stop();
        }) {}

 private:
  std::jthread thread_;
};

Finished ask_helper(const std::string& program, const std::string& registry, const std::stop_token& asked) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw engine_unusable("cannot create a pipe: too many open files");
  Descriptor reading(ends[0]);
  {
    Descriptor writing(ends[1]);
    (void)!::write(writing.get(), registry.data(), registry.size());  // an empty pipe accepts so much at once
  }
  std::stop_source stop;
  std::stop_callback on_stop(asked, [&] { stop.request_stop(); });
  Command command;
  command.argv = {program, "get"};
  command.standard_input = reading.get();
  command.output_limit = kLongestAnswer;
  command.stop = stop.get_token();
  command.grace = std::chrono::milliseconds(500);
  Watchdog watchdog(stop, RegistryCredentials::kHelperPatience);
  return run_command(command);
}

// Asks a helper. Its output may contain the secret and is never repeated.
std::optional<RegistryCredential> helped(const std::string& helper, const std::string& registry,
                                         const std::stop_token& stop, std::vector<std::string>& problems) {
  std::string program = "docker-credential-" + helper;
  auto broken = [&](std::string_view what) {
    problems.push_back(fmt::format("{}: {}", shown(program), what));
    return std::nullopt;
  };
  bool is_name = !helper.empty() && std::all_of(helper.begin(), helper.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  });
  if (!is_name) return broken("is not a valid name of a credential helper");
  if (stop.stop_requested()) return broken("is not called because the run is stopping");
  try {
    Finished finished = ask_helper(program, registry, stop);
    if (finished.stopped) return broken("does not answer");
    if (finished.output.find("credentials not found") != std::string::npos && !finished.ok())
      return std::nullopt;
    if (!finished.ok())
      return broken(
          fmt::format("knows no login for {}: exit status {}", shown(registry), finished.exit_code));
    json answer = json_in(finished.output, kLongestAnswer).value_or(nullptr);
    RegistryCredential found{text_at(answer, "Username"), text_at(answer, "Secret"), ""};
    if (found.password.empty()) return broken("its answer contains no password");
    if (found.user == "<token>") found = {"", "", found.password};
    return found;
  } catch (const Error&) {
    return broken(find_program(program).empty() ? "there is no such program in PATH" : "cannot be run");
  }
}

}  // namespace

std::string RegistryCredential::basic() const {
  return "Basic " + to_base64(user + ":" + password);
}

struct RegistryCredentials::Config {
  std::string store;                           // credsStore
  std::map<std::string, std::string> helpers;  // by plain_key
  std::map<std::string, std::string> asked;    // the registry's name for a helper, by plain_key
  std::map<std::string, RegistryCredential> logins;
};

RegistryCredentials::RegistryCredentials(std::stop_token stop) : stop_(std::move(stop)) {}
RegistryCredentials::~RegistryCredentials() = default;

void RegistryCredentials::read(const fs::path& file) {
  std::optional<std::string> text;
  try {
    text = read_file(file);
  } catch (const Error& error) {
    problems_.push_back(printable(error.what()));
  }
  if (!text || trimmed(*text).empty()) return;
  json value = json_in(*text, kMetadataLimit).value_or(nullptr);
  if (!value.is_object()) {
    problems_.push_back(printable(file.string()) + ": is not a JSON object; its logins are ignored");
    return;
  }
  Config config;
  config.store = text_at(value, "credsStore");
  for (const auto& [key, helper] : labels_in(member(value, "credHelpers"))) {
    config.helpers[plain_key(key)] = helper;
    config.asked[plain_key(key)] = key;
  }
  json auths = member(value, "auths");
  if (auths.is_object())
    for (const auto& [key, entry] : auths.items()) {
      config.asked.emplace(plain_key(key), key);
      if (!entry.is_object() || entry.empty()) continue;  // a helper has the secret
      if (std::optional<RegistryCredential> login = credential_in(entry))
        config.logins[plain_key(key)] = std::move(*login);
      else if (entry.contains("auth"))
        problems_.push_back(
            fmt::format("{}: the login for {} is damaged", printable(file.string()), shown(key)));
    }
  configs_.push_back(std::move(config));
}

void RegistryCredentials::read() {
  is_read_ = true;
  for (const fs::path& file : places()) read(file);
}

std::optional<RegistryCredential> RegistryCredentials::find_in(const Config& config, const std::string& host,
                                                               const std::string& repository,
                                                               std::vector<std::string>& problems) {
  std::vector<std::string> keys = keys_of(host, repository);
  auto ask = [&](const std::string& helper, const std::string& key) {
    auto as_known = config.asked.find(key);
    std::string registry = as_known != config.asked.end() ? as_known->second
                           : key == "docker.io"           ? std::string(kHubKey)
                                                          : key;
    auto [at, fresh] = heard_.try_emplace(helper + "\n" + registry);
    if (fresh) at->second = helped(helper, registry, stop_, problems);
    return at->second;
  };
  for (const std::string& key : keys)
    if (auto helper = config.helpers.find(key); helper != config.helpers.end())
      if (std::optional<RegistryCredential> found = ask(helper->second, key)) return found;
  if (!config.store.empty())
    if (std::optional<RegistryCredential> found = ask(config.store, keys.back())) return found;
  for (const std::string& key : keys)
    if (auto login = config.logins.find(key); login != config.logins.end()) return login->second;
  return std::nullopt;
}

std::optional<RegistryCredential> RegistryCredentials::find(const std::string& host,
                                                            const std::string& repository,
                                                            std::vector<std::string>& problems) {
  if (!is_read_) read();
  problems.insert(problems.end(), problems_.begin(), problems_.end());
  for (const Config& config : configs_)
    if (std::optional<RegistryCredential> found = find_in(config, host, repository, problems)) return found;
  return std::nullopt;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0 || text.size() > kMetadataLimit) return std::nullopt;
  std::string bytes(text.size() / 4 * 3, '\0');
  int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  bytes.resize(static_cast<std::size_t>(size) - padding);
  return bytes;
}

std::string to_base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // plus the NUL that OpenSSL writes
  int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

}  // namespace stagemake
