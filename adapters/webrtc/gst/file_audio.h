#pragma once
// Decodes the audio of any audio or video file by GStreamer, as fast as it is read.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/base/time.h"

namespace hansard::webrtc {

class FileAudio {
 public:
  /// Opens a file and decodes to mono s16 at `rate`. Waits until the first audio is there. Errors: kNotFound (no such
  /// file), kInvalid (not audio, no audio track), each with one sentence that names the file as given.
  static Result<std::unique_ptr<FileAudio>> open(const std::string& path, int rate);
  virtual ~FileAudio() = default;

  /// The next samples, at least one while there are any; empty at the end. Waits for the decoder. Errors: kInvalid when
  /// the file turns out to be damaged (what came before is good).
  virtual Result<std::vector<std::int16_t>> read() = 0;
  /// What the file says about its length; 0 when it does not know.
  virtual Duration duration() const = 0;
};

}  // namespace hansard::webrtc
