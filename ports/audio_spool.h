#pragma once
// Captured audio on disk until it is recognized: what a recognizer that crashed, lags or is missing catches up from.
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/base/time.h"

namespace hansard {

struct SpooledTrack {
  std::string participant;
  MediaTime start;
  MediaTime end;
};

class AudioSpool {
 public:
  virtual ~AudioSpool() = default;
  /// Appends audio of a participant at `start` (not before the end of what is there). Errors: kExhausted (disk full).
  virtual Result<void> append(const std::string& meeting, const std::string& participant, MediaTime start,
                              std::span<const std::int16_t> samples) = 0;
  /// Calls `take` with pieces of at most a second in order, from the piece that contains `from` on; stops when it
  /// returns false. A piece that does not verify ends the track there.
  virtual Result<void> read(const std::string& meeting, const std::string& participant, MediaTime from,
                            const std::function<bool(MediaTime start, std::span<const std::int16_t> samples)>& take) = 0;
  virtual Result<std::vector<SpooledTrack>> tracks(const std::string& meeting) = 0;
  virtual Result<void> remove(const std::string& meeting) = 0;
};

}  // namespace hansard
