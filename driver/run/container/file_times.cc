#include "run/container/file_times.h"

#include <charconv>

#include "base/text/text.h"

namespace stagemake {
namespace {

constexpr std::string_view kAnswer = "stagemake-times ";
constexpr int kLacksProgram = 44;

// From the youngest second down: the files of each second move to the second before that of the next younger
// files, until a second need not change. Without perl, each changed second costs a `touch` of about 3 ms.
constexpr std::string_view kScript = R"sh(export LC_ALL=C
folder=/.stagemake/times
end() { rm -rf "$folder"; exit "$1"; }
need() {
  for program in "$@"; do
    command -v "$program" >/dev/null 2>&1 || { echo "there is no $program in it"; end 44; }
  done
}
[ -d "$root" ] || end 0
need find
rm -rf "$folder"
mkdir -p "$folder" || end 1
newline='
'
future() { find "$root" -xdev -newer "$folder/now" ! -type l ! -path "*$newline*" | head -n 1; }
: > "$folder/now" || end 1
if [ -z "$(future)" ]; then echo "stagemake-times 0 0 0"; end 0; fi
need stat sort
now=$(stat -c %Y "$folder/now") || end 1
find "$root" -xdev ! -type l ! -path "*$newline*" -exec stat -c '%Y %s %n' {} + > "$folder/all" || end 1
sort -k1,1rn "$folder/all" > "$folder/sorted" || end 1
if command -v perl >/dev/null 2>&1; then
  perl -e '
    my ($limit, $file) = @ARGV;
    my ($now, $last, $ahead, $files, $bytes) = ($limit, "", 0, 0, 0);
    open(my $sorted, "<", $file) or die "$file: $!\n";
    while (my $line = <$sorted>) {
      my ($time, $size, $path) = $line =~ /^(-?\d+) (\d+) (.*)\n/ or die "what is $line";
      if ($time ne $last) {
        $ahead = $time - $now if $last eq "";
        $last = $time;
        $limit = $time < $limit ? $time : $limit - 1;
        last if $limit == $time;
      }
      utime($limit, $limit, $path) or die "$path: $!\n";
      $files++;
      $bytes += $size;
    }
    print "stagemake-times $files $bytes $ahead\n";
  ' "$now" "$folder/sorted" 2>&1 || end 1
else
  need awk tr xargs touch
  awk -v now="$now" '
    BEGIN { limit = now; last = "" }
    {
      if ($1 != last) {
        if (command) { if (close(command)) { failed = 1; exit } command = "" }
        if (last == "") ahead = $1 - now
        last = $1
        limit = $1 < limit ? $1 : limit - 1
        if (limit == $1) exit
        command = sprintf("tr \"\\n\" \"\\0\" | xargs -0 touch -c -d @%d", limit)
      }
      files++
      bytes += $2
      print substr($0, length($1) + length($2) + 3) | command
    }
    END {
      if (command && close(command)) failed = 1
      if (failed) exit 1
      printf "stagemake-times %d %.0f %d\n", files, bytes, ahead
    }' "$folder/sorted" || end 1
fi
: > "$folder/now"
left=$(future)
[ -z "$left" ] || { echo "$left keeps a time in the future"; end 1; }
end 0
)sh";

template <typename Number>
bool parse(std::string_view word, Number& value) {
  auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return error == std::errc() && end == word.data() + word.size();
}

}  // namespace

std::string present_times_script(const std::string& root) {
  return "root=" + shell_quoted(root) + "\n" + std::string(kScript);
}

std::optional<TimesBrought> times_brought(int exit_code, std::string_view output, std::string& why) {
  std::string last;
  TimesBrought brought;
  for (std::string_view line : lines(output)) {
    if (!trimmed(line).empty()) last = trimmed(line);
    std::vector<std::string_view> parts = words(line);
    if (!line.starts_with(kAnswer) || parts.size() != 4) continue;
    if (!parse(parts[1], brought.files) || !parse(parts[2], brought.bytes) || !parse(parts[3], brought.ahead))
      brought = {};
  }
  if (exit_code == 0) return brought;
  why = exit_code == kLacksProgram ? last : "its file times could not be changed: " + printable(last);
  return std::nullopt;
}

}  // namespace stagemake
