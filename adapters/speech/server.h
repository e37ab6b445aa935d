#pragma once
// The speech process around the engine: reads the socketpair on one thread, recognizes on another.
#include <string>

#include "adapters/speech/engine.h"

namespace hansard::speech {

/// Says `ready` and serves the descriptor until the peer closes it. Returns the exit code: 0, or 1 when the peer does not
/// keep to the protocol (one line on standard error says how).
int serve(int fd, const std::string& model_name, Recognizer& recognizer, VoiceDetectorFactory detectors);

}  // namespace hansard::speech
