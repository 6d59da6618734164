// Logins: the configuration of docker and its credential helpers, and which registries and token servers get
// them.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "base/deep_json.h"
#include "base/process/sleep.h"
#include "base/variables.h"
#include "registry/http_server.h"
#include "registry/registry.h"
#include "registry/registry_bench.h"

namespace stagemake::test {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr const char* kSecret = "pass:w0rd";

class Logins : public ::testing::Test {
 protected:
  fs::path file() const { return folder_.path() / "config.json"; }
  void helper(const std::string& name, const std::string& script) {
    fs::path program = folder_.path() / "bin" / ("docker-credential-" + name);
    write_file(program, "#!/bin/sh\n" + script);
    ::chmod(program.c_str(), 0755);
  }
  // "user:password", "user:password:token", or "none".
  std::string found(const std::string& host, const std::string& repository = "a/b") {
    problems_.clear();
    RegistryCredentials credentials;
    std::optional<RegistryCredential> login = credentials.find(host, repository, problems_);
    for (const std::string& problem : problems_) EXPECT_THAT(problem, Not(HasSubstr(kSecret)));
    if (!login) return "none";
    return login->user + ":" + login->password +
           (login->identity_token.empty() ? "" : ":" + login->identity_token);
  }
  static std::string auth(const std::string& user, const std::string& password) {
    return fmt::format(R"({{"auth": "{}"}})", to_base64(user + ":" + password));
  }

  TemporaryFolder folder_{fs::temp_directory_path()};
  Variables variables_{{"DOCKER_CONFIG", folder_.path().string()},
                       {"REGISTRY_AUTH_FILE", ""},
                       {"XDG_RUNTIME_DIR", ""},
                       {"PATH", (folder_.path() / "bin").string() + ":" + ::getenv("PATH")}};
  std::vector<std::string> problems_;
};

TEST_F(Logins, WithoutLoginsRequestsAreAnonymous) {
  EXPECT_EQ(found("a.example"), "none");
  write_file(file(), "{}");
  EXPECT_EQ(found("a.example"), "none");
  EXPECT_THAT(problems_, IsEmpty());
}

TEST_F(Logins, AuthsOfDockerAndPodman) {
  write_file(file(), R"({"auths": {"a.example:5000": )" + auth("me", kSecret) +
                         R"(, "https://b.example/v1/": )" + auth("you", "p") +
                         R"(, "https://index.docker.io/v1/": )" + auth("hub", "h") +
                         R"(, "c.example": {"username": "u", "password": "p", "identitytoken": "t"},
                            "d.example/team": )" +
                         auth("team", "t") + R"(, "d.example": )" + auth("all", "a") + "}}");
  EXPECT_EQ(found("a.example:5000"), "me:pass:w0rd");
  EXPECT_EQ(found("a.example"), "none");
  EXPECT_EQ(found("b.example"), "you:p");
  EXPECT_EQ(found("registry-1.docker.io"), "hub:h");
  EXPECT_EQ(found("c.example"), "u:p:t");
  EXPECT_EQ(found("d.example", "team/x"), "team:t");
  EXPECT_EQ(found("d.example", "teams/x"), "all:a");
}

TEST_F(Logins, TheFileOfPodmanGoesFirstWhereItIsNamed) {
  write_file(file(), R"({"auths": {"a.example": )" + auth("docker", "d") + "}}");
  write_file(folder_.path() / "run/containers/auth.json", R"({"auths": {"a.example": )" + auth("run", "r") +
                                                              R"(, "b.example": )" + auth("run", "r") + "}}");
  variables_.set("XDG_RUNTIME_DIR", (folder_.path() / "run").string());
  EXPECT_EQ(found("a.example"), "docker:d");
  EXPECT_EQ(found("b.example"), "run:r");
  write_file(folder_.path() / "named.json", R"({"auths": {"a.example": )" + auth("named", "n") + "}}");
  variables_.set("REGISTRY_AUTH_FILE", (folder_.path() / "named.json").string());
  EXPECT_EQ(found("a.example"), "named:n");
  EXPECT_EQ(found("b.example"), "none");
}

TEST_F(Logins, HelpersAreAskedOnTheirStandardInput) {
  std::string log = (folder_.path() / "log").string();
  helper("some",
         "read registry; echo \"$* $registry\" >>" + log +
             R"(; echo "{\"ServerURL\": \"$registry\", \"Username\": \"me\", \"Secret\": \"pass:w0rd\"}")");
  helper("token", R"(cat >/dev/null; echo '{"Username": "<token>", "Secret": "t"}')");
  helper("empty", "echo credentials not found in native keychain; exit 1");
  write_file(file(), R"({"credHelpers": {"a.example": "some", "t.example": "token", "c.example": "empty"},
                         "credsStore": "some", "auths": {"https://b.example/v2/": {}, "c.example": )" +
                         auth("file", "f") + "}}");
  EXPECT_EQ(found("a.example"), "me:pass:w0rd");
  EXPECT_EQ(found("b.example"), "me:pass:w0rd");
  EXPECT_EQ(found("docker.io"), "me:pass:w0rd");
  EXPECT_EQ(found("t.example"), "::t");
  EXPECT_EQ(read_file(log), "get a.example\nget https://b.example/v2/\nget https://index.docker.io/v1/\n");
  write_file(file(),
             R"({"credHelpers": {"c.example": "empty"}, "auths": {"c.example": )" + auth("file", "f") + "}}");
  EXPECT_EQ(found("c.example"), "file:f");
  EXPECT_THAT(problems_, IsEmpty());
}

TEST_F(Logins, ErrorsContainNoSecrets) {
  for (const char* text : {"{\"auths\": {\"a.example\": {\"auth\": \"pass:w0rd", "[\"pass:w0rd\"]"}) {
    write_file(file(), text);
    EXPECT_EQ(found("a.example"), "none");
    ASSERT_THAT(problems_, SizeIs(1));
    EXPECT_THAT(problems_[0], AllOf(HasSubstr("config.json"), HasSubstr("is not a JSON object")));
  }
  write_file(file(),
             R"({"auths": {"a.example": {"auth": "pass:w0rd"}, "b.example": {"auth": 5}, "c.example": 7}})");
  EXPECT_EQ(found("a.example"), "none");
  ASSERT_THAT(problems_, SizeIs(2));
  EXPECT_THAT(problems_[0], HasSubstr("the login for a.example is damaged"));

  helper("fails", "echo pass:w0rd; echo pass:w0rd >&2; exit 3");
  helper("talks", "echo pass:w0rd");
  helper("long", "head -c 3000000 /dev/zero");
  const std::map<std::string, std::string> kProblems{
      {"fails", "docker-credential-fails: knows no login for a.example: exit status 3"},
      {"talks", "docker-credential-talks: its answer contains no password"},
      {"long", "docker-credential-long: cannot be run"},
      {"absent", "docker-credential-absent: there is no such program in PATH"},
      {"../../bin/sh", "docker-credential-../../bin/sh: is not a valid name of a credential helper"}};
  for (const auto& [name, problem] : kProblems) {
    write_file(file(), fmt::format(R"({{"credHelpers": {{"a.example": "{}"}}}})", name));
    EXPECT_EQ(found("a.example"), "none");
    EXPECT_THAT(problems_, ElementsAre(problem));
  }
}

TEST_F(Logins, DeepConfigurationsAndAnswersAreNone) {
  for (const std::string& text : deep_json("auths", 3u << 20)) {
    write_file(file(), text);
    EXPECT_EQ(found("a.example"), "none");
    ASSERT_THAT(problems_, SizeIs(1));
    EXPECT_THAT(problems_[0], HasSubstr("is not a JSON object"));
  }
  write_file(file(), R"({"credsStore": "deep"})");
  for (const std::string& text : deep_json("Secret", 900u << 10)) {
    write_file(folder_.path() / "answer", text);
    helper("deep", "cat " + (folder_.path() / "answer").string());
    EXPECT_EQ(found("a.example"), "none");
    EXPECT_THAT(problems_, ElementsAre("docker-credential-deep: its answer contains no password"));
  }
}

TEST_F(Logins, ARequestToStopEndsAHelper) {
  // It requests the stop itself: its parent is this process.
  helper("hangs", "kill -USR1 $PPID; sleep 60");
  write_file(file(), R"({"credsStore": "hangs"})");
  static std::atomic<bool> runs = false;
  ::signal(SIGUSR1, [](int) { runs = true; });
  std::stop_source stop;
  std::jthread watcher([&] {
    while (!runs) sleep_for(1ms);
    stop.request_stop();
  });
  RegistryCredentials credentials(stop.get_token());
  auto began = std::chrono::steady_clock::now();
  EXPECT_FALSE(credentials.find("a.example", "a/b", problems_));
  EXPECT_LT(std::chrono::steady_clock::now() - began, RegistryCredentials::kHelperPatience);
  ::signal(SIGUSR1, SIG_DFL);
  EXPECT_THAT(problems_, Contains(HasSubstr("does not answer")));
  EXPECT_TRUE(stop.stop_requested());
  problems_.clear();
  EXPECT_FALSE(RegistryCredentials(stop.get_token()).find("a.example", "a/b", problems_));
  EXPECT_THAT(problems_, Contains(HasSubstr("is not called because the run is stopping")));
}

TEST_F(Logins, AHelperThatHangsIsEnded) {
  helper("hangs", "sleep 1000");
  write_file(file(), R"({"credsStore": "hangs"})");
  auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(found("a.example"), "none");
  EXPECT_THAT(problems_, ElementsAre("docker-credential-hangs: does not answer"));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(100));
}

// A registry that requires a token for everything, and its token server.
class Tokens : public Logins {
 protected:
  ServerReply answer(const ServerRequest& request) {
    if (request.header("authorization") != "Bearer " + good_)
      return {.status = 401, .headers = {{"WWW-Authenticate", challenge_}}};
    if (request.target.find("/tags/list") != std::string::npos) return {.body = R"({"tags": ["1", "2"]})"};
    bool is_config = request.target.find("/blobs/") != std::string::npos;
    return {.body = is_config ? image_.config : image_.manifest};
  }
  ServerReply give_token(const ServerRequest& request) {
    if (!user_.empty() && request.header("authorization") != RegistryCredential{user_, kSecret, ""}.basic() &&
        request.body.find("refresh_token=re%26fresh") == std::string::npos)
      return {.status = 401};
    return {.body = R"({"token": ")" + good_ + "\"}"};
  }
  std::string name() const { return registry_.host() + "/a/b"; }
  RegistryOptions options() const { return {.token_hosts = token_hosts_, .patience = 1500ms}; }
  RegistrySurvey survey() { return Registry(options()).survey({name()}); }

  std::string good_ = "t0ken";
  std::string user_;  // users that get a token; empty: everybody
  ImageDocuments image_ = image_documents({});
  HttpServer tokens_{[this](const ServerRequest& request) { return give_token(request); }};
  HttpServer registry_{[this](const ServerRequest& request) { return answer(request); }};
  std::vector<std::string> token_hosts_{tokens_.host()};
  std::string challenge_ =
      fmt::format(R"(Bearer realm="http://{}/token",service="a \"service\"",scope="repository:a/b:pull")",
                  tokens_.host());
};

TEST_F(Tokens, OneTokenIsFetchedForAllOfARepository) {
  RegistrySurvey found = survey();
  EXPECT_THAT(found.problems, IsEmpty());
  EXPECT_THAT(found.images, SizeIs(2));
  ASSERT_THAT(tokens_.requests(), SizeIs(1));
  EXPECT_EQ(tokens_.requests()[0].target, "/token?service=a%20%22service%22&scope=repository%3Aa%2Fb%3Apull");
  EXPECT_EQ(tokens_.requests()[0].header("authorization"), "");
}

TEST_F(Tokens, AnExpiredTokenIsRenewed) {
  std::atomic<int> asked = 0;
  Registry registry({.patience = 1500ms});
  HttpServer expires([&](const ServerRequest& request) {
    if (++asked == 3) good_ = "another";
    return answer(request);
  });
  EXPECT_THAT(registry.survey({expires.host() + "/a/b"}).images, SizeIs(2));
  EXPECT_THAT(tokens_.requests(), SizeIs(2));
}

TEST_F(Tokens, ThePasswordGoesToTheTokenServerOnly) {
  user_ = "me";
  write_file(file(), fmt::format(R"({{"auths": {{"{}": {}}}}})", registry_.host(), auth("me", kSecret)));
  EXPECT_THAT(survey().images, SizeIs(2));
  for (const ServerRequest& request : registry_.requests())
    EXPECT_THAT(request.header("authorization"), Not(HasSubstr("Basic")));
}

TEST_F(Tokens, ATokenServerElsewhereGetsNoLogin) {
  token_hosts_ = {"other.example", "127.0.0.1", "localhost:" + tokens_.port()};  // another port, another name
  for (const char* login : {R"({{"auths": {{"{}": {{"auth": "bWU6cGFzczp3MHJk"}}}}}})",
                            R"({{"auths": {{"{}": {{"identitytoken": "re&fresh"}}}}}})"}) {
    write_file(file(), fmt::format(fmt::runtime(login), registry_.host()));
    std::size_t before = tokens_.requests().size();
    RegistrySurvey found = survey();
    EXPECT_THAT(found.images, SizeIs(2)) << "what everybody may see";
    ASSERT_THAT(found.problems, SizeIs(1));
    EXPECT_EQ(
        found.problems[0].text(),
        fmt::format(
            "{}: its token server {} is on another host and receives no login (--token-host {} allows it)",
            name(), tokens_.host(), tokens_.host()));
    ASSERT_EQ(tokens_.requests().size(), before + 1);
    ServerRequest request = tokens_.requests().back();
    EXPECT_EQ(request.method, "GET");
    EXPECT_EQ(request.header("authorization") + request.body, "");
    EXPECT_THAT(request.target, Not(HasSubstr("fresh")));
  }
  user_ = "me";
  RegistrySurvey found = survey();
  EXPECT_THAT(found.images, IsEmpty());
  ASSERT_THAT(found.problems, SizeIs(2));
  EXPECT_EQ(found.problems[0].what, "its token server returned no token without a login: it answered 401");
  EXPECT_THAT(found.problems[1].what, HasSubstr("--token-host"));
  std::string why;
  EXPECT_FALSE(Registry(options()).find(name() + ":1", why));
  EXPECT_THAT(why, HasSubstr("--token-host " + tokens_.host()));
  for (const ServerRequest& request : tokens_.requests()) EXPECT_EQ(request.header("authorization"), "");
}

TEST_F(Tokens, ARegistryIsItsOwnTokenServer) {
  token_hosts_.clear();
  user_ = "me";
  HttpServer both([&](const ServerRequest& request) {
    return request.target.starts_with("/token") ? give_token(request) : answer(request);
  });
  challenge_ = fmt::format(R"(Bearer realm="http://{}/token")", both.host());
  write_file(file(), fmt::format(R"({{"auths": {{"{}": {}}}}})", both.host(), auth("me", kSecret)));
  RegistrySurvey found = Registry(options()).survey({both.host() + "/a/b"});
  EXPECT_THAT(found.images, SizeIs(2));
  EXPECT_THAT(found.problems, IsEmpty());
}

TEST_F(Tokens, AnIdentityTokenIsPosted) {
  user_ = "me";
  write_file(file(),
             fmt::format(R"({{"auths": {{"{}": {{"identitytoken": "re&fresh"}}}}}})", registry_.host()));
  EXPECT_THAT(survey().images, SizeIs(2));
  ASSERT_THAT(tokens_.requests(), SizeIs(1));
  EXPECT_EQ(tokens_.requests()[0].method, "POST");
  EXPECT_EQ(tokens_.requests()[0].target, "/token");
  EXPECT_THAT(tokens_.requests()[0].body, HasSubstr("grant_type=refresh_token"));
}

TEST_F(Tokens, ARefusedLoginDoesNotPreventPublicAccess) {
  write_file(file(), fmt::format(R"({{"auths": {{"{}": {}}}}})", registry_.host(), auth("me", kSecret)));
  HttpServer strict([&](const ServerRequest& request) {
    return request.header("authorization").empty() ? give_token(request) : ServerReply{.status = 401};
  });
  challenge_ = fmt::format(R"(Bearer realm="http://{}/token")", strict.host());
  token_hosts_ = {strict.host()};
  RegistrySurvey found = survey();
  EXPECT_THAT(found.images, SizeIs(2));
  ASSERT_THAT(found.problems, SizeIs(1));
  EXPECT_EQ(found.problems[0].what, "its token server refuses the login");
}

TEST_F(Tokens, NoTokenIsAProblem) {
  user_ = "somebody";
  RegistrySurvey found = survey();
  ASSERT_THAT(found.problems, SizeIs(1));
  EXPECT_EQ(found.problems[0].what, "its token server returned no token without a login: it answered 401");
  EXPECT_THAT(registry_.requests(), SizeIs(1));

  const std::map<std::string, std::string> kProblems{
      {R"(Bearer realm="http://tokens.example/")",
       "its token server is not contacted: it refers to tokens.example:80 without TLS, which is not allowed"},
      {R"(Bearer realm="file:///etc/passwd")",
       "its token server is not contacted: it refers to an invalid web address: file:///etc/passwd"},
      {"Bearer", "its token server is not contacted: it refers to an invalid web address: "},
      {"Negotiate", "it requires an unsupported kind of login"},
      {"Basic realm=\"x\"", "it requires a login, and none is configured for it"},
      {"\"=,\"\\", "it requires an unsupported kind of login"}};
  for (const auto& [challenge, problem] : kProblems) {
    challenge_ = challenge;
    found = survey();
    ASSERT_THAT(found.problems, SizeIs(1));
    EXPECT_EQ(found.problems[0].what, problem);
  }
}

TEST_F(Tokens, ATokenThatDoesNotHelpIsNotFetchedAgainAndAgain) {
  HttpServer useless([&](const ServerRequest&) { return ServerReply{.body = R"({"token": "useless"})"}; });
  challenge_ = fmt::format(R"(Bearer realm="http://{}/token")", useless.host());
  RegistrySurvey found = survey();
  ASSERT_THAT(found.problems, SizeIs(1));
  EXPECT_EQ(found.problems[0].what, "it requires a login, and none is configured for it");
  EXPECT_THAT(useless.requests(), SizeIs(1));
  HttpServer evil([&](const ServerRequest&) { return ServerReply{.body = R"({"token": "a\r\nHost: b"})"}; });
  challenge_ = fmt::format(R"(Bearer realm="http://{}/token")", evil.host());
  EXPECT_EQ(survey().problems.at(0).what, "its token server's answer contains no token");
  for (const std::string& text : deep_json("token", 60u << 10)) {
    HttpServer deep([&](const ServerRequest&) { return ServerReply{.body = text}; });
    challenge_ = fmt::format(R"(Bearer realm="http://{}/token")", deep.host());
    EXPECT_EQ(survey().problems.at(0).what, "its token server's answer contains no token");
  }
}

TEST_F(Tokens, ARedirectTakesNoAuthorizationToAnotherHost) {
  write_file(file(), fmt::format(R"({{"auths": {{"{}": {}}}}})", registry_.host(), auth("me", kSecret)));
  HttpServer storage([&](const ServerRequest&) { return ServerReply{.body = image_.config}; });
  HttpServer other_tokens([&](const ServerRequest& request) { return give_token(request); });
  HttpServer leads([&](const ServerRequest& request) {
    ServerReply reply = answer(request);
    if (reply.status == 200 && request.target.find("/blobs/") != std::string::npos)
      return ServerReply{.status = 302,
                         .headers = {{"Location", "http://localhost:" + storage.port() + "/x"}}};
    return reply;
  });
  HttpServer token_elsewhere([&](const ServerRequest& request) {
    return ServerReply{.status = 302,
                       .headers = {{"Location", "http://" + other_tokens.host() + request.target}}};
  });
  challenge_ = fmt::format(R"(Bearer realm="http://{}/token")", token_elsewhere.host());
  write_file(file(), fmt::format(R"({{"auths": {{"{}": {}}}}})", leads.host(), auth("me", kSecret)));
  token_hosts_ = {token_elsewhere.host()};
  EXPECT_THAT(Registry(options()).survey({leads.host() + "/a/b"}).images, SizeIs(2));
  ASSERT_THAT(storage.requests(), SizeIs(1));
  EXPECT_EQ(storage.requests()[0].header("authorization"), "");
  EXPECT_THAT(token_elsewhere.requests().at(0).header("authorization"), HasSubstr("Basic"));
  EXPECT_EQ(other_tokens.requests().at(0).header("authorization"), "");
}

}  // namespace
}  // namespace stagemake::test
