#pragma once
// The modules that child processes load: libhansard_media.so (GStreamer) and libhansard_speech.so (sherpa-onnx).
#include <span>
#include <string>

namespace hansard::cli {

/// Path of the module, empty when it is nowhere.
std::string find_module(const std::string& name);
/// Loads it into this process and runs its main with `args`. The exit code.
int run_module(const std::string& name, std::span<const std::string> args);

}  // namespace hansard::cli
