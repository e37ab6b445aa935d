#pragma once
// The decoder of Moonshine tiny, the embedded model, computed here from its published weights. Word by word it does little
// arithmetic in nine hundred small steps, between which a general runtime spends most of its time. The weights are whole bytes;
// all that is computed from them is in floats, more exact than the runtime, which rounds what goes in to bytes too.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "adapters/speech/lanes.h"
#include "core/base/result.h"

namespace hansard::speech {

namespace moonshine {
struct Weights;
}

class MoonshineDecoder {
 public:
  /// Values that the encoder gives for a moment of audio (24 ms).
  static constexpr std::size_t kWidth = 288;

  /// Reads decoder_model_merged.ort. Errors: kNotFound, kInvalid (not this network: another size or another model).
  static Result<std::unique_ptr<MoonshineDecoder>> load(const std::string& path, Processor processor = best_processor());
  ~MoonshineDecoder();
  MoonshineDecoder(const MoonshineDecoder&) = delete;
  MoonshineDecoder& operator=(const MoonshineDecoder&) = delete;

  struct Decoded {
    std::vector<std::int32_t> tokens;  ///< without the utterance's begin and end
    double certainty = 0;              ///< mean logarithm of their probabilities, the end's with them
  };
  /// At most `longest` tokens. `encoded` is what the encoder gave, moment by moment.
  Decoded decode(std::span<const float> encoded, std::size_t longest);

  struct State;
  struct Next;

 private:
  MoonshineDecoder();
  std::unique_ptr<moonshine::Weights> weights_;
  std::unique_ptr<State> state_;  // its memory is used again
};

}  // namespace hansard::speech
