#include "adapters/speech/silero.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/speech/lanes.h"
#include "core/base/check.h"

namespace hansard::speech {
namespace {

// The spectrum: four frames of 256 samples, 128 apart, over the 64 samples before the window, the window, and its last 64
// mirrored behind it.
constexpr std::size_t kMargin = 64;
constexpr std::size_t kFrame = 256;
constexpr std::size_t kHop = 128;
constexpr std::size_t kFrames = 4;
constexpr std::size_t kBins = kFrame / 2 + 1;
// Channels behind the layers, taps of each convolution, gates of the recurrent layer.
constexpr std::size_t kWide = 128;
constexpr std::size_t kNarrow = 64;
constexpr std::size_t kTaps = 3;
constexpr std::size_t kGates = 4 * kWide;
// Speech begins with two windows above the threshold; it ends at the threshold less this.
constexpr float kHysteresis = 0.15F;

float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }
// Cheaper than the library's, which is exact near 0.
float squash(float x) { return 2 * sigmoid(2 * x) - 1; }

void relu(std::span<float> values) {
  for (float& v : values) v = std::max(v, 0.0F);
}

/// Protobuf, as far as it is needed: calls `field(number, bytes)` for each field of bytes of a message. False when it is damaged.
template <class Field>
bool read_message(std::string_view bytes, const Field& field) {
  const auto number = [&](std::uint64_t& value) {
    value = 0;
    for (unsigned shift = 0; !bytes.empty() && shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes.front());
      bytes.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  };
  while (!bytes.empty()) {
    std::uint64_t key = 0;
    std::uint64_t value = 0;
    if (!number(key)) return false;
    switch (key & 7) {
      case 0:
        if (!number(value)) return false;
        continue;
      case 1: value = 8; break;
      case 5: value = 4; break;
      case 2:
        if (!number(value)) return false;
        break;
      default: return false;
    }
    if (value > bytes.size()) return false;
    if ((key & 7) == 2 && !field(key >> 3, bytes.substr(0, value))) return false;
    bytes.remove_prefix(value);
  }
  return true;
}

/// The constants of an ONNX model by name. Silero's has two networks inside one branch each; this is the one for 16 kHz.
class Constants {
 public:
  explicit Constants(std::string_view model) {
    complete_ = read_message(model, [&](auto id, auto bytes) { return id != kModelGraph || read_graph(bytes, 0); });
  }

  /// Zeros, and complete() false from then on, unless there are exactly `count` values.
  std::vector<float> get(const std::string& name, std::size_t count) {
    std::vector<float> out(count);
    const auto it = found_.find("If_0_then_branch__Inline_0__" + name);
    if (it == found_.end() || it->second.size() != count * sizeof(float)) {
      complete_ = false;
    } else {
      std::memcpy(out.data(), it->second.data(), it->second.size());
    }
    return out;
  }
  bool complete() const { return complete_; }

 private:
  // Field numbers of onnx.proto.
  static constexpr std::uint64_t kModelGraph = 7;
  static constexpr std::uint64_t kGraphNode = 1;
  static constexpr std::uint64_t kNodeOutput = 2;
  static constexpr std::uint64_t kNodeAttribute = 5;
  static constexpr std::uint64_t kAttributeTensor = 5;
  static constexpr std::uint64_t kAttributeGraph = 6;
  static constexpr std::uint64_t kTensorRawData = 9;
  static constexpr int kDeepest = 8;

  bool read_graph(std::string_view graph, int depth) {
    return depth < kDeepest &&
           read_message(graph, [&](auto id, auto node) { return id != kGraphNode || read_node(node, depth); });
  }
  bool read_node(std::string_view node, int depth) {
    std::string output;
    return read_message(node, [&](auto id, auto bytes) {
      if (id == kNodeOutput) output = bytes;
      if (id != kNodeAttribute) return true;
      return read_message(bytes, [&](auto part, auto value) {
        if (part == kAttributeGraph) return read_graph(value, depth + 1);
        return part != kAttributeTensor || read_message(value, [&](auto of_tensor, auto raw) {
                 if (of_tensor == kTensorRawData) found_[output] = raw;
                 return true;
               });
      });
    });
  }

  std::map<std::string, std::string_view, std::less<>> found_;
  bool complete_ = false;
};

// A convolution over frames that lie one behind the other reads its taps' frames as one input.
void set_taps(Dense& layer, Constants& constants, const std::string& name, std::size_t out, std::size_t in, std::size_t first_tap,
              std::size_t taps) {
  const auto weights = constants.get(name + ".weight", out * in * kTaps);
  const auto bias = constants.get(name + ".bias", out);
  for (std::size_t o = 0; o < out; ++o) {
    for (std::size_t i = 0; i < in; ++i) {
      for (std::size_t t = 0; t < taps; ++t) layer.set(o, t * in + i, weights[(o * in + i) * kTaps + first_tap + t]);
    }
    layer.set_bias(o, bias[o]);
  }
}

}  // namespace

struct SileroWeights {
  // Real parts of the bins but the last; then imaginary parts, where the first bin, which has none, gives its place to the last
  // one's real part.
  Dense spectrum{kFrame, kFrame};
  Dense first{kTaps * kBins, kWide};
  Dense second{kTaps * kWide, kNarrow};
  Dense third{2 * kNarrow, kNarrow};  // of three taps one lies outside
  Dense fourth{kNarrow, kWide};       // ... and two here
  Dense recurrent{2 * kWide, kGates};
  std::array<float, kWide> last{};
  float last_bias = 0;
  float (*run)(const SileroWeights&, SileroNetwork::State&) = nullptr;  // for this processor
};

struct SileroNetwork::State {
  std::array<float, kMargin + kWindowSamples + kMargin> audio{};
  // Frame by frame, one of zeros before and behind where a convolution reaches out.
  std::array<float, kFrames * kFrame> spectrum{};
  std::array<float, (kFrames + 2) * kBins> bins{};
  std::array<float, (kFrames + 2) * kWide> first{};
  std::array<float, 2 * kNarrow> second{};
  std::array<float, kNarrow> third{};
  std::array<float, 2 * kWide> memory{};  // what the encoder says, then what was said last
  std::array<float, kGates> gates{};
  std::array<float, kWide> cell{};
};

namespace {

template <class L>
HANSARD_INLINE float run_network(const SileroWeights& w, SileroNetwork::State& s) {
  apply<L, kFrames>(w.spectrum, s.audio.data(), kHop, s.spectrum.data(), kFrame);
  for (std::size_t f = 0; f < kFrames; ++f) {
    const float* real = s.spectrum.data() + f * kFrame;
    const float* imaginary = real + kFrame / 2;
    float* bins = s.bins.data() + (f + 1) * kBins;
    for (std::size_t k = 0; k < kBins - 1; ++k) bins[k] = std::sqrt(real[k] * real[k] + imaginary[k] * imaginary[k]);
    bins[0] = std::abs(real[0]);
    bins[kBins - 1] = std::abs(imaginary[0]);
  }
  apply<L, kFrames>(w.first, s.bins.data(), kBins, s.first.data() + kWide, kWide);
  relu({s.first.data() + kWide, kFrames * kWide});
  apply<L, 2>(w.second, s.first.data(), 2 * kWide, s.second.data(), kNarrow);
  relu(s.second);
  apply<L, 1>(w.third, s.second.data(), 0, s.third.data(), 0);
  relu(s.third);
  apply<L, 1>(w.fourth, s.third.data(), 0, s.memory.data(), 0);
  relu({s.memory.data(), kWide});
  apply<L, 1>(w.recurrent, s.memory.data(), 0, s.gates.data(), 0);
  float sum = w.last_bias;
  for (std::size_t i = 0; i < kWide; ++i) {
    const float kept = sigmoid(s.gates[kWide + i]) * s.cell[i];
    s.cell[i] = kept + sigmoid(s.gates[i]) * squash(s.gates[2 * kWide + i]);
    const float said = sigmoid(s.gates[3 * kWide + i]) * squash(s.cell[i]);
    s.memory[kWide + i] = said;
    sum += w.last[i] * std::max(said, 0.0F);
  }
  return sigmoid(sum);
}

using Run = float (*)(const SileroWeights&, SileroNetwork::State&);

float run_plain(const SileroWeights& w, SileroNetwork::State& s) { return run_network<PlainLanes>(w, s); }
HANSARD_AVX2 float run_avx2(const SileroWeights& w, SileroNetwork::State& s) { return run_network<Avx2Lanes>(w, s); }
HANSARD_AVX512 float run_avx512(const SileroWeights& w, SileroNetwork::State& s) { return run_network<Avx512Lanes>(w, s); }

Run best_run() {
  switch (best_processor()) {
    case Processor::kAvx512: return run_avx512;
    case Processor::kAvx2: return run_avx2;
    case Processor::kPlain: break;
  }
  return run_plain;
}

class SileroDetector : public VoiceDetector {
 public:
  SileroDetector(std::shared_ptr<const SileroWeights> weights, float threshold)
      : network_(std::move(weights)), threshold_(threshold) {}

  bool speech(std::span<const float> window) override {
    const float probability = network_.push(window);
    if (speaking_) {
      speaking_ = probability > threshold_ - kHysteresis;
      above_ = speaking_;
    } else {
      speaking_ = above_ && probability > threshold_;
      above_ = probability > threshold_;
    }
    return speaking_;
  }

  void reset() override {
    network_.reset();
    above_ = speaking_ = false;
  }

 private:
  SileroNetwork network_;
  float threshold_;
  bool above_ = false;  // the window before was
  bool speaking_ = false;
};

}  // namespace

Result<std::shared_ptr<const SileroWeights>> load_silero(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(ErrorClass::kNotFound, "speech", "the voice activity model " + path + " is missing");
  const std::string model((std::istreambuf_iterator<char>(in)), {});
  Constants constants(model);
  auto w = std::make_shared<SileroWeights>();
  const auto spectrum = constants.get("stft.forward_basis_buffer", 2 * kBins * kFrame);
  for (std::size_t n = 0; n < kFrame; ++n) {
    for (std::size_t k = 0; k < kBins - 1; ++k) {
      const std::size_t imaginary = k == 0 ? kBins - 1 : kBins + k;
      w->spectrum.set(k, n, spectrum[k * kFrame + n]);
      w->spectrum.set(kFrame / 2 + k, n, spectrum[imaginary * kFrame + n]);
    }
  }
  set_taps(w->first, constants, "encoder.0.reparam_conv", kWide, kBins, 0, kTaps);
  set_taps(w->second, constants, "encoder.1.reparam_conv", kNarrow, kWide, 0, kTaps);
  set_taps(w->third, constants, "encoder.2.reparam_conv", kNarrow, kNarrow, 1, 2);
  set_taps(w->fourth, constants, "encoder.3.reparam_conv", kWide, kNarrow, 1, 1);
  const auto input = constants.get("decoder.rnn.weight_ih", kGates * kWide);
  const auto memory = constants.get("decoder.rnn.weight_hh", kGates * kWide);
  const auto input_bias = constants.get("decoder.rnn.bias_ih", kGates);
  const auto memory_bias = constants.get("decoder.rnn.bias_hh", kGates);
  for (std::size_t g = 0; g < kGates; ++g) {
    for (std::size_t i = 0; i < kWide; ++i) {
      w->recurrent.set(g, i, input[g * kWide + i]);
      w->recurrent.set(g, kWide + i, memory[g * kWide + i]);
    }
    w->recurrent.set_bias(g, input_bias[g] + memory_bias[g]);
  }
  const auto last = constants.get("decoder.decoder.2.weight", kWide);
  std::copy(last.begin(), last.end(), w->last.begin());
  w->last_bias = constants.get("decoder.decoder.2.bias", 1)[0];
  w->run = best_run();
  if (!constants.complete())
    return fail(ErrorClass::kInvalid, "speech", "the voice activity model " + path + " is damaged or another one");
  return w;
}

SileroNetwork::SileroNetwork(std::shared_ptr<const SileroWeights> weights)
    : weights_(std::move(weights)), state_(std::make_unique<State>()) {}
SileroNetwork::~SileroNetwork() = default;

float SileroNetwork::push(std::span<const float> window) {
  CHECK(window.size() == kWindowSamples);
  auto& audio = state_->audio;
  std::copy(window.begin(), window.end(), audio.begin() + kMargin);
  for (std::size_t i = 0; i < kMargin; ++i) audio[kMargin + kWindowSamples + i] = window[kWindowSamples - 2 - i];
  const float probability = weights_->run(*weights_, *state_);
  std::copy(window.end() - kMargin, window.end(), audio.begin());
  return probability;
}

void SileroNetwork::reset() { *state_ = State{}; }

VoiceDetectorFactory silero_detectors(std::shared_ptr<const SileroWeights> weights) {
  return [weights = std::move(weights)](float threshold) { return std::make_unique<SileroDetector>(weights, threshold); };
}

}  // namespace hansard::speech
