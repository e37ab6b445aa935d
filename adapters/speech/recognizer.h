#pragma once
// What the speech process needs from a speech library: voice activity detection and recognition. Audio is mono at
// 16 kHz as floats in [-1, 1].
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hansard::speech {

/// Samples of one voice activity decision: 32 ms.
constexpr std::size_t kWindowSamples = 512;
constexpr int kSamplesPerMs = 16;
constexpr std::int64_t kSamplesPerSecond = 16'000;

class VoiceDetector {
 public:
  virtual ~VoiceDetector() = default;
  /// Takes the next window of the stream (kWindowSamples samples); true while somebody speaks.
  virtual bool speech(std::span<const float> window) = 0;
  /// Forgets what it has heard: the next window does not follow the one before.
  virtual void reset() = 0;
};

/// A fresh detector for one track, never null. `threshold` is the probability from which a window counts as speech.
using VoiceDetectorFactory = std::function<std::unique_ptr<VoiceDetector>(float threshold)>;

/// A word with times in seconds from the first sample given.
struct TimedWord {
  std::string text;
  double start_s = 0;
  double end_s = 0;
  std::optional<double> confidence;
};

struct Recognition {
  std::string text;
  std::vector<TimedWord> words;  ///< empty when the model gives no times
};

class Recognizer {
 public:
  virtual ~Recognizer() = default;
  /// `language` is a BCP 47 tag or empty (the model's own).
  virtual Recognition recognize(std::span<const float> audio, std::string_view language) = 0;
  /// False when the model is known not to do this language.
  virtual bool knows(std::string_view language) const = 0;
};

}  // namespace hansard::speech
