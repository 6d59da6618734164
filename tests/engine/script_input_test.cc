#include "engine/script_input.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

namespace stagemake {
namespace {

// What the shell has to print first.
std::string greeting_of(const ScriptInput& input) {
  std::string line(200, '\0');
  ssize_t n = ::read(input.descriptor(), line.data(), line.size());
  line.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
  std::size_t begin = line.find('\'') + 1;
  return line.substr(begin, line.find('\'', begin) - begin);
}

TEST(ScriptInput, HearsTheGreetingInPiecesAndOnce) {
  ScriptInput input("true");
  std::string greeting = greeting_of(input);
  ASSERT_GT(greeting.size(), 4u);
  EXPECT_FALSE(input.hear("warning: x\n" + greeting.substr(0, 3)));
  EXPECT_FALSE(input.hear(greeting.substr(3, 1)));
  EXPECT_TRUE(input.hear(greeting.substr(4) + "\n"));
  EXPECT_FALSE(input.hear(greeting));
}

// The shell comes from an image that a stranger made. A former version kept all output and searched it again
// for each piece.
TEST(ScriptInput, HearsItAfterAnEndlessLine) {
  ScriptInput input("true");
  std::string greeting = greeting_of(input), piece(1u << 16, 'x');
  for (int i = 0; i < 960; ++i) ASSERT_FALSE(input.hear(piece));  // 60 MB
  EXPECT_FALSE(input.hear(greeting.substr(0, 2)));
  EXPECT_TRUE(input.hear(greeting.substr(2)));
}

}  // namespace
}  // namespace stagemake
