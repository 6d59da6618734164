// How the page of a run looks. Each text's contrast to its background is at least 4.5 in both schemes; each
// state has a word, and its colour only besides.
#include "report/html_sections.h"

namespace stagemake {

std::string html_style() {
  return R"css(:root {
  color-scheme: light dark;
  --page: #fff; --panel: #f5f6f8; --line: #d3d8df; --text: #1a1f26; --soft: #545d69; --link: #0b57a4;
  --well-back: #e1f2e6; --well: #14592f; --same-back: #e9edf2; --same: #3d4a59;
  --bad-back: #fde3e0; --bad: #8f1414; --cut-back: #fcefd0; --cut: #6b4300;
  --off-back: #f3f4f6; --off: #59616c; --run-back: #e0ebfb; --run: #174a8c;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media screen and (prefers-color-scheme: dark) { :root {
  --page: #14171b; --panel: #1c2126; --line: #363e48; --text: #e3e7ec; --soft: #a3adb9; --link: #8ab8ef;
  --well-back: #16331f; --well: #93d9aa; --same-back: #252d36; --same: #b6c2cf;
  --bad-back: #4a1b1b; --bad: #ffb3ac; --cut-back: #41310f; --cut: #f0cd84;
  --off-back: #1f242a; --off: #9aa4b0; --run-back: #182f4d; --run: #a5c9f7;
} }
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 80rem; padding: 1.25rem 1.5rem 3rem; background: var(--page); color: var(--text);
  font: 0.9375rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
h1, h2, h3, h4 { line-height: 1.25; font-weight: 600; }
h1 { font-size: 1.5rem; margin: 0 0 0.75rem; }
h1 code { font-weight: 400; color: var(--soft); }
h2 { font-size: 1.1875rem; margin: 2.5rem 0 0.75rem; padding-top: 0.5rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 0 0 0.375rem; }
h4 { font-size: 0.875rem; margin: 0.75rem 0 0.25rem; color: var(--soft); }
p { margin: 0.375rem 0; }
ul { margin: 0.25rem 0; padding-left: 1.25rem; }
a { color: var(--link); }
code, pre { font-family: var(--mono); font-size: 0.9em; unicode-bidi: isolate; }
pre { margin: 0.375rem 0; padding: 0.5rem 0.75rem; overflow-x: auto; background: var(--panel); line-height: 1.4;
  border: 1px solid var(--line); border-radius: 4px; max-width: 100%; overflow-wrap: normal; }
pre b { color: var(--bad); }
pre.command { border-left: 3px solid var(--soft); }
pre.command::before { content: "$ " / ""; color: var(--soft); }
summary { cursor: pointer; color: var(--link); width: fit-content; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 1px; }
button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; text-align: inherit; }
.soft, .path { color: var(--soft); }
.path { font-size: 0.875rem; }
.t { white-space: nowrap; }

.built { --back: var(--well-back); --fore: var(--well); --sign: "✓"; }
.reused { --back: var(--same-back); --fore: var(--same); --sign: "="; }
.failed { --back: var(--bad-back); --fore: var(--bad); --sign: "✗"; }
.interrupted { --back: var(--cut-back); --fore: var(--cut); --sign: "!"; }
.skipped, .waiting, .none { --back: var(--off-back); --fore: var(--off); --sign: "·"; }
.running { --back: var(--run-back); --fore: var(--run); --sign: "▸"; }

.result { font-size: 1.0625rem; margin: 0 0 1rem; padding: 0.5rem 0.75rem; background: var(--back); color: var(--fore);
  border-left: 4px solid var(--fore); border-radius: 4px; }
.facts { display: flex; flex-wrap: wrap; gap: 0.375rem 2rem; margin: 0; }
.facts dt { font-size: 0.8125rem; color: var(--soft); }
.facts dd { margin: 0; }
nav { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; margin-top: 1rem; padding-top: 0.5rem;
  border-top: 1px solid var(--line); }
nav + main h2 { scroll-margin-top: 0.5rem; }
#failures h2 { margin-top: 1.25rem; border-top: 0; }

.card { margin: 0 0 0.75rem; padding: 0.625rem 0.875rem 0.75rem; border: 1px solid var(--line);
  border-left: 4px solid var(--mark); border-radius: 4px; --mark: var(--off); --mark-back: var(--off-back); }
.card.new { --mark: var(--bad); --mark-back: var(--bad-back); }
.card.again, .card.tests { --mark: var(--cut); --mark-back: var(--cut-back); }
.card.well { --mark: var(--well); --mark-back: var(--well-back); }
.card h3 code { font-size: 1em; }
.tag { display: inline-block; padding: 0 0.5rem; margin-right: 0.25rem; border-radius: 3px; font-size: 0.8125rem;
  line-height: 1.5; color: var(--mark); background: var(--mark-back); }
.message code { color: var(--bad); }
.card.expected .message code { color: inherit; }
.chips { list-style: none; display: flex; flex-wrap: wrap; gap: 0.25rem 0.375rem; padding: 0; margin: 0.5rem 0; }
.chip { display: inline-block; padding: 0.0625rem 0.5rem; border: 1px solid var(--line); border-radius: 3px;
  font-size: 0.8125rem; background: var(--panel); }
.chip:hover { border-color: var(--link); }
.card details { margin: 0.375rem 0; }
.more > .card { margin-top: 0.75rem; }

.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 0.375rem 0.5rem; margin: 0 0 0.75rem; padding: 0; }
.key { padding: 0.0625rem 0.5rem; border-radius: 3px; font-size: 0.8125rem; background: var(--back);
  color: var(--fore); }
.key b, td button b { font-weight: 600; }
.key b::before, td button b::before { content: var(--sign) " "; content: var(--sign) " " / ""; }
.only { display: none; margin: 0 0 0.75rem; width: fit-content; }
@supports selector(:has(*)) {
  .only { display: block; }
  .only:has(:checked) + .matrix tr.well { display: none; }
}
.scroll { overflow: auto; max-width: 100%; border: 1px solid var(--line); border-radius: 4px; overflow-wrap: normal;
  overscroll-behavior-x: contain; }
table { border-collapse: separate; border-spacing: 0; font-size: 0.875rem; }
th { text-align: left; font-weight: 600; }
.scroll th, .scroll td { padding: 0.25rem 0.625rem; border-bottom: 1px solid var(--line); }
.scroll tr:last-child > th, .scroll tr:last-child > td { border-bottom: 0; }
thead th, thead td { background: var(--panel); white-space: nowrap; color: var(--soft); font-size: 0.8125rem; }
.matrix { max-height: min(85vh, 60rem); }
.matrix table { min-width: 100%; font-size: 0.8125rem; }
.matrix thead th { position: sticky; top: 0; z-index: 2; border-bottom-color: var(--soft); white-space: normal;
  vertical-align: bottom; }
.matrix th:first-child { position: sticky; left: 0; z-index: 1; background: var(--page);
  border-right: 1px solid var(--line);
  overflow-wrap: anywhere; min-width: 15.5rem; max-width: 22rem; }
.matrix thead th:first-child { z-index: 3; background: var(--panel); }
.matrix tbody th { font-weight: 400; }
.matrix tr:not(.well) > th { font-weight: 600; }
.matrix td { padding: 0; background: var(--back); color: var(--fore); white-space: nowrap; height: 1px;
  border-right: 1px solid var(--page); }
.matrix td abbr { padding: 0.25rem 0.625rem; text-decoration: none; }
.matrix td button { display: flex; gap: 0.5rem; justify-content: space-between; width: 100%; height: 100%;
  padding: 0.25rem 0.625rem; align-items: baseline; }
.matrix td button:hover { text-decoration: underline; }
.matrix td button:focus-visible { outline-offset: -2px; }
.matrix td i { font-style: normal; }
.figures table { width: 100%; }
.figures td, .figures th { white-space: nowrap; }
td.number, th.number { text-align: right; }
.figures td .bar { display: block; height: 0.5rem; min-width: 5rem; width: 100%; background: var(--panel); }

.boxes { margin-top: 1rem; }
.box { padding: 1rem 1.25rem; border: 1px solid var(--soft); border-radius: 6px; background: var(--page);
  color: var(--text); width: min(48rem, 100vw - 1rem); max-height: min(90vh, 60rem); overflow: auto; }
.box::backdrop { background: rgb(0 0 0 / 0.4); }
.box h3 { margin-right: 4rem; }
.box h3 span { font-weight: 400; color: var(--soft); }
.box .close { float: right; color: var(--link); text-decoration: underline; padding: 0 0.25rem; }

svg { display: block; font: 12px system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; }
.time svg { width: 100%; min-width: 56rem; height: auto; background: var(--page); }
.time text { fill: var(--text); }
.time .axis { fill: var(--soft); }
.time .grid { stroke: var(--line); stroke-width: 1; }
.time rect.frame { fill: none; stroke: var(--line); }
.bars rect { fill: var(--back); stroke: var(--fore); stroke-width: 1; }
.bars .failed rect, .bars .interrupted rect { stroke-width: 2; }
.bars .interrupted rect { stroke-dasharray: 4 2; }
.bars text { fill: var(--fore); }
.curve { fill: var(--same-back); stroke: var(--same); stroke-width: 1.25; stroke-linejoin: round; }
rect.built, rect.reused, rect.failed { fill: var(--fore); }
rect.reused { opacity: 0.55; }
.wide { fill: var(--same); }
.notes { padding: 0; list-style: none; }
.notes li { display: flex; gap: 1rem; padding: 0.125rem 0; }
.notes .t { color: var(--soft); min-width: 5.5rem; text-align: right; flex: none; }
footer { margin-top: 3rem; padding-top: 0.5rem; border-top: 1px solid var(--line); color: var(--soft);
  font-size: 0.8125rem; }

@media (max-width: 40rem) {
  body { padding: 0.875rem 0.75rem 2rem; }
  h1 { font-size: 1.25rem; }
  .facts { gap: 0.375rem 1.25rem; }
  .card { padding: 0.5rem 0.625rem; }
  .scroll th, .scroll td, .matrix td button, .matrix td abbr { padding-left: 0.5rem; padding-right: 0.5rem; }
  .matrix td { padding: 0; }
  .matrix td button { display: block; }
  .matrix td button i { display: block; }
  .matrix th:first-child { max-width: 8rem; min-width: 7rem; }
  .notes li { display: block; }
  .notes .t { display: block; text-align: left; }
}
@media print {
  :root { color-scheme: light; }
  body { max-width: none; padding: 0; font-size: 9pt; }
  nav, .only, .close { display: none; }
  .scroll { overflow: visible; max-height: none; }
  .matrix table, .matrix thead th { font-size: 7pt; }
  .matrix th:first-child { min-width: 0; }
  .matrix th, .matrix thead th, .matrix th:first-child { position: static; }
  .matrix td button { display: block; padding: 0.125rem 0.25rem; }
  .matrix td button i { display: block; }
  .scroll th, .scroll td { padding: 0.125rem 0.25rem; }
  .matrix td { padding: 0; }
  .time svg { min-width: 0; }
  .card, tr, .time { break-inside: avoid; }
  h2 { break-after: avoid; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; }
}
)css";
}

}  // namespace stagemake
