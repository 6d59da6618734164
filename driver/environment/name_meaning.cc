#include "environment/name_meaning.h"

#include <algorithm>
#include <vector>

#include "base/text/text.h"

namespace stagemake {
namespace {

// As Sage's tox.ini defines them.
const std::map<std::string_view, std::string> kPackageSets = {
    {"minimal", "_prereq"},
    {"standard", "--has-file=spkg-configure.m4 :standard:"},
    {"maximal", ":standard: :optional:"},
};

// Systems whose lists of system packages have another name (same as in Sage's tox.ini).
const std::map<std::string_view, std::string> kOtherLists = {
    {"almalinux", "fedora"}, {"archlinux", "arch"},  {"centos", "fedora"}, {"linuxmint", "debian"},
    {"nixos", "nix"},        {"raspbian", "debian"}, {"redhat", "fedora"}, {"rockylinux", "fedora"},
    {"ubuntu", "debian"},    {"voidlinux", "void"},
};

}  // namespace

std::map<std::string, std::string> name_meaning(std::string_view environment) {
  std::map<std::string, std::string> meaning;
  std::vector<std::string_view> factors = split(environment, '-');
  std::string_view first = factors.front();
  auto other = kOtherLists.find(first);
  meaning["SYSTEM"] = other == kOtherLists.end() ? std::string(first) : other->second;
  bool has_release = factors.size() > 1 && !kPackageSets.contains(factors[1]);
  meaning["FULL_BASE_IMAGE_AND_TAG"] =
      std::string(first) + ":" + (has_release ? std::string(factors[1]) : "latest");
  for (const auto& [factor, list] : kPackageSets)
    if (std::find(factors.begin(), factors.end(), factor) != factors.end())
      meaning["SAGE_PACKAGE_LIST_ARGS"] = list;
  return meaning;
}

}  // namespace stagemake
