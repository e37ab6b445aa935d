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

/// A piece of at most a second. Without samples: it is damaged, and this is the time that it took.
struct SpooledPiece {
  MediaTime start;
  MediaTime end;
  std::span<const std::int16_t> samples;
};

class AudioSpool {
 public:
  virtual ~AudioSpool() = default;
  /// Appends audio of a participant at `start` (not before the end of what is there). Errors: kExhausted (disk full).
  virtual Result<void> append(const std::string& meeting, const std::string& participant, MediaTime start,
                              std::span<const std::int16_t> samples) = 0;
  /// Calls `take` with the pieces in order, from the one that contains `from` on; stops when it returns false. What stands
  /// behind a damaged piece follows it. Errors: kUnavailable (the disk does not give it now; what was taken before counts).
  virtual Result<void> read(const std::string& meeting, const std::string& participant, MediaTime from,
                            const std::function<bool(const SpooledPiece&)>& take) = 0;
  /// Those that can be read. Errors: kUnavailable (the disk does not say what there is).
  virtual Result<std::vector<SpooledTrack>> tracks(const std::string& meeting) = 0;
  virtual Result<void> remove(const std::string& meeting) = 0;
};

}  // namespace hansard
