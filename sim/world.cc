#include "sim/world.h"

#include <cstdio>

namespace hansard::sim {

void World::log(const std::string& line) {
  const std::string whole = format_rfc3339(now_) + " " + line + "\n";
  trace += whole;
  if (verbose) std::fputs(whole.c_str(), stdout);
}

}  // namespace hansard::sim
