#pragma once
#include <span>
#include <string>

namespace hansard {

/// hansard transcribe AUDIO... Returns the exit code: 0, 1 when a file failed, 2 for wrong use.
int cmd_transcribe(std::span<const std::string> args);

}  // namespace hansard
