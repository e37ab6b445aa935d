#pragma once
// Speech to text for many tracks at once.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/base/time.h"
#include "core/transcript/utterance.h"

namespace hansard {

/// Called on the host's thread.
class SpeechListener {
 public:
  virtual ~SpeechListener() = default;
  virtual void on_partial(std::uint32_t track, MediaTime start, MediaTime end, const std::string& text) = 0;
  virtual void on_final(std::uint32_t track, MediaTime start, MediaTime end, const std::string& text,
                        const std::vector<Word>& words) = 0;
  /// Silent or unrecognized. With finals these follow each other without holes from the track's start on.
  virtual void on_heard(std::uint32_t track, MediaTime start, MediaTime end, Coverage state, const std::string& reason) = 0;
  virtual void on_flushed(std::uint32_t track) = 0;
  /// All open tracks are gone with the recognizer's process; open them again from their cursors.
  virtual void on_recognizer_lost() = 0;
  /// A recognizer works now (again).
  virtual void on_recognizer_ready(const std::string& model) = 0;
  /// There is none; `detail` says what to do.
  virtual void on_recognizer_unavailable(const std::string& detail) = 0;
};

class SpeechRecognizer {
 public:
  virtual ~SpeechRecognizer() = default;
  virtual void listen(SpeechListener* listener) = 0;
  virtual bool ready() const = 0;
  /// A new track whose first sample is at `start`. Returns its number, never used twice.
  virtual std::uint32_t open(const std::string& language, MediaTime start) = 0;
  /// Contiguous audio. Returns false when the recognizer cannot take more now: feed again on the next call of the
  /// host (the audio is not taken).
  virtual bool feed(std::uint32_t track, MediaTime start, std::span<const std::int16_t> samples) = 0;
  virtual void gap(std::uint32_t track, MediaTime start, MediaTime end) = 0;
  /// No more audio: on_flushed follows the last result.
  virtual void flush(std::uint32_t track) = 0;
  virtual void drop(std::uint32_t track) = 0;
};

}  // namespace hansard
