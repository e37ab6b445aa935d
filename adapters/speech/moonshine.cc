#include "adapters/speech/moonshine.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "adapters/speech/lanes.h"
#include "adapters/speech/moonshine_weights.h"
#include "core/base/check.h"

namespace hansard::speech {
namespace {

using namespace moonshine;

constexpr std::size_t kHeads = 8;
constexpr std::size_t kHead = kWidth / kHeads;
constexpr std::size_t kTurned = 32;       // of a head's values, those that are turned by their position
constexpr std::size_t kMostTokens = 192;  // the model was trained on no more
// The likeliest beginnings of the text that are followed at a time. With one alone a meeting's utterances have 8 % more errors;
// three bring no more than two.
constexpr std::size_t kBeginnings = 2;
constexpr std::int32_t kBegin = 1;
constexpr std::int32_t kEnd = 2;
// Attention walks over moments of audio, or words, in steps of so many.
constexpr std::size_t kStep = 2 * kLanes;

constexpr std::size_t rounded_up(std::size_t n) { return (n + kStep - 1) / kStep * kStep; }

/// What each of the beginnings that are followed has in one place: a step of the network is taken for all of them together.
template <class Value>
using Each = std::array<Value, kBeginnings>;

// Some blocks of outputs at once, so that each addition need not wait for the one before. A weight, once unpacked, serves all
// beginnings.
template <std::size_t Together>
HANSARD_INLINE void multiply_blocks(const Bytes& m, const Each<const float*>& in, const Each<float>& shift, std::size_t block,
                                    const Each<float*>& out) {
  using Unsigned = std::uint32_t __attribute__((vector_size(sizeof(IntLanes))));
  Lanes sum[Together][kBeginnings];
  for (std::size_t b = 0; b < Together; ++b) {
    for (std::size_t e = 0; e < kBeginnings; ++e) sum[b][e] = lanes(m.bias[block + b]) * 0;
  }
  const std::size_t rows = m.inputs / kBytes;
  const Bytes::Words* words = m.words.data() + block * rows;
  for (std::size_t row = 0; row < rows; ++row) {
#pragma GCC unroll 8
    for (std::size_t b = 0; b < Together; ++b) {
      Unsigned packed;
      std::memcpy(&packed, words[b * rows + row].values.data(), sizeof packed);
#pragma GCC unroll 4
      for (std::size_t i = 0; i < kBytes; ++i) {
        const auto one = (packed >> static_cast<std::uint32_t>(8 * i)) & 0xFF;
        IntLanes whole;
        std::memcpy(&whole, &one, sizeof whole);
        const Lanes weight = __builtin_convertvector(whole, Lanes);
#pragma GCC unroll 2
        for (std::size_t e = 0; e < kBeginnings; ++e) sum[b][e] += weight * in[e][row * kBytes + i];
      }
    }
  }
  for (std::size_t b = 0; b < Together; ++b) {
    for (std::size_t e = 0; e < kBeginnings; ++e) {
      const Lanes result = lanes(m.bias[block + b]) + (sum[b][e] - shift[e]) * m.scale;
      std::memcpy(out[e] + (block + b) * kLanes, &result, sizeof result);
    }
  }
}

HANSARD_INLINE void multiply(const Bytes& m, const Each<const float*>& in, const Each<float*>& out) {
  Each<float> shift{};
  for (std::size_t e = 0; e < kBeginnings; ++e) {
    for (std::size_t i = 0; i < m.inputs; ++i) shift[e] += in[e][i];
    shift[e] *= m.zero;
  }
  const std::size_t blocks = m.outputs / kLanes;
  std::size_t block = 0;
  for (; block + 6 <= blocks; block += 6) multiply_blocks<6>(m, in, shift, block, out);
  for (; block < blocks; block += 2) multiply_blocks<2>(m, in, shift, block, out);
}

/// Keys and values of one attention: [value of a head][moment], so that moments lie beside each other.
struct Memory {
  std::size_t room = 0;  // moments, a multiple of kStep
  std::vector<Block> keys;
  std::vector<Block> values;

  void resize(std::size_t moments) {
    room = rounded_up(moments);
    keys.assign(kWidth * room / kLanes, {});
    values.assign(kWidth * room / kLanes, {});
  }
  /// The first `moments` of another of the same size.
  void copy(const Memory& other, std::size_t moments) {
    for (std::size_t v = 0; v < kWidth; ++v) {
      std::memcpy(key(v), other.keys.data()->values.data() + v * room, moments * sizeof(float));
      std::memcpy(value(v), other.values.data()->values.data() + v * room, moments * sizeof(float));
    }
  }
  float* key(std::size_t value) { return keys.data()->values.data() + value * room; }
  float* value(std::size_t value) { return values.data()->values.data() + value * room; }
};

HANSARD_INLINE void multiply(const Bytes& m, const Each<Vector>& in, Each<Vector>& out) {
  Each<const float*> from;
  Each<float*> to;
  for (std::size_t e = 0; e < kBeginnings; ++e) {
    from[e] = in[e].data();
    to[e] = out[e].data();
  }
  multiply(m, from, to);
}

HANSARD_INLINE float total(const Lanes& lanes_of) {
  float sum = 0;
  for (std::size_t i = 0; i < kLanes; ++i) sum += lanes_of[i];
  return sum;
}

// `weights` becomes the softmax over the first `count` moments; behind them it is 0.
HANSARD_INLINE void soften(std::vector<Block>& weights, std::size_t count) {
  float* flat = weights.data()->values.data();
  float most = flat[0];
  for (std::size_t t = 1; t < count; ++t) most = std::max(most, flat[t]);
  const std::size_t blocks = rounded_up(count) / kLanes;
  for (std::size_t t = count; t < blocks * kLanes; ++t) flat[t] = most - 1000;
  Lanes sum = lanes(weights[0]) * 0;
  for (std::size_t b = 0; b < blocks; ++b) {
    Lanes& w = lanes(weights[b]);
    w -= most;
    exponentiate(w);
    sum += w;
  }
  for (std::size_t t = count; t < blocks * kLanes; ++t) flat[t] = 0;
  const float share = 1 / total(sum);
  for (std::size_t b = 0; b < blocks; ++b) lanes(weights[b]) *= share;
}

// out = what the memory holds of the first `count` moments, each head's by its own attention.
HANSARD_INLINE void attend(const Memory& memory, std::size_t count, const Vector& query, std::vector<Block>& weights,
                           Vector& out) {
  const float scale = 1 / std::sqrt(static_cast<float>(kHead));
  const std::size_t row = memory.room / kLanes;
  const std::size_t blocks = rounded_up(count) / kLanes;
  for (std::size_t h = 0; h < kHeads; ++h) {
    const Block* keys = memory.keys.data() + h * kHead * row;
    for (std::size_t b = 0; b < blocks; b += 2) {
      Lanes first = lanes(keys[b]) * 0;
      Lanes second = first;
      for (std::size_t d = 0; d < kHead; ++d) {
        const float q = query[h * kHead + d] * scale;
        first += lanes(keys[d * row + b]) * q;
        second += lanes(keys[d * row + b + 1]) * q;
      }
      lanes(weights[b]) = first;
      lanes(weights[b + 1]) = second;
    }
    soften(weights, count);
    const Block* values = memory.values.data() + h * kHead * row;
    constexpr std::size_t kTogether = 6;
    for (std::size_t d = 0; d < kHead; d += kTogether) {
      Lanes sum[kTogether];
      for (std::size_t i = 0; i < kTogether; ++i) sum[i] = lanes(weights[0]) * 0;
      for (std::size_t b = 0; b < blocks; ++b) {
#pragma GCC unroll 6
        for (std::size_t i = 0; i < kTogether; ++i) sum[i] += lanes(values[(d + i) * row + b]) * lanes(weights[b]);
      }
      for (std::size_t i = 0; i < kTogether; ++i) out[h * kHead + d + i] = total(sum[i]);
    }
  }
}

void normalize(const Vector& in, const Vector& weights, Vector& out) {
  double mean = 0;
  double square = 0;
  for (const float v : in) mean += static_cast<double>(v);
  mean /= kWidth;
  for (const float v : in) square += (static_cast<double>(v) - mean) * (static_cast<double>(v) - mean);
  const auto factor = static_cast<float>(1 / std::sqrt(square / kWidth + 1e-5));
  for (std::size_t i = 0; i < kWidth; ++i) out[i] = (in[i] - static_cast<float>(mean)) * factor * weights[i];
}

}  // namespace

/// What may come next after one beginning: the likeliest tokens with the logarithms of their probabilities. One more than
/// beginnings are followed, since one may be the end.
struct MoonshineDecoder::Next {
  std::array<std::int32_t, kBeginnings + 1> tokens{};
  std::array<float, kBeginnings + 1> log_probabilities{};
};

struct MoonshineDecoder::State {
  void (*listen)(const Weights&, State&, std::span<const float>) = nullptr;  // for this processor
  void (*speak)(const Weights&, State&, const std::array<std::int32_t, kBeginnings>&, std::size_t) = nullptr;
  std::size_t moments = 0;
  std::array<Memory, kLayers> audio;
  std::array<std::array<Memory, kLayers>, kBeginnings> said;  // by each beginning
  std::array<Next, kBeginnings> next;
  std::vector<Block> weights;
  std::vector<Block> inner = std::vector<Block>(kBeginnings * 2 * kInner / kLanes);
  std::vector<Block> scores = std::vector<Block>(kBeginnings * kVocabulary / kLanes);
};

namespace {

using State = MoonshineDecoder::State;
using Next = MoonshineDecoder::Next;

// The keys and values of the audio, for all words to come.
HANSARD_INLINE void listen(const Weights& w, State& s, std::span<const float> encoded) {
  s.moments = encoded.size() / kWidth;
  const std::size_t room = rounded_up(s.moments);
  s.weights.assign(std::max(room, rounded_up(kMostTokens)) / kLanes, {});
  Dense audio(kWidth, room);
  for (std::size_t t = 0; t < s.moments; ++t) {
    for (std::size_t i = 0; i < kWidth; ++i) audio.set(t, i, encoded[t * kWidth + i]);
  }
  for (std::size_t l = 0; l < kLayers; ++l) {
    s.audio[l].resize(s.moments);
    for (std::size_t o = 0; o < kWidth; o += 4) {
      apply<4>(audio, w.layers[l].audio_key.data() + o * kWidth, kWidth, s.audio[l].key(o), room);
      apply<4>(audio, w.layers[l].audio_value.data() + o * kWidth, kWidth, s.audio[l].value(o), room);
    }
    for (auto& said : s.said) said[l].resize(kMostTokens);
  }
}

// Turns pairs of a head's values by the position, each pair more slowly than the one before.
void turn(Vector& v, std::size_t position) {
  for (std::size_t i = 0; i < kTurned; i += 2) {
    const double angle = static_cast<double>(position) * std::pow(10'000.0, -static_cast<double>(i) / kTurned);
    const auto c = static_cast<float>(std::cos(angle));
    const auto sn = static_cast<float>(std::sin(angle));
    for (std::size_t h = 0; h < kHeads; ++h) {
      float* pair = v.data() + h * kHead + i;
      const float x = pair[0];
      const float y = pair[1];
      pair[0] = x * c - y * sn;
      pair[1] = y * c + x * sn;
    }
  }
}

void add(Vector& to, const Vector& more) {
  for (std::size_t i = 0; i < kWidth; ++i) to[i] += more[i];
}

// The highest scores, each then put out of the way of the next.
HANSARD_INLINE void likeliest(Block* scores, Next& next) {
  constexpr std::size_t kBlocks = kVocabulary / kLanes;
  float* flat = scores->values.data();
  float shift = 0;
  for (std::size_t n = 0; n < next.tokens.size(); ++n) {
    Lanes most = lanes(scores[0]);
    for (std::size_t b = 1; b < kBlocks; ++b) most = lanes(scores[b]) > most ? lanes(scores[b]) : most;
    float best = most[0];
    for (std::size_t i = 1; i < kLanes; ++i) best = std::max(best, most[i]);
    if (n == 0) {
      Lanes sum = most * 0;
      for (std::size_t b = 0; b < kBlocks; ++b) {
        Lanes share = lanes(scores[b]) - best;
        exponentiate(share);
        sum += share;
      }
      shift = best + std::log(total(sum));
    }
    const auto token = std::find(flat, flat + kVocabulary, best) - flat;
    // Where scores are no numbers, as a damaged file's are, nothing equals the best one.
    const bool found = token < static_cast<std::ptrdiff_t>(kVocabulary);
    next.tokens[n] = found ? static_cast<std::int32_t>(token) : kEnd;
    next.log_probabilities[n] = best - shift;
    if (found) flat[token] = -std::numeric_limits<float>::infinity();
  }
}

// The gated unit: the first half, weighed by the second.
HANSARD_INLINE void gate(Block* inner) {
  for (std::size_t b = 0; b < kInner / kLanes; ++b) {
    const Lanes by = lanes(inner[kInner / kLanes + b]);
    Lanes less = -by;
    exponentiate(less);
    lanes(inner[b]) *= by / (1 + less);
  }
}

// What may come after each beginning's last token, which stands at `position`.
HANSARD_INLINE void speak(const Weights& w, State& s, const Each<std::int32_t>& tokens, std::size_t position) {
  Each<Vector> x;
  Each<Vector> in;
  Each<Vector> query;
  Each<Vector> key;
  Each<Vector> value;
  Each<const float*> gated;
  Each<float*> inner;
  Each<float*> scores;
  Each<float*> out;
  for (std::size_t e = 0; e < kBeginnings; ++e) {
    const std::uint8_t* word = w.words.data() + static_cast<std::size_t>(tokens[e]) * kWidth;
    for (std::size_t i = 0; i < kWidth; ++i) x[e][i] = (static_cast<float>(word[i]) - w.words_zero) * w.words_scale;
    inner[e] = s.inner[e * 2 * kInner / kLanes].values.data();
    gated[e] = inner[e];
    scores[e] = s.scores[e * kVocabulary / kLanes].values.data();
    out[e] = in[e].data();
  }
  for (std::size_t l = 0; l < kLayers; ++l) {
    const Layer& layer = w.layers[l];
    for (std::size_t e = 0; e < kBeginnings; ++e) normalize(x[e], layer.before_self, in[e]);
    multiply(layer.self_query, in, query);
    multiply(layer.self_key, in, key);
    multiply(layer.self_value, in, value);
    for (std::size_t e = 0; e < kBeginnings; ++e) {
      turn(query[e], position);
      turn(key[e], position);
      Memory& said = s.said[e][l];
      for (std::size_t i = 0; i < kWidth; ++i) {
        said.key(i)[position] = key[e][i];
        said.value(i)[position] = value[e][i];
      }
      attend(said, position + 1, query[e], s.weights, value[e]);
    }
    multiply(layer.self_out, value, in);
    for (std::size_t e = 0; e < kBeginnings; ++e) {
      add(x[e], in[e]);
      normalize(x[e], layer.before_audio, in[e]);
    }
    multiply(layer.audio_query, in, query);
    for (std::size_t e = 0; e < kBeginnings; ++e) attend(s.audio[l], s.moments, query[e], s.weights, value[e]);
    multiply(layer.audio_out, value, in);
    for (std::size_t e = 0; e < kBeginnings; ++e) {
      add(x[e], in[e]);
      normalize(x[e], layer.before_inner, in[e]);
    }
    multiply(layer.inner, {in[0].data(), in[1].data()}, inner);
    for (std::size_t e = 0; e < kBeginnings; ++e) gate(s.inner.data() + e * 2 * kInner / kLanes);
    multiply(layer.outer, gated, out);
    for (std::size_t e = 0; e < kBeginnings; ++e) add(x[e], in[e]);
  }
  for (std::size_t e = 0; e < kBeginnings; ++e) normalize(x[e], w.before_end, in[e]);
  multiply(w.end, {in[0].data(), in[1].data()}, scores);
  for (std::size_t e = 0; e < kBeginnings; ++e) likeliest(s.scores.data() + e * kVocabulary / kLanes, s.next[e]);
}

/// A text that may go on.
struct Beginning {
  std::vector<std::int32_t> tokens;
  double sum = 0;  // of its tokens' logarithms of probability
};

// From what may follow each of the beginnings, the likeliest new ones. Texts that end before them are compared with `best`. False
// when nothing can follow.
bool follow(State& s, std::size_t step, Each<Beginning>& beginnings, MoonshineDecoder::Decoded& best) {
  struct Candidate {
    double sum;
    std::size_t from;
    std::int32_t token;
  };
  std::vector<Candidate> candidates;
  // At first there is one beginning, twice.
  for (std::size_t e = 0; e < (step == 0 ? 1 : kBeginnings); ++e) {
    for (std::size_t n = 0; n < s.next[e].tokens.size(); ++n) {
      const double sum = beginnings[e].sum + static_cast<double>(s.next[e].log_probabilities[n]);
      if (std::isfinite(sum)) candidates.push_back({sum, e, s.next[e].tokens[n]});
    }
  }
  std::stable_sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) { return a.sum > b.sum; });
  std::vector<Candidate> chosen;
  for (const Candidate& c : candidates) {
    if (chosen.size() == kBeginnings) break;
    if (c.token != kEnd) {
      chosen.push_back(c);
    } else if (const double certainty = c.sum / static_cast<double>(step + 1); certainty > best.certainty) {
      best = {beginnings[c.from].tokens, certainty};
    }
  }
  if (chosen.size() < kBeginnings) return false;
  // What both new ones have in common is copied; else each keeps its memory, or they change places.
  if (chosen[0].from == chosen[1].from) {
    const std::size_t from = chosen[0].from;
    for (std::size_t l = 0; l < kLayers; ++l) s.said[1 - from][l].copy(s.said[from][l], step + 1);
  } else if (chosen[0].from == 1) {
    std::swap(s.said[0], s.said[1]);
  }
  Each<Beginning> next;
  for (std::size_t e = 0; e < kBeginnings; ++e) {
    next[e] = {beginnings[chosen[e].from].tokens, chosen[e].sum};
    next[e].tokens.push_back(chosen[e].token);
  }
  beginnings = std::move(next);
  return true;
}

void listen_plain(const Weights& w, State& s, std::span<const float> e) { listen(w, s, e); }
HANSARD_AVX2 void listen_avx2(const Weights& w, State& s, std::span<const float> e) { listen(w, s, e); }
HANSARD_AVX512 void listen_avx512(const Weights& w, State& s, std::span<const float> e) { listen(w, s, e); }
void speak_plain(const Weights& w, State& s, const Each<std::int32_t>& t, std::size_t p) { speak(w, s, t, p); }
HANSARD_AVX2 void speak_avx2(const Weights& w, State& s, const Each<std::int32_t>& t, std::size_t p) { speak(w, s, t, p); }
HANSARD_AVX512 void speak_avx512(const Weights& w, State& s, const Each<std::int32_t>& t, std::size_t p) { speak(w, s, t, p); }

void choose(State& s, Processor processor) {
  switch (processor) {
    case Processor::kAvx512:
      s.listen = listen_avx512;
      s.speak = speak_avx512;
      break;
    case Processor::kAvx2:
      s.listen = listen_avx2;
      s.speak = speak_avx2;
      break;
    case Processor::kPlain:
      s.listen = listen_plain;
      s.speak = speak_plain;
      break;
  }
}

}  // namespace

MoonshineDecoder::MoonshineDecoder() : state_(std::make_unique<State>()) {}
MoonshineDecoder::~MoonshineDecoder() = default;

Result<std::unique_ptr<MoonshineDecoder>> MoonshineDecoder::load(const std::string& path, Processor processor) {
  auto weights = load_weights(path);
  if (!weights) return pass(weights);
  std::unique_ptr<MoonshineDecoder> out(new MoonshineDecoder);
  out->weights_ = std::move(*weights);
  choose(*out->state_, processor);
  return out;
}

MoonshineDecoder::Decoded MoonshineDecoder::decode(std::span<const float> encoded, std::size_t longest) {
  CHECK(encoded.size() % kWidth == 0);
  if (encoded.empty()) return {};
  state_->listen(*weights_, *state_, encoded);
  longest = std::min(longest, kMostTokens);
  std::array<Beginning, kBeginnings> beginnings;
  Decoded best{{}, -std::numeric_limits<double>::infinity()};
  for (std::size_t step = 0; step < longest; ++step) {
    Each<std::int32_t> last;
    for (std::size_t e = 0; e < kBeginnings; ++e) last[e] = step == 0 ? kBegin : beginnings[e].tokens.back();
    state_->speak(*weights_, *state_, last, step);
    if (!follow(*state_, step, beginnings, best)) return best;
    // No beginning can become likelier than it is, a word on average.
    if (best.certainty >= beginnings[0].sum / static_cast<double>(step + 2)) return best;
  }
  if (best.certainty == -std::numeric_limits<double>::infinity())
    best = {beginnings[0].tokens, beginnings[0].sum / static_cast<double>(std::max<std::size_t>(longest, 1))};
  return best;
}

}  // namespace hansard::speech
