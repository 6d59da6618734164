// Small text functions that the standard library lacks. No state, no allocation surprises: views go in, views
// of the same text come out where that is possible.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace stagemake {

std::string_view trimmed(std::string_view text);

// The words of `text`, split at blanks, tabs and line ends; no empty words.
std::vector<std::string_view> words(std::string_view text);

// The lines of `text` without their ends ("\n" or "\r\n"); a last line without an end counts.
std::vector<std::string_view> lines(std::string_view text);

std::vector<std::string_view> split(std::string_view text, char separator);

// Not of a temporary: what these give would outlive it in a loop over it.
template <class Text>
requires std::is_same_v<Text, std::string>
void words(Text&&) = delete;
template <class Text>
requires std::is_same_v<Text, std::string>
void lines(Text&&) = delete;
template <class Text>
requires std::is_same_v<Text, std::string>
void split(Text&&, char) = delete;

std::string join(const std::vector<std::string>& parts, std::string_view separator);

// `text` as one word of a POSIX shell. The only way in which text of ours reaches a shell.
std::string shell_quoted(std::string_view text);
// The words of a command, each quoted.
std::string shell_quoted(const std::vector<std::string>& words);

// The other way: what a shell makes words of, with their quotes taken away. Nothing where a word would need
// more of a shell than that: variables, globs, redirections, commands.
std::optional<std::vector<std::string>> shell_words(std::string_view text);

// The one way in which text of others is shown to a person, wherever that is. What could drive a terminal, or
// make text look like another, is made visible: control characters but tabs, and bytes that are no UTF-8
// (`\x1b`); beyond ASCII (`\u202e`, `\U000e0041`) C1 controls, what turns the direction of text, ends of lines
// and paragraphs, what has neither sign nor width (soft hyphens, zero-width blanks and joiners, fillers, tags),
// and noncharacters. A variation selector stays only right after a sign beyond ASCII, as emoji have it. Of
// that text, nothing is hidden any more: printable(printable(x)) == printable(x). Lines are shown one by one.
std::string printable(std::string_view text);

// The same of text whose lines stay lines: `\n` and `\r\n` end them, and all but the last one end in `\n`.
std::string printable_lines(std::string_view text);

// The same of a word for a message: what is long is cut off, and ends in `…`.
std::string shown(std::string_view word);

// The first `most` of some words for a message, and how many more there are: "a, b and 3 more". Printable.
std::string some_of(const std::vector<std::string>& words, std::size_t most = 5);

// A number and the noun that it counts: "1 stage", "0 stages", "2 stages"; `several` is the plural where it
// is not `one` with an s. Every number in front of a noun goes through this.
std::string counted(std::size_t count, std::string_view one, std::string_view several = {});

// Whether `text` is valid UTF-8 (RFC 3629).
bool is_utf8(std::string_view text);

// Up to `most` of `known` that lie near `word` (edit distance at most a third of its length, at least 2),
// nearest first. For "did you mean".
std::vector<std::string> nearest(std::string_view word, const std::vector<std::string>& known,
                                 std::size_t most = 3);

// "3 s", "2 min 05 s", "1 h 02 min": a duration for a person. Negative and NaN count as 0; what is longer than
// any duration that is measured (1e12 s) as that.
std::string duration_text(double seconds);

// "5h40m", "90 min", "45s", "1d 2h": as seconds, at most kLongestDuration; nothing where it is no duration. A
// number without a unit is none.
inline constexpr double kLongestDuration = 100 * 365.25 * 86400;  // a century
std::optional<double> duration_in(std::string_view text);

// "12 B", "3.4 kB", "1.2 GB" (powers of 1000).
std::string size_text(unsigned long long bytes);

// The other way, for what a person says: "500M", "1.5 GB", "12g", "4096" (powers of 1000; at least 0).
// Nothing where it is no size.
std::optional<unsigned long long> size_said(std::string_view text);

}  // namespace stagemake
