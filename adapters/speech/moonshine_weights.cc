#include "adapters/speech/moonshine_weights.h"

#include <cstring>
#include <string_view>

#include "adapters/speech/ort_file.h"

namespace hansard::speech::moonshine {
namespace {

/// Takes the weights out of the file and remembers whether all were there.
class Loader {
 public:
  explicit Loader(const OrtFile& file) : file_(file) {}
  bool complete() const { return complete_; }

  template <std::size_t N>
  void floats(const std::string& name, std::array<float, N>& out) {
    if (const std::string_view data = constant(name + kMerged, kFloat, N * sizeof(float)); !data.empty())
      std::memcpy(out.data(), data.data(), data.size());
  }

  /// The bytes of a product's right side, [inputs][outputs].
  Bytes bytes(const std::string& node, std::size_t inputs, std::size_t outputs, const std::string& bias = {}) {
    Bytes m;
    m.inputs = inputs;
    m.outputs = outputs;
    m.words.resize(inputs / kBytes * outputs / kLanes);
    m.bias.resize(outputs / kLanes);
    const std::string_view data = right_side(node, inputs * outputs, m.scale, m.zero);
    if (data.empty()) return m;
    for (std::size_t i = 0; i < inputs; ++i) {
      for (std::size_t o = 0; o < outputs; ++o) {
        std::uint32_t& word = m.words[o / kLanes * (inputs / kBytes) + i / kBytes].values[o % kLanes];
        word |= std::uint32_t{static_cast<std::uint8_t>(data[i * outputs + o])} << (8 * (i % kBytes));
      }
    }
    if (bias.empty()) return m;
    if (const std::string_view b = constant(bias + kMerged, kFloat, outputs * sizeof(float)); !b.empty())
      std::memcpy(m.bias.data()->values.data(), b.data(), b.size());
    return m;
  }

  /// The same as floats, one output's weights after the other's.
  std::vector<float> columns(const std::string& node) {
    float scale = 0;
    float zero = 0;
    std::vector<float> out(kWidth * kWidth);
    const std::string_view data = right_side(node, kWidth * kWidth, scale, zero);
    for (std::size_t n = 0; n < data.size(); ++n)
      out[n % kWidth * kWidth + n / kWidth] = (static_cast<float>(static_cast<std::uint8_t>(data[n])) - zero) * scale;
    return out;
  }

  void vocabulary(Weights& w) {
    const std::string name = std::string("model.decoder.embed_tokens.weight") + kMerged;
    const std::string_view data = quantized(name, kVocabulary * kWidth, w.words_scale, w.words_zero);
    w.words.assign(data.begin(), data.end());
  }

 private:
  static constexpr const char* kMerged = "_merged_0";
  static constexpr std::int32_t kFloat = 1;
  static constexpr std::int32_t kByte = 2;

  std::string_view constant(const std::string& name, std::int32_t type, std::size_t size) {
    const OrtFile::Tensor* tensor = file_.constant(name);
    if (tensor != nullptr && tensor->type == type && tensor->data.size() == size) return tensor->data;
    complete_ = false;
    return {};
  }
  std::string_view quantized(const std::string& name, std::size_t size, float& scale, float& zero) {
    const std::string_view s = constant(name + "_scale", kFloat, sizeof scale);
    const std::string_view z = constant(name + "_zero_point", kByte, 1);
    if (s.empty() || z.empty()) return {};
    std::memcpy(&scale, s.data(), sizeof scale);
    zero = static_cast<float>(static_cast<std::uint8_t>(z.front()));
    return constant(name + "_quantized", kByte, size);
  }
  std::string_view right_side(const std::string& node, std::size_t size, float& scale, float& zero) {
    constexpr std::string_view kEnding = "_quantized";
    const auto& inputs = file_.inputs(node + "/MatMul_quant");
    if (inputs.size() < 2 || !inputs[1].ends_with(kEnding)) {
      complete_ = false;
      return {};
    }
    return quantized(inputs[1].substr(0, inputs[1].size() - kEnding.size()), size, scale, zero);
  }

  const OrtFile& file_;
  bool complete_ = true;
};

void load_layer(Loader& loader, std::size_t number, Layer& layer) {
  const std::string name = "layers." + std::to_string(number);
  const std::string node = "/model/decoder/" + name;
  const std::string weights = "model.decoder." + name;
  loader.floats(weights + ".input_layernorm.weight", layer.before_self);
  loader.floats(weights + ".post_attention_layernorm.weight", layer.before_audio);
  loader.floats(weights + ".final_layernorm.weight", layer.before_inner);
  layer.self_query = loader.bytes(node + "/self_attn/q_proj", kWidth, kWidth);
  layer.self_key = loader.bytes(node + "/self_attn/k_proj", kWidth, kWidth);
  layer.self_value = loader.bytes(node + "/self_attn/v_proj", kWidth, kWidth);
  layer.self_out = loader.bytes(node + "/self_attn/o_proj", kWidth, kWidth);
  layer.audio_query = loader.bytes(node + "/encoder_attn/q_proj", kWidth, kWidth);
  layer.audio_key = loader.columns(node + "/encoder_attn/k_proj");
  layer.audio_value = loader.columns(node + "/encoder_attn/v_proj");
  layer.audio_out = loader.bytes(node + "/encoder_attn/o_proj", kWidth, kWidth);
  layer.inner = loader.bytes(node + "/mlp/fc1", kWidth, 2 * kInner, weights + ".mlp.fc1.bias");
  layer.outer = loader.bytes(node + "/mlp/fc2", kInner, kWidth, weights + ".mlp.fc2.bias");
}

}  // namespace

Result<std::unique_ptr<Weights>> load_weights(const std::string& path) {
  auto file = OrtFile::read(path);
  if (!file) return pass(file);
  auto w = std::make_unique<Weights>();
  Loader loader(*file);
  for (std::size_t l = 0; l < kLayers; ++l) load_layer(loader, l, w->layers[l]);
  loader.vocabulary(*w);
  loader.floats("model.decoder.norm.weight", w->before_end);
  w->end = loader.bytes("/proj_out", kWidth, kVocabulary);
  // A bigger model of the family has more layers; its first ones have other sizes too.
  const bool more = !file->inputs("/model/decoder/layers." + std::to_string(kLayers) + "/mlp/fc1/MatMul_quant").empty();
  if (!loader.complete() || more)
    return fail(ErrorClass::kInvalid, "speech", "the model file " + path + " is not the decoder of Moonshine tiny");
  return w;
}

}  // namespace hansard::speech::moonshine
