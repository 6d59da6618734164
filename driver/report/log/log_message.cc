#include "report/log/log_message.h"

#include <algorithm>
#include <array>

namespace stagemake {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_word_byte(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

template <class Fits>
std::size_t run_length(std::string_view text, Fits fits) {
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), fits) - text.begin());
}

// Walks the text once. Each step takes something from the rest and appends its comparable form.
class Comparable {
 public:
  explicit Comparable(std::string_view message) : rest_(message) {}

  std::string text() {
    take_program();
    while (!rest_.empty()) {
      bool at_word = out_.empty() || !is_word_byte(out_.back());
      if (take_blanks() || take_quote() || take_temporary()) continue;
      if (at_word && (take_architecture() || take_python() || take_long_number() || take_number())) continue;
      if (take_jobs()) continue;
      take(1);
    }
    while (!out_.empty() && out_.back() == ' ') out_.pop_back();
    // Newer linkers add the reason.
    constexpr std::string_view kAddition = ": No such file or directory";
    if (out_.find("cannot find -l") != std::string::npos && out_.ends_with(kAddition))
      out_.resize(out_.size() - kAddition.size());
    return std::move(out_);
  }

 private:
  void take(std::size_t count) {
    out_ += rest_.substr(0, count);
    rest_.remove_prefix(count);
  }
  bool put(std::size_t taken, std::string_view instead) {
    rest_.remove_prefix(taken);
    out_ += instead;
    return true;
  }
  bool follows(std::size_t at, std::string_view words) const {
    return at <= rest_.size() && rest_.substr(at).starts_with(words);
  }
  char byte(std::size_t at) const { return at < rest_.size() ? rest_[at] : '\0'; }

  // "/usr/bin/ld: …": the folder of a program is irrelevant.
  void take_program() {
    std::size_t end = rest_.find_first_of(" \t");
    if (!rest_.starts_with("/") || end == std::string_view::npos || rest_[end - 1] != ':') return;
    if (rest_.starts_with("/tmp/") || rest_.starts_with("/var/tmp/")) return;  // it is not a program
    std::string_view path = rest_.substr(0, end);
    if (path.find(':') + 1 == path.size()) rest_.remove_prefix(path.rfind('/') + 1);
  }

  bool take_blanks() {
    std::size_t length = run_length(rest_, [](char c) { return c == ' ' || c == '\t'; });
    return length > 0 && put(length, out_.empty() ? "" : " ");
  }

  // The form of quotes depends on the locale.
  bool take_quote() {
    for (std::string_view quote : {"‘", "’", "“", "”", "`", "\""})
      if (rest_.starts_with(quote)) return put(quote.size(), "'");
    return false;
  }

  // A name below /tmp, or one that Python generates: tmp1x_2ab3c.
  bool take_temporary() {
    bool begins = out_.empty() || (!is_word_byte(out_.back()) && out_.back() != '/' && out_.back() != '.');
    if (!begins) return false;
    auto in_name = [](char c) {
      return is_word_byte(c) || std::string_view("-.+~").find(c) != std::string_view::npos;
    };
    for (std::string_view folder : {"/tmp/", "/var/tmp/", "/dev/shm/"}) {
      if (!rest_.starts_with(folder)) continue;
      take(folder.size());
      return put(run_length(rest_, in_name), "#");
    }
    constexpr std::size_t kPythonsName = 11;
    return rest_.starts_with("tmp") && run_length(rest_, is_word_byte) == kPythonsName &&
           put(kPythonsName, "tmp#");
  }

  // x86_64-linux-gnu, aarch64-redhat-linux; dropped completely in front of a program's name.
  bool take_architecture() {
    constexpr std::array kArchitectures = {"x86_64-", "aarch64-", "i386-",        "i586-",  "i686-",
                                           "armv7l-", "ppc64le-", "powerpc64le-", "s390x-", "riscv64-"};
    if (std::none_of(kArchitectures.begin(), kArchitectures.end(),
                     [&](std::string_view one) { return rest_.starts_with(one); }))
      return false;
    std::string_view word =
        rest_.substr(0, run_length(rest_, [](char c) { return is_word_byte(c) || c == '-'; }));
    std::size_t end = word.find("-linux");
    if (end == std::string_view::npos) return false;
    end += 6;
    for (std::string_view library : {"-gnueabihf", "-gnu", "-musl"})
      if (word.substr(end).starts_with(library)) {
        end += library.size();
        break;
      }
    return end < word.size() && word[end] == '-' ? put(end + 1, "") : put(end, "#");
  }

  // The name of a system's Python: python3.11, cpython-311.
  bool take_python() {
    for (std::string_view name : {"python3.", "cpython-3"}) {
      if (!rest_.starts_with(name) || !is_digit(byte(name.size()))) continue;
      take(name.size());
      return put(run_length(rest_, is_digit), "#");
    }
    return false;
  }

  // Addresses, hashes, seconds since the epoch.
  bool take_long_number() {
    if (rest_.starts_with("0x") && is_hex(byte(2)))
      return put(2 + run_length(rest_.substr(2), is_hex), "0x#");
    constexpr std::size_t kLong = 8;
    std::size_t length = run_length(rest_, is_hex);
    bool number = length >= kLong && !is_word_byte(byte(length)) &&
                  std::any_of(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(length), is_digit);
    return number && put(length, "#");
  }

  bool take_number() {
    std::size_t length = run_length(rest_, is_digit);
    if (length == 0) return false;
    char after = byte(length);
    if (after == '-' && length == 4 && is_digit(byte(5)) && is_digit(byte(6)) && byte(7) == '-')  // a date
      return put(8 + run_length(rest_.substr(8), is_digit), "#");
    if (is_place(after, byte(length + 1)) || is_id(after)) return put(length, "#");
    std::size_t whole = length;
    if (after == '.') whole += 1 + run_length(rest_.substr(length + 1), is_digit);
    std::size_t unit = whole + (byte(whole) == ' ' ? 1 : 0);
    for (std::string_view name : {"seconds", "second", "sec", "ms", "s"})
      if (follows(unit, name) && !is_word_byte(byte(unit + name.size())))
        return put(unit + name.size(), "# s");
    take(length);
    return true;
  }

  // "file.c:12:3", "line 12", 12:34:56, but not "lines 3 and 4"
  bool is_place(char after, char second) const {
    if (out_.ends_with("line ") || out_.ends_with("Line ")) return true;
    bool ends = after == '\0' || std::string_view(":,. )'").find(after) != std::string_view::npos;
    return (out_.ends_with(":") && ends) || (after == ':' && is_digit(second));
  }

  // make[3], (1234), ==1234==, "pid 1234", "line 3: 1234 Killed"
  bool is_id(char after) const {
    if (out_.ends_with("[") && after == ']') return true;
    if (out_.ends_with("(") && after == ')') return true;
    if (out_.ends_with("==") && after == '=') return true;
    if (out_.ends_with("line #: ") && after == ' ') return true;
    return out_.ends_with("pid ") || out_.ends_with("PID ") || out_.ends_with("process ");
  }

  // -j8, --jobs=8
  bool take_jobs() {
    bool begins = out_.empty() || out_.back() == ' ' || out_.back() == '\'';
    if (!begins) return false;
    for (std::string_view option : {"-j", "--jobs=", "--jobs "}) {
      if (!rest_.starts_with(option)) continue;
      std::string_view number = rest_.substr(option.size());
      std::size_t blanks = option == "-j" ? run_length(number, [](char c) { return c == ' '; }) : 0;
      std::size_t digits = run_length(number.substr(blanks), is_digit);
      if (digits > 0) return put(option.size() + blanks + digits, option == "-j" ? "-j#" : "--jobs=#");
    }
    return false;
  }

  std::string_view rest_;
  std::string out_;
};

}  // namespace

std::string comparable(std::string_view message) {
  return Comparable(message).text();
}

}  // namespace stagemake
