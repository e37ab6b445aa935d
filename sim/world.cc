#include "sim/world.h"

#include <cstdio>

namespace hansard::sim {

void World::show(const std::string& line) const {
  if (verbose) std::printf("%s %s\n", format_rfc3339(now_).c_str(), line.c_str());
}

void World::log(const std::string& line) {
  trace += format_rfc3339(now_) + " " + line + "\n";
  show(line);
}

}  // namespace hansard::sim
