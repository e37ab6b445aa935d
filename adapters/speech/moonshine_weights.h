#pragma once
// The weights of Moonshine tiny's decoder and how they lie in memory.
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "adapters/speech/lanes.h"
#include "core/base/result.h"

namespace hansard::speech::moonshine {

constexpr std::size_t kWidth = 288;  // values that the encoder gives for a moment of audio
constexpr std::size_t kLayers = 6;
constexpr std::size_t kInner = 4 * kWidth;
constexpr std::size_t kVocabulary = 32'768;
constexpr std::size_t kBytes = 4;  // in a word of weights

/// A matrix of bytes: value = (byte - zero) * scale. Of each output the weights of four inputs lie in one word, kLanes outputs
/// beside each other.
struct Bytes {
  struct alignas(sizeof(Block)) Words {
    std::array<std::uint32_t, kLanes> values{};
  };
  std::size_t inputs = 0;
  std::size_t outputs = 0;
  float scale = 0;
  float zero = 0;
  std::vector<Words> words;
  std::vector<Block> bias;
};

using Vector = std::array<float, kWidth>;

struct Layer {
  Vector before_self{}, before_audio{}, before_inner{};  // norms
  Bytes self_query, self_key, self_value, self_out;
  Bytes audio_query, audio_out;
  std::vector<float> audio_key, audio_value;  // one output's weights after the other's
  Bytes inner, outer;
};

struct Weights {
  std::array<Layer, kLayers> layers;
  std::vector<std::uint8_t> words;  // their vectors
  float words_scale = 0;
  float words_zero = 0;
  Vector before_end{};
  Bytes end;
};

/// Reads decoder_model_merged.ort. Errors: kNotFound, kInvalid (not this network: another size or another model).
Result<std::unique_ptr<Weights>> load_weights(const std::string& path);

}  // namespace hansard::speech::moonshine
