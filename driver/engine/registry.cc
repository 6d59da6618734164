#include "engine/registry.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "engine/engine_program.h"

namespace stagemake {
namespace {

constexpr std::size_t kMostNamed = 10;  // images of one repository that a survey's problems name

// A repository of a survey.
struct Place {
  std::string asked;
  RegistryName name = {};
  std::string list_problem = {};  // why it is not looked at, or not to its end
  bool is_missing = false;
  std::vector<std::string> image_problems = {};
  std::size_t images_with_problems = 0;
  std::size_t impossible_tags = 0;
  bool is_cut = false;

  // Whether `asked` is a repository's name; else that is its problem.
  bool has_name() {
    std::optional<RegistryName> found = registry_name(asked, list_problem);
    if (found && registry_of(asked).empty()) list_problem = "the name has no registry";
    if (found && !(found->tag + found->digest).empty()) list_problem = "the name has a tag, and should not";
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
    if (is_cut)
      add(fmt::format("there are more than {}; the rest was not looked at", counted(most, "image")));
  }
};

}  // namespace

// What one call needs, and no longer: tokens and answers are not kept beyond it.
class Registry::Call {
 public:
  explicit Call(Registry& registry)
      : registry_(registry),
        access_(registry.hosts_, client(registry), registry.credentials_, registry.options_.limits,
                registry.options_.token_hosts),
        reader_(access_, registry.cache_, registry.options_.limits),
        until_(std::chrono::steady_clock::now() + registry.options_.whole_patience) {}
  // Callbacks point to this object: where an exception has left some, they go with the client.
  ~Call() {
    if (!is_over_) registry_.client_.reset();
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  RegistryReader& reader() { return reader_; }
  const RegistryAccess& access() const { return access_; }
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
    : options_(std::move(options)), hosts_(options_.plain_http), credentials_(options_.stop), cache_(options_.cache) {}
Registry::~Registry() = default;

RegistrySurvey Registry::survey(const std::vector<std::string>& repositories) {
  std::vector<Place> places;
  for (const std::string& asked : repositories)
    if (std::none_of(places.begin(), places.end(), [&](const Place& one) { return one.asked == asked; }))
      places.push_back({.asked = asked});
  RegistrySurvey survey;
  Call call(*this);
  std::size_t images = 0;
  for (Place& place : places) {
    if (!place.has_name()) continue;
    auto take_tag = [&](const std::string& tag) {
      if (!is_tag(tag)) return ++place.impossible_tags, true;
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
  auto take_tag = [&](const std::string& tag) { return is_tag(tag) ? take(name->place() + ":", tag) : true; };
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
