#pragma once
// The voices of the demo: a recorded conversation cut by speaker, and a script read by synthetic voices.
#include <cstdint>
#include <string>
#include <vector>

#include "core/analysis/script_score.h"
#include "core/base/result.h"

namespace hansard::cli {

constexpr int kDemoRate = 16'000;

struct DemoTrack {
  std::string speaker;
  std::string file;  ///< WAV, mono, 16 kHz
};

struct DemoMeetingAudio {
  std::vector<DemoTrack> tracks;
  std::int64_t length_ms = 0;
};

/// Samples of a 16-bit mono WAV file at 16 kHz. Errors: kNotFound, kInvalid.
Result<std::vector<std::int16_t>> read_wav(const std::string& path);
Result<void> write_wav(const std::string& path, const std::vector<std::int16_t>& samples);

/// One line of an .stm file.
struct StmSegment {
  std::string speaker;
  double start = 0;  ///< seconds
  double end = 0;
  std::string text;
};
/// Errors: kInvalid.
Result<std::vector<StmSegment>> read_stm(const std::string& text);

/// For each speaker the conversation with all others' parts silenced.
std::vector<std::vector<std::int16_t>> cut_by_speaker(const std::vector<std::int16_t>& audio,
                                                      const std::vector<StmSegment>& segments,
                                                      const std::vector<std::string>& speakers);

/// Writes the tracks of SAMPLES/sample.{wav,stm} to `dir`. Errors say how to get the samples.
Result<DemoMeetingAudio> make_recorded_meeting(const std::string& samples, const std::string& dir);
/// Has flite read the script, one track a speaker, and writes the tracks to `dir`. Errors say how to get flite.
Result<DemoMeetingAudio> make_spoken_meeting(const MeetingScript& script, const std::string& dir);

}  // namespace hansard::cli
