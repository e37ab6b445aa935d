#pragma once
// Silero voice activity detection (16 kHz) computed here, from its published weights. A general runtime spends four fifths of its
// time on this network's small nodes, and the detector hears every second of every track.
#include <memory>
#include <span>
#include <string>

#include "adapters/speech/recognizer.h"
#include "core/base/result.h"

namespace hansard::speech {

struct SileroWeights;

/// Reads silero_vad.onnx. Errors: kNotFound, kInvalid (not these weights).
Result<std::shared_ptr<const SileroWeights>> load_silero(const std::string& path);

/// The network with its memory of one stream.
class SileroNetwork {
 public:
  struct State;
  explicit SileroNetwork(std::shared_ptr<const SileroWeights> weights);
  ~SileroNetwork();
  SileroNetwork(const SileroNetwork&) = delete;
  SileroNetwork& operator=(const SileroNetwork&) = delete;

  /// The probability that somebody speaks in the next window (kWindowSamples samples).
  float push(std::span<const float> window);
  void reset();

 private:
  std::shared_ptr<const SileroWeights> weights_;
  std::unique_ptr<State> state_;
};

/// Detectors over one copy of the weights.
VoiceDetectorFactory silero_detectors(std::shared_ptr<const SileroWeights> weights);

}  // namespace hansard::speech
