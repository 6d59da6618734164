// The part of a fuzz program that is the same for all targets.
//
// With STAGEMAKE_FUZZ_TREES=TREE:TREE…, it writes seeds from these trees into the first folder of the command
// line before libFuzzer reads it.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "base/text/digest.h"
#include "base/text/text.h"
#include "fuzz.h"
#include "fuzz_tree.h"

namespace stagemake {
namespace {

constexpr std::size_t kLongestSeed = 32u << 10;  // bytes; longer ones slow everything down

void write_seeds(const fs::path& folder, std::string_view trees) {
  auto write = [&](std::string_view seed) {
    if (seed.empty() || seed.size() > kLongestSeed) return;
    std::ofstream file((folder / sha256_hex(seed)).string(), std::ios::binary);
    file.write(seed.data(), static_cast<std::streamsize>(seed.size()));
    if (!file.flush()) throw engine_unusable("cannot write seeds into " + folder.string());
  };
  for (std::string_view tree : split(trees, ':'))
    if (!tree.empty()) add_seeds(fs::path(std::string(tree)), write);
}

// Deep and long inputs, which changing a few bytes at a time does not reach: if `input` is \x01 HEAD \x01
// PART \x01 TAIL, the result is HEAD and TAIL with 2^count PARTs between them. The part's first byte is the
// count.
std::string with_repeats(std::string_view input) {
  constexpr std::size_t kLongest = 64u << 10;  // bytes; quadratic time would take too long for more
  std::vector<std::string_view> parts = split(input, '\x01');
  if (parts.size() != 4 || !parts[0].empty() || parts[2].size() < 2) return std::string(input);
  std::size_t count = std::size_t{1} << (static_cast<unsigned char>(parts[2][0]) % 16);
  std::string_view part = parts[2].substr(1);
  std::string result(parts[1]);
  while (count-- > 0 && result.size() + part.size() < kLongest) result += part;
  return result.append(parts[3]);
}

// Byte by byte, hidden from libFuzzer: it learns from comparisons what an input might contain, and would
// learn the secret.
__attribute__((no_sanitize("coverage"))) bool holds_secret(const std::string& answer) {
  const std::string& secret = FuzzTree::secret();
  for (std::size_t at = 0; at + secret.size() <= answer.size(); ++at) {
    std::size_t same = 0;
    while (same < secret.size() && answer[at + same] == secret[same]) ++same;
    if (same == secret.size()) return true;
  }
  return false;
}

bool is_number(std::string_view text) {
  return !text.empty() && text[0] != '0' && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// FILE, FILE:LINE or FILE:LINE:COLUMN; FILE is one of `files` or lies below one.
bool is_place(std::string_view where, std::initializer_list<std::string_view> files) {
  return std::any_of(files.begin(), files.end(), [&](std::string_view file) {
    if (!where.starts_with(file)) return false;
    std::string_view rest = where.substr(file.size());
    if (rest.empty() || rest.front() == '/') return true;
    if (rest.front() != ':') return false;
    std::vector<std::string_view> numbers = split(rest.substr(1), ':');
    return numbers.size() <= 2 && std::all_of(numbers.begin(), numbers.end(), is_number);
  });
}

}  // namespace

void require(bool holds, std::string_view property, std::string_view shown) {
  if (holds) return;
  fmt::print(stderr, "does not hold: {}\n{}\n", property, printable(shown));
  std::fflush(stderr);
  std::abort();
}

std::vector<std::string_view> pieces(std::string_view input) {
  return split(input, '\0');
}

std::string joined_pieces(const std::vector<std::string>& pieces) {
  return join(pieces, std::string_view("\0", 1));
}

void tell(std::string& answer, std::string_view field) {
  answer.append(std::to_string(field.size())).append(":").append(field).append("\n");
}

void tell(std::string& answer, const std::vector<std::string>& fields) {
  tell(answer, std::to_string(fields.size()));
  for (const std::string& field : fields) tell(answer, field);
}

void tell_faults(std::string& answer, const std::vector<Fault>& faults,
                 std::initializer_list<std::string_view> files) {
  constexpr std::size_t kLongest = 4096;  // bytes of a text for people
  for (const Fault& fault : faults) {
    require(!fault.what.empty(), "a fault says what is wrong", fault.where);
    require(fault.text().size() <= kLongest, "a fault is short", fault.text());
    require(printable(fault.text()) == fault.text(), "a fault can be shown on a terminal", fault.text());
    require(files.size() == 0 || is_place(fault.where, files), "a fault names a file and perhaps a line",
            fault.text());
    tell(answer, fault.text());
  }
}

void tell_errors(std::string& answer, std::initializer_list<std::string_view> files,
                 const std::function<void()>& read) {
  try {
    read();
  } catch (const Error& error) {
    require(error.status() == ExitStatus::BadInput, "bad input is told as bad input", error.what());
    require(!error.faults().empty(), "an error has a fault", error.what());
    tell_faults(answer, error.faults(), files);
  }
}

std::string seed_file(const fs::path& path) {
  return read_file(path).value_or("");
}

std::string repeated(std::string_view head, std::string_view part, std::string_view tail) {
  std::string seed("\x01");
  return seed.append(head).append("\x01\x0f").append(part).append("\x01").append(tail);
}

std::vector<fs::path> seed_packages(const fs::path& tree) {
  std::vector<fs::path> folders;
  boost::system::error_code absent;
  for (const fs::directory_entry& entry : fs::directory_iterator(tree / "build/pkgs", absent))
    if (fs::is_directory(entry.path())) folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  return folders;
}

}  // namespace stagemake

extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments) {
  const char* trees = std::getenv("STAGEMAKE_FUZZ_TREES");
  for (int i = 1; trees != nullptr && i < *count; ++i) {
    std::string_view argument = (*arguments)[i];
    if (argument.starts_with("-")) continue;
    stagemake::write_seeds(stagemake::fs::path(std::string(argument)), trees);
    break;
  }
  return 0;
}

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

// libFuzzer's own mutation, but most inputs with repeats get fewer mutations: long ones take most of the
// time.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                               unsigned int random) {
  size = LLVMFuzzerMutate(data, size, most);
  if (size == 0 || data[0] != 1 || random % 64 == 0) return size;
  std::uint8_t* second = std::find(data + 1, data + size, std::uint8_t{1});
  if (second < data + size - 1) second[1] = static_cast<std::uint8_t>(random / 64 % 8);
  return size;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stagemake;
  std::string input = with_repeats({reinterpret_cast<const char*>(data), size});
  std::string answer = answer_to(input);
  require(!holds_secret(answer), "nothing outside the tree is read", answer);
  require(answer == answer_to(input), "the same input has the same answer", answer);
  return 0;
}
