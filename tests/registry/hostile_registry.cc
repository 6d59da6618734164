#include "registry/hostile_registry.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/deep_json.h"
#include "base/process/machine.h"
#include "registry/registry_bench.h"

namespace stagemake::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

bool is_for(const ServerRequest& request, const char* part) {
  return request.target.find(part) != std::string::npos;
}

HttpServer::Answer always(ServerReply reply) {
  return [reply = std::move(reply)](const ServerRequest&) { return reply; };
}

// Answers with a list of one tag; for any tag, with `manifest`; the only blob is `config`.
HttpServer::Answer with_image(std::string manifest, std::string config = "{}") {
  return [manifest = std::move(manifest), config = std::move(config)](const ServerRequest& request) {
    if (is_for(request, "/tags/list")) return ServerReply{.body = R"({"tags": ["1"]})"};
    return ServerReply{.body = is_for(request, "/blobs/") ? config : manifest};
  };
}

// An image's manifest with one value replaced.
std::string changed(const char* pointer, const json& value) {
  json manifest = json::parse(image_documents({}).manifest);
  manifest[json::json_pointer(pointer)] = value;
  return manifest.dump();
}

std::string index_to(const std::string& digest, const json& size) {
  json entry = {{"digest", digest},
                {"size", size},
                {"platform", {{"os", "linux"}, {"architecture", machine_architecture()}}}};
  return json{{"schemaVersion", 2}, {"manifests", {entry}}}.dump();
}

HttpServer::Answer with_config(const json& config) {
  std::string text = config.dump();
  json manifest = json::parse(image_documents({}).manifest);
  manifest["config"]["digest"] = digest_of(text);
  manifest["config"]["size"] = text.size();
  return with_image(manifest.dump(), text);
}

// Pages that each link to another page. `entry` makes their entries from a number.
HttpServer::Answer pages(std::function<std::string(std::size_t)> entry, std::size_t each) {
  return [=](const ServerRequest& request) {
    std::size_t equals = request.target.rfind("from=");
    std::size_t from =
        equals == std::string::npos ? 0 : std::strtoul(request.target.c_str() + equals + 5, nullptr, 10);
    json list = json::array();
    for (std::size_t i = 0; i < each; ++i) list.push_back(entry(from + i));
    if (!is_for(request, "/tags/list") && !is_for(request, "_catalog")) return ServerReply{.status = 404};
    return ServerReply{.body = json{{"tags", list}, {"repositories", list}}.dump(),
                       .headers = {{"Link", fmt::format("</v2/x?from={}>; rel=\"next\"", from + each)}}};
  };
}

// `size` zeros, as a gzip file a thousandth of that size.
std::string compressed_zeros(std::size_t size) {
  std::string packed(size / 100 + 1000, '\0');
  std::size_t used = 0;
  std::unique_ptr<archive, int (*)(archive*)> writer(archive_write_new(), archive_write_free);
  std::unique_ptr<archive_entry, void (*)(archive_entry*)> file(archive_entry_new(), archive_entry_free);
  archive_write_set_format_raw(writer.get());
  archive_write_add_filter_gzip(writer.get());
  archive_write_open_memory(writer.get(), packed.data(), packed.size(), &used);
  archive_entry_set_filetype(file.get(), AE_IFREG);
  archive_entry_set_pathname(file.get(), "x");
  std::string zeros(1u << 20, '\0');
  if (archive_write_header(writer.get(), file.get()) != ARCHIVE_OK) throw std::runtime_error("no gzip");
  for (std::size_t done = 0; done < size; done += zeros.size())
    archive_write_data(writer.get(), zeros.data(), zeros.size());
  archive_write_close(writer.get());
  packed.resize(used);
  return packed;
}

ServerReply redirect(const std::string& place) {
  return {.status = 307, .headers = {{"Location", place}}};
}

HttpServer::Answer bearer_at_itself(ServerReply token) {
  return [token = std::move(token)](const ServerRequest& request) {
    if (request.target.starts_with("/token")) return token;
    std::string realm = "http://" + request.header("host") + "/token";
    return ServerReply{.status = 401,
                       .headers = {{"WWW-Authenticate", "Bearer realm=\"" + realm + "\",scope=\"a b c\""}}};
  };
}

std::map<std::string, HttpServer::Answer> all_hostilities() {
  std::map<std::string, HttpServer::Answer> all;
  std::size_t number = 0;
  for (const std::string& text : deep_json("tags"))
    all[fmt::format("DeepTags{}", number++)] = always({.body = text});
  for (const std::string& text : deep_json("errors"))
    all[fmt::format("DeepErrors{}", number++)] = always({.status = 404, .body = text});
  for (const std::string& text : deep_json("manifests", 300'000))
    all[fmt::format("DeepManifests{}", number++)] = with_image(text);
  json deep = json::object();
  for (int depth = 0; depth < 100; ++depth) deep = json{{"a", deep}};
  all["DeepConfig"] = with_config(deep);
  for (const std::string& text : deep_json("token", 60u << 10))
    all[fmt::format("DeepToken{}", number++)] = bearer_at_itself({.body = text});

  all["EndlessBody"] =
      always({.body = "{\"tags\": [\"1\", " + many(1000, "\"0123456789\", "), .endless = true});
  all["EndlessErrors"] = always({.status = 403, .body = std::string(100'000, ' '), .endless = true});
  all["EndlessHeaders"] = always({.headers = {100'000, {"X-Long", "a long story"}}});
  all["EndlessTags"] = pages([](std::size_t i) { return fmt::format("tag-{}", i); }, 1000);
  all["EndlessTagsOneByOne"] = pages([](std::size_t i) { return std::to_string(i); }, 1);
  all["EndlessImpossibleTags"] = pages([](std::size_t i) { return fmt::format("../{}", i); }, 1000);
  all["EndlessLongTags"] =
      pages([](std::size_t i) { return std::string(1u << 20, 'a') + std::to_string(i); }, 3);
  all["EndlessPagesOfTheSame"] = pages([](std::size_t) { return "1"; }, 1000);
  all["EndlessEmptyPages"] = pages([](std::size_t) { return ""; }, 0);

  all["SlowBody"] = always({.body = std::string(100'000, ' '), .pause = 20ms});
  all["SlowAnswer"] = always({.delay = 60s});
  all["Busy"] = always({.status = 503, .headers = {{"Retry-After", "1"}}});
  all["HangsUp"] = always({.hang_up = true});
  all["CutOff"] = always({.body = "{\"tags\": [", .claimed = 1000});

  json wrong = {{"tags", {{"1", "1"}}}, {"errors", {{"x", 1}}}, {"manifests", 7},   {"schemaVersion", "2"},
                {"config", {1, 2}},     {"layers", "x"},        {"repositories", 5}};
  all["WrongTypes"] = always({.body = wrong.dump()});
  all["WrongTypesInErrors"] = always({.status = 404, .body = R"({"errors": [[1], {"message": {}}]})"});
  all["WrongTypesInLists"] =
      always({.body = R"({"tags": [null, 1, {}, [], -1, 1e99, true, ""], "repositories": [null, {}, 7]})"});
  all["WrongLanguage"] = always({.body = "<html>\x1b[31m\xff</html>"});
  all["WrongTypesInImage"] = with_image(changed("/layers", {nullptr, 1, "x", json::array(), json::object()}));
  all["WrongTypesInConfig"] = with_config({{"config", {{"Labels", {1, 2}}}}});
  all["LongWordsInConfig"] = with_config({{"architecture", std::string(1u << 20, 'a')}});
  all["ManyLayerIdsInConfig"] =
      with_config({{"rootfs", {{"diff_ids", std::vector<std::string>(10'000, "sha256:0")}}}});

  all["NegativeSizeOfLayer"] = with_image(changed("/layers/0/size", -1));
  all["HugeSizeOfLayer"] = with_image(changed("/layers/0/size", std::uint64_t{1} << 63));
  all["HugerSizeOfLayer"] = with_image(changed("/layers/0/size", 1e300));
  all["NegativeSizeOfConfig"] = with_image(changed("/config/size", -5));
  all["HugeSizeOfConfig"] = with_image(changed("/config/size", std::uint64_t{1} << 40));
  all["ManyLayers"] =
      with_image(changed("/layers", json(20'000, json::parse(image_documents({}).manifest)["layers"][0])));

  all["IndexToItself"] = [](const ServerRequest& request) {
    if (is_for(request, "/tags/list")) return ServerReply{.body = R"({"tags": ["1"]})"};
    return ServerReply{.body = index_to("sha256:" + std::string(64, '1'), 100)};
  };
  std::string inner = index_to("sha256:" + std::string(64, '1'), 100);
  all["IndexToIndex"] = [inner,
                         outer = index_to(digest_of(inner), inner.size())](const ServerRequest& request) {
    if (is_for(request, "/tags/list")) return ServerReply{.body = R"({"tags": ["1"]})"};
    return ServerReply{.body = is_for(request, "sha256:") ? inner : outer};
  };
  all["NegativeSizeInIndex"] = with_image(index_to("sha256:" + std::string(64, '1'), -1));
  all["HugeSizeInIndex"] = with_image(index_to("sha256:" + std::string(64, '1'), std::uint64_t{1} << 40));

  all["RedirectsInACircle"] = [](const ServerRequest& request) { return redirect(request.target); };
  all["RedirectsWithoutEnd"] = [](const ServerRequest& request) { return redirect(request.target + "1"); };
  for (auto [name, place] :
       {std::pair("RedirectToMetadata", "http://169.254.169.254/latest/meta-data/"),
        std::pair("RedirectToMetadataWithTls", "https://169.254.169.254/latest/meta-data/"),
        std::pair("RedirectToAFile", "file:///etc/passwd"),
        std::pair("RedirectToAnotherProtocol", "gopher://127.0.0.1:25/"),
        std::pair("RedirectWithoutTls", "http://registry.example/"),
        std::pair("RedirectWithAUser", "http://user:word@127.0.0.1/"),
        std::pair("RedirectToNoUrl", "http://[::")})
    all[name] = always(redirect(place));

  std::string flood = compressed_zeros(100u << 20);
  all["CompressedFlood"] = always({.body = flood, .headers = {{"Content-Encoding", "gzip"}}});
  all["CompressedFloodOfManifests"] = with_image(flood);
  all["CompressedConfig"] = with_image(image_documents({}).manifest, flood);

  all["LoginForEver"] = bearer_at_itself({.body = R"({"token": "again"})"});
  all["TokenWithoutEnd"] = bearer_at_itself({.body = std::string(100'000, 'a'), .endless = true});
  all["TokenThatIsRefused"] = bearer_at_itself({.status = 401});
  all["TokenThatLeadsAway"] = bearer_at_itself(redirect("http://169.254.169.254/latest/meta-data/"));
  all["BasicForEver"] = always({.status = 401, .headers = {{"WWW-Authenticate", "Basic realm=\"x\""}}});
  return all;
}

}  // namespace

const std::map<std::string, HttpServer::Answer>& hostilities() {
  static const std::map<std::string, HttpServer::Answer> all = all_hostilities();
  return all;
}

}  // namespace stagemake::test
