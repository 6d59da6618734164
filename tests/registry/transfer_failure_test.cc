#include "registry/transfer_failure.h"

#include <gtest/gtest.h>

namespace stagemake {
namespace {

TEST(TransferFailure, StatusesThatAnotherAttemptMayChange) {
  for (long status : {408, 429, 500, 502, 503, 504, 507, 520, 599})
    EXPECT_TRUE(is_transient_status(status)) << status;
  for (long status : {200, 301, 400, 401, 403, 404, 405, 413, 415, 418, 501, 505, 600, 0})
    EXPECT_FALSE(is_transient_status(status)) << status;
}

// What docker and buildah really print for such answers of a registry.
TEST(TransferFailure, PermanentAnswersInTheWordsOfEngines) {
  for (std::string_view why :
       {"error parsing HTTP 413 response body: invalid character '<' looking for beginning of value: "
        "\"<html>\"",
        "error parsing HTTP 400 response body: unexpected end of JSON input: \"\"",
        "error parsing HTTP 404 response body: unexpected end of JSON input: \"\"",
        "unauthorized: authentication required", "denied: requested access to the resource is denied",
        "received unexpected HTTP status: 501 Not Implemented",
        "Error: pushing image \"a:1\" to \"docker://r.example/a:1\": writing manifest: uploading manifest 1 "
        "to "
        "r.example/a: StatusCode: 400, ",
        "Error: writing blob: initiating layer upload to /v2/a/blobs/uploads/ in r.example: StatusCode: 413, "
        "<html>",
        "writing manifest: uploading manifest 1 to r.example/a: unsupported",
        "writing manifest: uploading manifest 1 to r.example/a: manifest invalid",
        "writing manifest: uploading manifest 1 to r.example/a: name invalid",
        "pinging container registry r.example: invalid status code from registry 403 (Forbidden)",
        "Get \"https://r.example/v2/\": x509: certificate signed by unknown authority",
        "Get \"https://r.example/v2/\": http: server gave HTTP response to HTTPS client",
        "An image does not exist locally with the tag: r.example/a"})
    EXPECT_FALSE(is_transient_failure(why, "r.example/a:1")) << why;
}

TEST(TransferFailure, TransientFailuresAreRetried) {
  for (std::string_view why :
       {"received unexpected HTTP status: 500 Internal Server Error",
        "uploading manifest 1 to r.example/a: received unexpected HTTP status: 503 Service Unavailable",
        "uploading manifest 1 to r.example/a: toomanyrequests: slow down",
        "uploading manifest 1 to r.example/a: StatusCode: 429, ", "unknown blob", "",
        "Get \"http://r.example/v2/\": dial tcp 127.0.0.1:9: connect: connection refused",
        "Get \"https://r.example/v2/\": dial tcp: lookup r.example on 10.0.0.1:53: no such host",
        "unexpected EOF", "500 Internal Server Error"})
    EXPECT_TRUE(is_transient_failure(why, "r.example/a:1")) << why;
}

TEST(TransferFailure, ANameMayHoldAnyWords) {
  EXPECT_TRUE(is_transient_failure("pushing r.example/denied/unsupported:1: unexpected EOF",
                                   "r.example/denied/unsupported:1"));
  EXPECT_TRUE(is_transient_failure("lookup of localhost:5000/denied failed: EOF",
                                   "localhost:5000/denied@sha256:0123"));
  EXPECT_FALSE(is_transient_failure("r.example/denied: denied", "r.example/denied"));
}

}  // namespace
}  // namespace stagemake
