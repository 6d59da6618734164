#include "registry/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "base/text/digest.h"
#include "base/text/image_name.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

constexpr std::size_t kMostNamed = 10;  // images per repository that a survey's problems name

// A repository of a survey.
struct Place {
  std::string asked;
  RegistryName name = {};
  std::string list_problem = {};  // why it is not listed, or not to its end
  bool is_missing = false;
  std::vector<std::string> image_problems = {};
  std::size_t images_with_problems = 0;
  std::size_t impossible_tags = 0;
  bool is_cut = false;

  // Whether `asked` is the name of a repository; if not, that is its problem.
  bool has_name() {
    std::optional<RegistryName> found = registry_name(asked, list_problem);
    if (found && registry_of(asked).empty()) list_problem = "the name has no registry";
    if (found && !(found->tag + found->digest).empty()) list_problem = "the name must not have a tag";
    if (found) name = std::move(*found);
    return list_problem.empty();
  }

  RegistryName tagged(const std::string& tag) const {
    RegistryName image = name;
    image.tag = tag;
    return image;
  }

  void add_problem(const std::string& image, const std::string& why) {
    if (++images_with_problems <= kMostNamed) image_problems.push_back(fmt::format("{}: {}", image, why));
  }

  void tell(std::size_t most, std::vector<RegistryProblem>& problems) const {
    auto add = [&](std::string what) { problems.push_back({asked, std::move(what)}); };
    if (!list_problem.empty()) problems.push_back({asked, list_problem, is_missing});
    for (const std::string& one : image_problems) add(one);
    if (images_with_problems > kMostNamed)
      add(fmt::format("and {} that cannot be read",
                      counted(images_with_problems - kMostNamed, "more image", "more images")));
    if (impossible_tags > 0)
      add(counted(impossible_tags, "tag is not valid and is ignored", "tags are not valid and are ignored"));
    if (is_cut) add(fmt::format("there are more than {}; the rest is ignored", counted(most, "image")));
  }
};

}  // namespace

// The state of one call: tokens and answers are not kept beyond it.
class Registry::Call {
 public:
  explicit Call(Registry& registry)
      : registry_(registry),
        access_(registry.hosts_, client(registry), registry.credentials_, registry.options_.limits,
                registry.options_.token_hosts),
        reader_(access_, registry.cache_, registry.options_.limits),
        until_(std::chrono::steady_clock::now() + registry.options_.whole_patience) {}
  // Callbacks point to this object: if an exception left some, they are destroyed with the client.
  ~Call() {
    if (!is_over_) registry_.client_.reset();
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  RegistryReader& reader() { return reader_; }
  RegistryAccess& access() { return access_; }
  void run() {
    is_over_ = false;
    registry_.client_->run(until_);
    registry_.cache_.trim();
    is_over_ = true;
  }

 private:
  static HttpClient& client(Registry& registry) {
    const RegistryOptions& options = registry.options_;
    if (!registry.client_)
      registry.client_ = std::make_unique<HttpClient>(
          registry.hosts_,
          HttpLimits{options.connect_patience, options.patience, options.tries, options.stop});
    return *registry.client_;
  }

  Registry& registry_;
  RegistryAccess access_;
  RegistryReader reader_;
  std::chrono::steady_clock::time_point until_;
  bool is_over_ = false;
};

Registry::Registry(RegistryOptions options)
    : options_(std::move(options)),
      hosts_(options_.plain_http),
      credentials_(options_.stop),
      cache_(options_.cache) {}
Registry::~Registry() = default;

RegistrySurvey Registry::survey(const std::vector<std::string>& repositories) {
  std::vector<Place> places;
  std::set<std::string_view> known;
  for (const std::string& asked : repositories)
    if (known.insert(asked).second) places.push_back({.asked = asked});
  RegistrySurvey survey;
  Call call(*this);
  std::size_t images = 0;
  for (Place& place : places) {
    if (!place.has_name()) continue;
    auto take_tag = [&](const std::string& tag) {
      if (!is_tag(tag)) return ++place.impossible_tags, true;
      if (is_signature_tag(tag)) return true;
      place.is_cut = images >= options_.most_images;
      if (place.is_cut) return false;
      ++images;
      call.reader().read(place.tagged(tag), place.asked + ":" + tag, [&, tag](RegistryReading&& reading) {
        if (reading.image)
          survey.images.push_back(std::move(*reading.image));
        else if (!reading.is_something_else)
          place.add_problem(tag, reading.why);
      });
      return true;
    };
    call.reader().list(place.name, place.name.repository + "/tags/list", "tags", take_tag,
                       [&](const HttpAnswer& answer, const std::string& why) {
                         place.list_problem = why;
                         place.is_missing = answer.status == 404;
                       });
  }
  call.run();
  std::sort(survey.images.begin(), survey.images.end(),
            [](const RegistryImage& a, const RegistryImage& b) { return a.name < b.name; });
  for (const Place& place : places) place.tell(options_.most_images, survey.problems);
  for (const auto& [repository, what] : call.access().problems())
    survey.problems.push_back({repository, what});
  return survey;
}

std::optional<RegistryImage> Registry::find(const std::string& image, std::string& why) {
  std::optional<RegistryName> name = registry_name(image, why);
  if (!name) return std::nullopt;
  Call call(*this);
  std::optional<RegistryImage> found;
  call.reader().read(*name, image, [&](RegistryReading&& reading) {
    found = std::move(reading.image);
    why = std::move(reading.why);
  });
  call.run();
  if (!found)
    for (const auto& [repository, what] : call.access().problems()) why += "; " + what;
  return found;
}

std::map<std::string, std::string> Registry::absences(const std::vector<std::string>& images) {
  std::map<std::string, std::string> all;
  Call call(*this);
  for (const std::string& image : images) {
    std::string& why = all[image];
    std::optional<RegistryName> name = registry_name(image, why);
    if (!name) continue;
    std::string reference = !name->digest.empty() ? name->digest : name->tag.empty() ? "latest" : name->tag;
    RegistryQuestion question{.host = name->api_host(),
                              .repository = name->repository,
                              .path = fmt::format("{}/manifests/{}", name->repository, reference),
                              .accept = kAnyManifest,
                              .only_headers = true};
    why = "its registry did not answer";
    call.access().ask(std::move(question), [&why](HttpAnswer&& answer) {
      bool is_there = answer.status == 200 && answer.problem.empty();
      why = is_there ? "" : answer.status == 404 ? "its registry does not have it" : reason_in(answer);
    });
  }
  call.run();
  return all;
}

namespace {

RegistryQuestion manifest_question(const RegistryName& name) {
  return {name.api_host(), name.repository,
          fmt::format("{}/manifests/{}", name.repository, signature_tag(name.digest)),
          kSignatureManifestType};
}

}  // namespace

std::map<std::string, ImageSignatures> Registry::signatures(const std::vector<std::string>& images) {
  std::map<std::string, ImageSignatures> all;
  Call call(*this);
  for (const std::string& image : images) {
    ImageSignatures& found = all[image];
    std::optional<RegistryName> name = registry_name(image, found.problem);
    if (!name || !is_sha256(name->digest)) continue;
    call.access().ask(manifest_question(*name), [&found, &call, place = *name](HttpAnswer&& answer) {
      if (answer.status == 404) return;
      if (answer.status != 200 || !answer.problem.empty()) {
        found.problem = reason_in(answer);
        return;
      }
      for (const SignatureEntry& entry :
           read_signatures(answer.body).value_or(std::vector<SignatureEntry>())) {
        RegistryQuestion question{place.api_host(), place.repository,
                                  fmt::format("{}/blobs/{}", place.repository, entry.digest), "",
                                  kLongestPayload};
        call.access().ask(std::move(question), [&found, place, entry](HttpAnswer&& payload) {
          if (payload.status != 200 || !payload.problem.empty())
            found.problem = reason_in(payload);
          else if ("sha256:" + sha256_hex(payload.body) == entry.digest &&
                   signed_digest(payload.body) == place.digest)
            found.list.push_back({std::move(payload.body), entry.signature});
        });
      }
    });
  }
  call.run();
  return all;
}

// One step after the other: each needs the answer of the step before.
std::string Registry::add_signature(const std::string& image, const ImageSignature& signature) {
  std::string why;
  std::optional<RegistryName> name = registry_name(image, why);
  if (!name || !is_sha256(name->digest)) return why.empty() ? "its name has no digest" : why;
  Call call(*this);
  auto answer_to = [&](RegistryQuestion question) {
    HttpAnswer answer;
    call.access().ask(std::move(question), [&](HttpAnswer&& one) { answer = std::move(one); });
    call.run();
    return answer;
  };
  auto put_blob = [&](const std::string& content) -> std::string {
    HttpAnswer begun = answer_to({.host = name->api_host(),
                                  .repository = name->repository,
                                  .path = name->repository + "/blobs/uploads/",
                                  .method = "POST"});
    if (begun.status != 202 || !begun.problem.empty()) return reason_in(begun);
    std::string path = upload_path(begun.header("location"), name->api_host());
    if (path.empty()) return "it redirects uploads to another host";
    path += (path.find('?') == std::string::npos ? "?digest=" : "&digest=") + std::string("sha256:") +
            sha256_hex(content);
    HttpAnswer put = answer_to({.host = name->api_host(),
                                .repository = name->repository,
                                .path = path,
                                .method = "PUT",
                                .content = content,
                                .content_type = "application/octet-stream"});
    return put.status == 201 && put.problem.empty() ? std::string() : reason_in(put);
  };
  HttpAnswer there = answer_to(manifest_question(*name));
  bool is_first = there.status == 404;
  if (!is_first && (there.status != 200 || !there.problem.empty())) return reason_in(there);
  std::optional<SignatureDocuments> documents =
      with_signature(is_first ? "" : there.body, {.digest = "sha256:" + sha256_hex(signature.payload),
                                                  .size = signature.payload.size(),
                                                  .signature = signature.signature});
  if (!documents) return "the tag for its signatures holds something else or is full";
  for (const std::string& content : {signature.payload, documents->config})
    if (std::string problem = put_blob(content); !problem.empty()) return problem;
  HttpAnswer put =
      answer_to({.host = name->api_host(),
                 .repository = name->repository,
                 .path = fmt::format("{}/manifests/{}", name->repository, signature_tag(name->digest)),
                 .method = "PUT",
                 .content = documents->manifest,
                 .content_type = kSignatureManifestType});
  return put.status == 201 && put.problem.empty() ? std::string() : reason_in(put);
}

RegistryAnswer Registry::names_beside(const std::string& image) {
  RegistryAnswer answer;
  std::optional<RegistryName> name = registry_name(image, answer.problem);
  if (registry_of(image).empty()) return {.images = {}, .problem = "the name has no registry"};
  if (!name) return answer;
  Call call(*this);
  auto take = [&](const std::string& before, const std::string& entry) {
    answer.images.push_back(before + printable(entry));
    return answer.images.size() < options_.most_images;
  };
  auto take_tag = [&](const std::string& tag) {
    return is_tag(tag) && !is_signature_tag(tag) ? take(name->place() + ":", tag) : true;
  };
  std::string folder = name->repository.substr(0, name->repository.rfind('/') + 1);
  auto take_repository = [&](const std::string& entry) {
    return !entry.empty() && entry.starts_with(folder) ? take(name->host + "/", entry) : true;
  };
  auto look_beside = [&](const HttpAnswer& tags, const std::string& why) {
    if (tags.status != 404) return answer.problem = why, void();
    call.reader().list(*name, "_catalog", "repositories", take_repository,
                       [&, why](const HttpAnswer& catalog, const std::string&) {
                         if (catalog.status != 200) answer.problem = why;
                       });
  };
  call.reader().list(*name, name->repository + "/tags/list", "tags", take_tag, look_beside);
  call.run();
  std::sort(answer.images.begin(), answer.images.end());
  return answer;
}

}  // namespace stagemake
