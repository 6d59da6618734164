// Exports of docker in both layouts, whole, damaged and without end.
#include "engine/docker/image_export.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text/digest.h"
#include "engine/engine_error.h"

namespace stagemake::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::string sha(const std::string& bytes) {
  return "sha256:" + sha256_hex(bytes);
}

// A layer's folder of the older layout, as docker 20.10 writes it.
struct Folder {
  std::string name;
  std::string json;
};
Folder folder_of(const std::string& chain, const std::string& parent) {
  const std::string created = R"("created":"1970-01-01T00:00:00Z")";
  const std::string config = R"("container_config":{"Hostname":"","Cmd":null})";
  std::string up = parent.empty() ? "" : fmt::format(R"(,"parent":"sha256:{}")", parent);
  Folder folder;
  folder.name = sha256_hex(fmt::format(R"({{{},{},"layer_id":"{}"{}}})", config, created, chain, up));
  up = parent.empty() ? "" : fmt::format(R"("parent":"{}",)", parent);
  folder.json = fmt::format(R"({{"id":"{}",{}{},{},"os":"linux"}})", folder.name, up, created, config);
  return folder;
}

class Export : public testing::Test {
 protected:
  struct Taker : LayerTaker {
    explicit Taker(Export& test) : export_(test) { ++export_.begun_; }
    void add(std::string_view piece) override { content_ += piece; }
    std::string layer_id() override { return sha(content_); }
    void accept() override { export_.accepted_.push_back(content_); }
    Export& export_;
    std::string content_;
  };

  void write(const std::vector<std::pair<std::string, std::string>>& files) {
    TarWriter tar(file_);
    for (const auto& [name, content] : files)
      if (content.starts_with("-> "))
        tar.add_symlink(name, content.substr(3), 0);
      else
        tar.add_content(name, content, 0644, 0);
    tar.close();
  }
  std::string read(std::set<std::string> wanted) {
    accepted_.clear();
    begun_ = 0;
    ExportWish wish{sha(config_), {sha(base_), sha(middle_), sha(top_)}, std::move(wanted), most_};
    std::string bytes = *read_file(file_, 64u << 20);
    TarReader tar(std::string_view(bytes).substr(0, bytes.size() - cut_));
    return read_export(tar, wish, [this] { return std::make_unique<Taker>(*this); });
  }
  std::vector<std::pair<std::string, std::string>> old_layout() const {
    std::string chain = sha(sha(base_) + " " + sha(middle_));
    Folder first = folder_of(sha(base_), ""), second = folder_of(chain, first.name);
    return {{second.name + "/json", second.json},
            {second.name + "/layer.tar", middle_},
            {first.name + "/json", first.json},
            {first.name + "/layer.tar", base_},
            {"top/json", "{}"},
            {"top/layer.tar", top_},
            {"twin/layer.tar", "-> ../top/layer.tar"},
            {sha256_hex(config_) + ".json", config_},
            {"manifest.json", "[]"}};
  }
  std::vector<std::pair<std::string, std::string>> new_layout() const {
    std::vector<std::pair<std::string, std::string>> files;
    for (const std::string& content : {base_, config_, middle_, top_})
      files.emplace_back("blobs/sha256/" + sha256_hex(content), content);
    files.emplace_back("index.json", "{}");
    return files;
  }

  TemporaryFolder folder_{fs::temp_directory_path()};
  fs::path file_ = folder_.path() / "tar";
  const std::string base_ = "base layer", middle_ = std::string(200'000, 'm'), top_ = "top layer",
                    config_ = "{\"a\":1}";
  std::uint64_t most_ = 1u << 30;
  std::size_t cut_ = 0;
  std::vector<std::string> accepted_;
  unsigned begun_ = 0;
};

TEST_F(Export, TheOlderLayoutGivesLayersAndConfig) {
  write(old_layout());
  EXPECT_EQ(read({sha(base_), sha(middle_), sha(top_)}), config_);
  EXPECT_THAT(accepted_, ElementsAre(middle_, base_, top_));
  EXPECT_EQ(begun_, 3u);
}

TEST_F(Export, KnownLayersAreSkippedByTheirFolders) {
  write(old_layout());
  EXPECT_EQ(read({sha(top_)}), config_);
  EXPECT_THAT(accepted_, ElementsAre(top_));
  EXPECT_EQ(begun_, 1u) << "the others were passed on, too";
  read({sha(base_)});
  EXPECT_THAT(accepted_, ElementsAre(base_));
  EXPECT_EQ(begun_, 2u) << "only the topmost is not known by its folder";
}

TEST_F(Export, TheNewerLayoutNamesItsLayers) {
  write(new_layout());
  EXPECT_EQ(read({sha(middle_)}), config_);
  EXPECT_THAT(accepted_, ElementsAre(middle_));
  EXPECT_EQ(begun_, 1u);
  EXPECT_EQ(read({}), config_);
  EXPECT_EQ(begun_, 0u);
}

TEST_F(Export, AWrongLayerIsNotAccepted) {
  auto files = new_layout();
  files[2].second = "something else";
  write(files);
  EXPECT_THROW(read({sha(middle_)}), EngineError);
  EXPECT_THAT(accepted_, IsEmpty());
  files = old_layout();
  files[5].second = "something else";
  write(files);
  EXPECT_THROW(read({sha(top_)}), EngineError);
  EXPECT_THAT(accepted_, IsEmpty());
  files = old_layout();
  files[1].second = "something else";  // below its own folder
  write(files);
  EXPECT_THROW(read({sha(middle_)}), EngineError);
}

TEST_F(Export, AWrongConfigIsAnError) {
  auto files = new_layout();
  files[1].second = "{}";
  write(files);
  EXPECT_THROW(read({}), EngineError);
}

TEST_F(Export, WhatIsMissingIsAnError) {
  auto files = new_layout();
  files.erase(files.begin() + 3);
  write(files);
  EXPECT_THROW(read({sha(top_)}), EngineError);
  files = new_layout();
  files.erase(files.begin() + 1);
  write(files);
  EXPECT_THROW(read({}), EngineError);
}

TEST_F(Export, AStreamThatWasCutIsAnError) {
  write({{"blobs/sha256/" + sha256_hex(config_), config_}, {"blobs/sha256/" + sha256_hex(middle_), middle_}});
  cut_ = 100'000;
  EXPECT_THROW(read({sha(middle_)}), Error);
  EXPECT_THAT(accepted_, IsEmpty());
}

TEST_F(Export, AStreamWithoutEndIsAnError) {
  write(new_layout());
  most_ = 100'000;
  EXPECT_THROW(read({sha(top_)}), EngineError);
  std::vector<std::pair<std::string, std::string>> files;
  for (int i = 0; i < 10'001; ++i) files.emplace_back(std::to_string(i), "");
  write(files);
  most_ = 1u << 30;
  EXPECT_THROW(read({}), EngineError);
}

TEST(LayerFolder, IsNamedByTheChain) {
  std::vector<std::string> layers = {sha("a"), sha("b")};
  Folder first = folder_of(layers[0], "");
  Folder second = folder_of(sha(layers[0] + " " + layers[1]), first.name);
  EXPECT_EQ(layer_of_folder(first.name, first.json, layers), layers[0]);
  EXPECT_EQ(layer_of_folder(second.name, second.json, layers), layers[1]);
  EXPECT_EQ(layer_of_folder(second.name, second.json, {sha("x"), sha("b")}), "");
  for (std::size_t size = 0; size < second.json.size(); ++size)
    layer_of_folder(second.name, second.json.substr(0, size), layers);
  // A real one, of docker 20.10.
  EXPECT_EQ(
      layer_of_folder(
          "34ead29953843d6ccca0a13b4946b1aec66241c6504d70bf4bcc410cf03633dc",
          R"({"id":"34ead29953843d6ccca0a13b4946b1aec66241c6504d70bf4bcc410cf03633dc","created":"1970-01-01T00:00:00Z","container_config":{"Hostname":"","Domainname":"","User":"","AttachStdin":false,"AttachStdout":false,"AttachStderr":false,"Tty":false,"OpenStdin":false,"StdinOnce":false,"Env":null,"Cmd":null,"Image":"","Volumes":null,"WorkingDir":"","Entrypoint":null,"OnBuild":null,"Labels":null},"os":"linux"})",
          {"sha256:ef9c5689d53150e2d3695912e7442e8a1e3cf9372dd62cfd8e76c15f1db8b9f8"}),
      "sha256:ef9c5689d53150e2d3695912e7442e8a1e3cf9372dd62cfd8e76c15f1db8b9f8");
}

}  // namespace
}  // namespace stagemake::test
