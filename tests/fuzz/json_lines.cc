// JSON files that anybody may have changed: the journal, events of a run, labels of images, logins, and the
// driver's records of its containers. An input is the text of all of them.
#include <cstdlib>

#include "base/text/text.h"
#include "engine/image_cache.h"
#include "fuzz.h"
#include "fuzz_tree.h"
#include "registry/registry_credentials.h"
#include "report/events/event_log.h"
#include "report/events/run_reader.h"
#include "run/state/journal.h"
#include "snapshot/snapshot.h"

namespace stagemake {
namespace {

constexpr const char* kSecretWord = "pa55w0rd";

void tell_journal(std::string& answer, const fs::path& file) {
  JournalContents journal = Journal(file).read();
  for (const JournalStage& run : journal.stages) {
    require(run.seconds >= 0 && run.commit_seconds >= 0, "nothing takes less than no time", run.stage);
    tell(answer, {run.environment, run.stage, run.key, std::to_string(run.when), std::to_string(run.bytes)});
  }
  for (const PackageBuilt& package : journal.packages) {
    require(package.seconds >= 0, "nothing takes less than no time", package.package);
    tell(answer, {package.environment, package.package, package.version});
  }
  for (const TransferRecord& transfer : journal.transfers) tell(answer, transfer.host);
  for (const Eviction& eviction : journal.evictions) tell(answer, eviction.image);
}

void tell_run(std::string& answer, std::string_view text) {
  std::optional<RunRecord> run = parse_run(text);
  tell(answer, run ? "run" : "none");
  if (!run) return;
  for (const EnvironmentRecord& environment : run->environments) {
    tell(answer, environment.name);
    for (const StageRecord& stage : environment.stages) {
      tell(answer, stage.status.detail);
      for (std::size_t i = 0; i < stage.expected.makes.size(); ++i)
        for (std::size_t needed : stage.expected.makes[i].needs)
          require(needed < i, "a package needs what comes before it", stage.expected.makes[i].name);
    }
  }
  for (const auto& note : run->notes) tell(answer, note.text);
}

void tell_logins(std::string& answer, const fs::path& file) {
  ::setenv("REGISTRY_AUTH_FILE", file.c_str(), 1);
  std::stop_source stop;
  stop.request_stop();  // no helper is run
  RegistryCredentials credentials(stop.get_token());
  for (const char* host : {"docker.io", "a.example:5000"}) {
    std::vector<std::string> problems;
    if (std::optional<RegistryCredential> login = credentials.find(host, "a/b", problems))
      tell(answer, {login->user, login->password, login->identity_token});
    for (const std::string& problem : problems) {
      require(printable(problem) == problem, "a problem can be shown", problem);
      require(problem.find(kSecretWord) == std::string::npos, "a problem repeats no password", problem);
      tell(answer, std::to_string(problem.size()));
    }
  }
}

}  // namespace

std::string answer_to(std::string_view input) {
  static FuzzTree tree("gmp");
  tree.write("file", input);
  fs::path file = tree.path() / "file";
  std::string answer;
  tell_journal(answer, file);
  tell_run(answer, input);
  for (const char* id : {"sha256:1", "2"})
    if (std::optional<ImageInfo> image = ImageCache(file).find(id)) {
      require(image->id == id && image->layers == image->layer_ids.size(), "an image is the one asked for",
              id);
      tell(answer, image->layer_ids);
    }
  tree.write("file", input);  // the cache removes files that it cannot read
  tell_logins(answer, file);
  if (std::optional<RunningStage> running = parse_running(input, "container", "token")) {
    for (const LineageEntry& entry : running->lineage) tell(answer, {entry.stage, entry.key});
    for (const auto& [name, package] : running->packages) tell(answer, {name, package.version});
  }
  if (std::optional<ConfiguredPackages> configured = parse_configured(input)) {
    std::string text = configured_text(*configured);
    require(parse_configured(text) == configured, "it says the same again", text);
    tell(answer, text);
  }
  return answer;
}

void add_seeds(const fs::path&, const SeedSink& seed) {
  seed(
      R"({"schema":1,"kind":"stage","when":5,"environment":"a","stage":"b","key":"k","outcome":"built","seconds":1.5,"commit_seconds":1,"bytes":7,"memory":8,"engine":"docker"}
{"schema":1,"kind":"package","when":5,"environment":"a","package":"gmp","version":"1","seconds":2}
{"schema":1,"kind":"push","when":5,"host":"h","bytes":7,"seconds":2,"ok":true}
{"schema":1,"kind":"eviction","when":5,"environment":"a","stage":"b","key":"k","complete":true,"image":"i","bytes":7,"rebuild_seconds":2,"why":"w"}
)");
  seed(
      R"({"event":"run","time":1,"schema":1,"version":"1","command":["a"],"process":3,"slots":2}
{"event":"begin","time":2,"environments":[{"name":"e","stages":[{"name":"s","state":"waiting","packages":2,"reasons":["r"]}]}]}
{"event":"expected","time":3,"environment":"e","stage":"s","makes":[{"package":"a","seconds":1},{"package":"b","needs":[0,1]}]}
{"event":"stage","time":4,"environment":"e","stage":"s","state":"failed","findings":[{"kind":"error","line":3,"excerpt":["x"]}]}
{"event":"package","time":5,"environment":"e","stage":"s","package":"a","state":"built"}
{"event":"machine","time":6,"busy":0.5,"stages":[{"environment":"e","stage":"s","slots":1,"memory":5}]}
{"event":"note","time":6,"text":"n"}
{"event":"end","time":7,"pushing":1}
{"event":"exit","time":8,"status":1}
)");
  seed(
      R"({"id":"sha256:1","labels":{"a":"1"},"created":5,"size":7,"layer_ids":["x"],"volumes":[]}
{"id":"2","labels":{},"created":5,"size":7,"layer_ids":[],"volumes":["/v"]})");
  seed(
      R"({"auths":{"a.example:5000":{"auth":"bWU6cGE1NXcwcmQ="},"docker.io":{"username":"u","password":"pa55w0rd"}},)"
      R"("credHelpers":{"b.example":"x"},"credsStore":"y"})");
  RunningStage running{.lineage = {{"configured", std::string(64, '2'), {{"parent", "x"}}}},
                       .packages = {{"gmp", {"1", "f", 3}}},
                       .records = {{"gmp-1", "m"}}};
  running.configured.emplace().dummies = {"gmp"};
  seed(running_text("container", "token", running));
  seed(configured_text(*running.configured));
  for (const char* head : {"{\"kind\":", "{\"event\":\"run\",\"schema\":1,\"command\":", "{\"labels\":",
                           "{\"auths\":", "{\"lineage\":", "{\"dummies\":", ""})
    for (const char* part : {"[", "{\"a\":", "[{\"a\":"}) seed(repeated(head, part, ""));
}

}  // namespace stagemake
