#pragma once
// hansard analyze [FILE|-]: action items, decisions and a summary of meetings in JSON Lines.
#include <span>
#include <string>

namespace hansard {

/// `args`: what follows "analyze". Writes to standard output; returns the exit code (0 ok, 1 failed, 2 wrong use).
int cmd_analyze(std::span<const std::string> args);

}  // namespace hansard
