#include "report/html/html_tables.h"

#include <algorithm>

#include "base/text/text.h"
#include "report/events/run_figures.h"

namespace stagemake {
namespace {

constexpr std::size_t kSlowest = 20;
constexpr std::size_t kRuns = 12;
constexpr std::size_t kNotes = 200;

std::string percent(double part, double whole) {
  return decimal(whole > 0 ? 100 * std::clamp(part / whole, 0.0, 1.0) : 0.0, 1);
}

void fill_packages(const RunRecord& run, const std::vector<PackageFigures>& slowest, HtmlPart table) {
  for (const PackageFigures& one : slowest) {
    const EnvironmentRecord& environment = run.environments[one.environment];
    table.add("ROW", {{"PACKAGE", one.name, 100},
                      {"LONGEST", duration(one.longest)},
                      {"PERCENT", percent(one.longest, slowest[0].longest)},
                      {"ENVIRONMENT", environment.name, 120},
                      {"STAGE", environment.stages[one.stage].name, 100},
                      {"MEDIAN", duration(one.usual)},
                      {"TIMES", one.times}});
  }
}

void fill_stages(const RunRecord& run, const std::vector<StageFigures>& slowest, HtmlPart table) {
  for (const StageFigures& one : slowest) {
    const EnvironmentRecord& environment = run.environments[one.environment];
    const StageRecord& stage = environment.stages[one.stage];
    table.add("ROW", {{"ENVIRONMENT", environment.name, 120},
                      {"STAGE", stage.name, 100},
                      {"TOOK", duration(one.seconds)},
                      {"PERCENT", percent(one.seconds, slowest[0].seconds)},
                      {"EXPECTED", duration_if_any(stage.expected.seconds)},
                      {"NOT_EXPECTED", !(stage.expected.seconds > 0)},
                      {"STATE", word(stage.status.state)}});
  }
}

void fill_use_bar(const CacheUse& use, HtmlPart row) {
  auto all = static_cast<double>(use.reused + use.built + use.failed);
  double at = 0;
  for (auto [state, number] :
       {std::pair{StageState::Reused, use.reused}, std::pair{StageState::Built, use.built},
        std::pair{StageState::Failed, use.failed}}) {
    if (number == 0) continue;
    double width = 100 * static_cast<double>(number) / all;
    row.add("PART", {{"STATE", word(state)}, {"X", decimal(at, 2)}, {"PERCENT", decimal(width, 2)}});
    at += width;
  }
}

void fill_use(const RunRecord& run, bool is_this, HtmlPart section) {
  CacheUse use = cache_use(run);
  std::string began = minute(run.began);
  HtmlPart row = section.add("RUN", {{"BEGAN", began},
                                     {"TIME_UNKNOWN", began.empty()},
                                     {"THIS_RUN", is_this},
                                     {"OF_REVISION", run.facts.revision, 60},
                                     {"NO_REVISION", run.facts.revision.empty()},
                                     {"REUSED", use.reused},
                                     {"BUILT", use.built},
                                     {"FAILED", use.failed},
                                     {"BAR", use.reused + use.built + use.failed},
                                     {"PACKAGES", use.packages},
                                     {"TOOK", duration(use.seconds)},
                                     {"STILL_RUNNING", !(run.ended > 0)}});
  fill_use_bar(use, row);
}

}  // namespace

void fill_slowest(const ReportInput& input, HtmlPart page) {
  std::vector<PackageFigures> packages = slowest_packages(input.run, kSlowest);
  std::vector<StageFigures> stages = slowest_stages(input.run, kSlowest);
  if (packages.empty() && stages.empty()) return;
  HtmlPart section = page.add("SLOWEST");
  if (!packages.empty()) fill_packages(input.run, packages, section.add("PACKAGES"));
  if (!stages.empty()) fill_stages(input.run, stages, section.add("STAGES"));
}

void fill_cache(const ReportInput& input, HtmlPart page) {
  if (!input.run.has_begun()) return;
  HtmlPart section = page.add("CACHE");
  fill_use(input.run, true, section);
  for (std::size_t i = 0; i < input.before.size() && i + 1 < kRuns; ++i)
    fill_use(input.before[i], false, section);
}

void fill_notes(const ReportInput& input, HtmlPart page) {
  const std::vector<RunRecord::Note>& notes = input.run.notes;
  if (notes.empty()) return;
  std::size_t shown = std::min(notes.size(), kNotes);
  HtmlPart section = page.add("NOTES", {{"MORE", notes.size() - shown}});
  for (std::size_t i = 0; i < shown; ++i)
    section.add("NOTE", {{"WHEN", duration(notes[i].time - input.run.began)}, {"TEXT", notes[i].text, 600}});
}

}  // namespace stagemake
