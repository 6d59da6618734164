#include "cli/run.h"

int main(int argc, char** argv) {
  return stagemake::run(argc, argv);
}
