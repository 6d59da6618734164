// Small text functions that the standard library lacks. They have no state, and return views of the text
// passed in if possible.
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

// Not for temporaries: in a loop, the views would outlive them.
template <class Text>
requires std::is_same_v<Text, std::string>
void words(Text&&) = delete;
template <class Text>
requires std::is_same_v<Text, std::string>
void lines(Text&&) = delete;
template <class Text>
requires std::is_same_v<Text, std::string>
void split(Text&&, char) = delete;

// Whether `path` is one of `folders`, or lies below one; all relative or all absolute, with `/`.
bool lies_below(const std::vector<std::string>& folders, std::string_view path);

std::string join(const std::vector<std::string>& parts, std::string_view separator);

// `text` as one word of a POSIX shell. Our text must not reach a shell in any other way.
std::string shell_quoted(std::string_view text);
// The words of a command, each quoted.
std::string shell_quoted(const std::vector<std::string>& words);

// The reverse: splits shell text into words and removes their quotes. Nothing if a word needs more of a
// shell: variables, globs, redirections, commands.
std::optional<std::vector<std::string>> shell_words(std::string_view text);

// Makes text from others safe to show to a person; no such text is shown in any other way. Makes visible what
// could drive a terminal or make text look like other text: control characters except tabs, and invalid UTF-8
// (`\x1b`); beyond ASCII (`\u202e`, `\U000e0041`) C1 controls, characters that change the direction of text,
// line and paragraph separators, characters without glyph or width (soft hyphens, zero-width blanks and
// joiners, fillers, tags), and noncharacters. A variation selector stays only right after a character beyond
// ASCII, as in emoji. The result does not change again: printable(printable(x)) == printable(x). Lines are
// shown one by one.
std::string printable(std::string_view text);

// The same for text of several lines: `\n` and `\r\n` end a line; all lines but the last end in `\n`.
std::string printable_lines(std::string_view text);

// The same for a word in a message: a long one is cut off and ends in `…`.
std::string shown(std::string_view word);

// The first `most` words for a message, and how many more there are: "a, b and 3 more". Printable.
std::string some_of(const std::vector<std::string>& words, std::size_t most = 5);

// How a message abbreviates its lists.
struct Listing {
  bool is_whole = false;      // it names everything
  std::string_view how = {};  // what lists the rest: "-v", "stagemake report -v"; empty: nothing does

  std::size_t shown(std::size_t count, std::size_t most) const;  // how many of `count` are named
  std::string more(std::size_t left_out) const;                  // "and 3 more (-v lists them)"
};
// The same, as `listing` says.
std::string some_of(const std::vector<std::string>& words, const Listing& listing, std::size_t most = 5);
// The same in brackets: "(a, b and 3 more; -v lists them)".
std::string bracketed(const std::vector<std::string>& words, const Listing& listing, std::size_t most = 5);

// A number and the noun that it counts: "1 stage", "0 stages", "2 stages". `several` is the plural if it is
// not `one` with an s. Every number before a noun goes through this function.
std::string counted(std::size_t count, std::string_view one, std::string_view several = {});

// Whether `text` is valid UTF-8 (RFC 3629).
bool is_utf8(std::string_view text);

// Up to `most` words of `known` that are close to `word` (edit distance at most a third of its length, at
// least 2), nearest first. For "did you mean".
std::vector<std::string> nearest(std::string_view word, const std::vector<std::string>& known,
                                 std::size_t most = 3);

// "3 s", "2 min 05 s", "1 h 02 min": a duration for a person. Negative values and NaN count as 0, values
// above 1e12 s (longer than any measured duration) as 1e12 s.
std::string duration_text(double seconds);

// "5h40m", "90 min", "45s", "1d 2h" as seconds, at most kLongestDuration; nothing if it is not a duration. A
// number needs a unit.
inline constexpr double kLongestDuration = 100 * 365.25 * 86400;  // a century
std::optional<double> duration_in(std::string_view text);

// "12 B", "3.4 kB", "1.2 GB" (powers of 1000).
std::string size_text(unsigned long long bytes);

// The reverse, for a person's input: "500M", "1.5 GB", "12g", "4096" (powers of 1000; at least 0). Nothing if
// it is not a size.
std::optional<unsigned long long> size_said(std::string_view text);

}  // namespace stagemake
