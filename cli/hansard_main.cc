#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "cli/commands.h"

int main(int argc, char** argv) {
  // A reader that goes away (`hansard meetings list | head`) is told by the failing write.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    const std::vector<std::string> args(argv + 1, argv + argc);
    return hansard::cli::run(args);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "hansard: unexpected failure: %s\n", e.what());
    return 1;
  }
}
