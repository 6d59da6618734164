// Foreign images with labels copied from ours: what they are used for, and what not.
#include "run/images/origins.h"

#include <gmock/gmock.h>

#include "base/test_keys.h"
#include "plan/planned_tree.h"
#include "run/build_bench.h"
#include "run/container/image_survey.h"

namespace stagemake {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string kImage = "sha256:" + std::string(64, 'a'), kOther(64, 'b');

class OriginFiles : public testing::Test {
 protected:
  std::string doubt(const std::string& image, const std::vector<PublicKey>& trusted = {}) {
    Snapshot snapshot;
    snapshot.image = image;
    origins_.judge(snapshot, trusted);
    return snapshot.unvouched;
  }
  TemporaryFolder folder_{fs::temp_directory_path()};
  Origins origins_{folder_.path() / "origins"};
};

TEST_F(OriginFiles, LocalImagesAreKnownById) {
  EXPECT_THAT(doubt(kImage),
              HasSubstr("it was not made with this state folder, and there is no trusted key"));
  origins_.made(kImage);
  EXPECT_EQ(doubt(kImage), "");
  EXPECT_EQ(doubt(kImage.substr(7)), "") << "as buildah writes it";
  EXPECT_NE(doubt(kOther), "");
  for (const char* odd : {"", "latest", "../x", "sha256:short"}) {
    origins_.made(odd);
    EXPECT_NE(doubt(odd), "") << odd;
  }
}

TEST_F(OriginFiles, FetchedImagesKeepTheirOrigin) {
  PublicKey key = PublicKey::in(test::new_key().open, "x").front();
  origins_.fetched(kImage, "ghcr.io/them/image", "");
  EXPECT_EQ(origins_.place(kImage), "ghcr.io/them/image");
  EXPECT_THAT(doubt(kImage), HasSubstr("it comes from ghcr.io/them/image, and there is no trusted key"));
  EXPECT_THAT(doubt(kImage, {key}), HasSubstr("and no trusted key has signed it"));
  origins_.fetched(kImage, "ghcr.io/them/image", key.fingerprint());
  EXPECT_EQ(doubt(kImage, {key}), "") << "also without --from";
  EXPECT_NE(doubt(kImage, {}), "") << "as long as that key is trusted";
  // An image made here stays trusted, even if a registry has it too.
  origins_.made(kOther);
  origins_.fetched(kOther, "ghcr.io/me/image", "");
  EXPECT_EQ(doubt(kOther), "");
}

TEST_F(OriginFiles, AFileThatSaysSomethingElseSaysNothing) {
  for (const char* text : {"", "made by me\n", "fetched x\n", "MADE\n"}) {
    write_file(folder_.path() / "origins" / kOther, text);
    EXPECT_NE(doubt(kOther), "") << text;
  }
}

TEST_F(OriginFiles, ImagesThatAreGoneAreForgotten) {
  origins_.made(kImage);
  origins_.made(kOther);
  origins_.bound({kImage}, 2);
  EXPECT_EQ(doubt(kOther), "");
  origins_.bound({kImage}, 1);
  EXPECT_EQ(doubt(kImage), "");
  EXPECT_NE(doubt(kOther), "");
}

TEST_F(OriginFiles, OtherTreesImagesAreForgottenByAge) {
  std::vector<std::string> images;
  for (char digit : {'c', 'd', 'e'}) {
    images.push_back(std::string(64, digit));
    origins_.made(images.back());
    fs::last_write_time(folder_.path() / "origins" / images.back(), 1000 + digit);
  }
  origins_.bound({}, 2);
  EXPECT_NE(doubt(images[0]), "");
  EXPECT_EQ(doubt(images[1]) + doubt(images[2]), "");
}

TEST(ReasonNotToPush, ForeignImagesStayInTheirRepository) {
  TemporaryFolder folder(fs::temp_directory_path());
  Origins origins(folder.path());
  Snapshot snapshot;
  snapshot.image = kImage;
  EXPECT_EQ(reason_not_to_push(snapshot, origins, "ghcr.io/me/image:1"), "") << "somebody vouches for it";
  origins.fetched(kImage, "ghcr.io/them/image", "");
  origins.judge(snapshot, {});
  EXPECT_THAT(reason_not_to_push(snapshot, origins, "ghcr.io/me/image:1"), HasSubstr("--push-fetched"));
  EXPECT_NE(reason_not_to_push(snapshot, origins, "ghcr.io/them/image-more:1"), "");
  EXPECT_EQ(reason_not_to_push(snapshot, origins, "ghcr.io/them/image:1"), "");
}

// --- Builds.

class ImagesOfOthers : public testing::Test {
 protected:
  // As anybody can who may push to a repository of --from: a genuine image with one more layer, labels
  // included.
  std::string planted(const std::string& genuine) {
    FakeImage image = bench_.engine.image(genuine);
    image.files["/sage/local/bin/planted"] = {.content = "code"};
    bench_.engine.remove_image(genuine);
    return bench_.engine.add_image(genuine, std::move(image));
  }
  BuildBench bench_{kSmallDistribution};
};

TEST_F(ImagesOfOthers, OwnImagesAreTrusted) {
  bench_.build();
  for (const char* stage : {"with-system-packages", "with-targets-pre", "with-targets"}) {
    std::optional<ImageInfo> image = bench_.engine.find_image(image_of_stage(stage));
    ASSERT_TRUE(image) << stage;
    Snapshot snapshot = snapshot_of(*image).value();
    Origins(bench_.state.origins()).judge(snapshot, {});
    EXPECT_EQ(snapshot.unvouched, "") << stage;
  }
}

TEST_F(ImagesOfOthers, SaveTimeAndAreNotClean) {
  bench_.build();
  std::string target = image_of_stage("with-targets");
  planted(target);
  BuildBench::Run run = bench_.build();
  EXPECT_EQ(run.states[5], "reused") << "where nobody asks for a clean one";
  bench_.settings.clean_only = true;
  run = bench_.build();
  EXPECT_EQ(run.states[5], "built");
  EXPECT_THAT(bench_.files(target, "planted"), IsEmpty());
  EXPECT_TRUE(bench_.snapshot(target).clean);
}

TEST_F(ImagesOfOthers, ImagesBuiltOnThemAreNotClean) {
  bench_.targets = {"with-targets-pre"};
  bench_.build();
  planted(image_of_stage("with-targets-pre"));
  bench_.targets = {"with-targets"};
  BuildBench::Run run = bench_.build();
  EXPECT_THAT(bench_.files(image_of_stage("with-targets"), "planted"), Not(IsEmpty()))
      << "it is what it began in";
  EXPECT_FALSE(bench_.snapshot(image_of_stage("with-targets")).clean);
}

TEST_F(ImagesOfOthers, AreNotPushedOn) {
  bench_.build();
  planted(image_of_stage("with-targets"));
  bench_.push_repository = "ghcr.io/official/";
  BuildBench::Run run = bench_.build();
  EXPECT_EQ(run.states[5], "reused");
  EXPECT_THAT(run.notes, Contains(HasSubstr("is not pushed: it was not made with this state folder")));
  std::string name = "ghcr.io/official/" + image_of_stage("with-targets");
  EXPECT_FALSE(bench_.engine.registry().find(name));
  bench_.push_fetched = true;
  bench_.build();
  EXPECT_TRUE(bench_.engine.registry().find(name));
}

}  // namespace
}  // namespace stagemake
