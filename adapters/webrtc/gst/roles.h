#pragma once
#include <string>
#include <vector>

namespace hansard::webrtc {

/// The role `publish`: a participant who speaks an audio file. Returns the exit code.
int run_publish(const std::vector<std::string>& args);
/// The role `decode`: the audio of files as frames on a descriptor.
int run_decode(const std::vector<std::string>& args);
/// The role `capture`: one meeting, commanded over a descriptor.
int run_capture(const std::vector<std::string>& args);

}  // namespace hansard::webrtc
