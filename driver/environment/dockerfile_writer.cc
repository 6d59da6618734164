#include "environment/dockerfile_writer.h"

#include "base/error.h"
#include "base/files/beneath.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

// SAGE_CHECK_PACKAGES as Sage 9.8's writer sets it; later writers leave the list to the Makefile.
constexpr std::string_view kSage98CheckPackages =
    "!cython,!r,!python3,!gap,!cysignals,!linbox,!git,!ppl,!cmake,!rpy2,!sage_sws2rst";

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

DockerfileWriter usual(const TreeFeatures& features) {
  DockerfileWriter writer;
  if (features.urls) {
    writer.asks_for_list = writer.numbered_toolsets = false;
    writer.asks_python = writer.tells_configure_of_lists = true;
  } else {
    writer.habits = {.unminimizes_once = false, .extracts_documentation = false, .nix_attributes = false};
    writer.defaults["SAGE_CHECK_PACKAGES"] = kSage98CheckPackages;
  }
  return writer;
}

// A file of the tree; empty if it does not exist, cannot be read or leads out of the tree.
std::string content_of(const fs::path& tree, const std::string& file) {
  try {
    return read_inside(tree, file).value_or("");
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

DockerfileWriter DockerfileWriter::parse(std::string_view text, std::string_view lists,
                                         std::string_view commands) {
  DockerfileWriter writer;
  bool uses_tool = has(text, "sage-get-system-packages");
  writer.by_type = has(text, "TYPE_PATTERN");
  writer.asks_for_list = has(text, "--has-file=distros/$SYSTEM.txt");
  writer.asks_python = uses_tool && has(lists, "ENABLE_SYSTEM_SITE_PACKAGES");
  writer.tells_configure_of_lists = uses_tool;
  writer.tells_configure_of_pseudo = uses_tool && !has(text, "!= _*");
  writer.numbered_toolsets = has(text, "devtoolset-$DEVTOOLSET");
  writer.habits = {.unminimizes = has(text, "unminimize"),
                   .unminimizes_once = has(text, "command -v unminimize)"),
                   .extracts_documentation = has(text, "/^NoExtract/d"),
                   .nix_attributes = commands.empty() || has(commands, "--install --attr")};
  for (std::string_view line : lines(text)) {
    if (!line.starts_with("ARG ") && !line.starts_with("ENV ")) continue;
    std::string_view said = trimmed(line.substr(4));
    std::size_t end = said.find('=');
    if (end == std::string_view::npos) continue;
    std::string_view value = said.substr(end + 1);
    if (value.size() < 2 || value.front() != '"' || value.back() != '"') continue;
    value = value.substr(1, value.size() - 2);
    // Only plain text is used: expansion by a shell or Docker is not imitated here.
    if (!value.empty() && value.find_first_of("$\\\"`") == std::string_view::npos)
      writer.defaults[std::string(said.substr(0, end))] = std::string(value);
  }
  return writer;
}

DockerfileWriter DockerfileWriter::read(const fs::path& tree, const TreeFeatures& features) {
  for (const char* folder : {"build/bin", ".ci", ".github/workflows"}) {
    std::string text = content_of(tree, std::string(folder) + "/write-dockerfile.sh");
    // Text that does not ask for a list of packages is some other script.
    if (has(text, "sage-package list") || has(text, "sage -package list") || has(text, "TYPE_PATTERN"))
      return parse(text, content_of(tree, "build/bin/sage-get-system-packages"),
                   content_of(tree, "build/bin/sage-print-system-package-command"));
  }
  return usual(features);
}

}  // namespace stagemake
