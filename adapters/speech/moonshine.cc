#include "adapters/speech/moonshine.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "adapters/speech/lanes.h"
#include "adapters/speech/moonshine_layers.h"
#include "adapters/speech/moonshine_weights.h"
#include "core/base/check.h"

namespace hansard::speech {
namespace {

using namespace moonshine;

constexpr std::size_t kMostTokens = 192;  // the model was trained on no more
constexpr std::int32_t kBegin = 1;
constexpr std::int32_t kEnd = 2;

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
template <class L>
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
      apply<L, 4>(audio, w.layers[l].audio_key.data() + o * kWidth, kWidth, s.audio[l].key(o), room);
      apply<L, 4>(audio, w.layers[l].audio_value.data() + o * kWidth, kWidth, s.audio[l].value(o), room);
    }
    for (auto& said : s.said) said[l].resize(kMostTokens);
  }
}

// The highest scores, each then put out of the way of the next.
template <class L>
HANSARD_INLINE void likeliest(Block* scores, Next& next) {
  constexpr std::size_t kBlocks = kVocabulary / kLanes;
  float* flat = scores->values.data();
  float shift = 0;
  L one;
  for (std::size_t n = 0; n < next.tokens.size(); ++n) {
    L most;
    most.load(scores);
    for (std::size_t b = 1; b < kBlocks; ++b) {
      one.load(&scores[b]);
      most.raise_to(one);
    }
    const float best = most.most();
    if (n == 0) {
      L sum;
      sum.clear();
      for (std::size_t b = 0; b < kBlocks; ++b) {
        one.load(&scores[b]);
        one.subtract(best);
        one.exponentiate();
        sum.add(one);
      }
      shift = best + std::log(sum.total());
    }
    const auto token = std::find(flat, flat + kVocabulary, best) - flat;
    // Where scores are no numbers, as a damaged file's are, nothing equals the best one.
    const bool found = token < static_cast<std::ptrdiff_t>(kVocabulary);
    next.tokens[n] = found ? static_cast<std::int32_t>(token) : kEnd;
    next.log_probabilities[n] = best - shift;
    if (found) flat[token] = -std::numeric_limits<float>::infinity();
  }
}

// What may come after each beginning's last token, which stands at `position`.
template <class L>
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
    multiply<L>(layer.self_query, in, query);
    multiply<L>(layer.self_key, in, key);
    multiply<L>(layer.self_value, in, value);
    for (std::size_t e = 0; e < kBeginnings; ++e) {
      turn(query[e], position);
      turn(key[e], position);
      Memory& said = s.said[e][l];
      for (std::size_t i = 0; i < kWidth; ++i) {
        said.key(i)[position] = key[e][i];
        said.value(i)[position] = value[e][i];
      }
      attend<L>(said, position + 1, query[e], s.weights, value[e]);
    }
    multiply<L>(layer.self_out, value, in);
    for (std::size_t e = 0; e < kBeginnings; ++e) {
      add(x[e], in[e]);
      normalize(x[e], layer.before_audio, in[e]);
    }
    multiply<L>(layer.audio_query, in, query);
    for (std::size_t e = 0; e < kBeginnings; ++e) attend<L>(s.audio[l], s.moments, query[e], s.weights, value[e]);
    multiply<L>(layer.audio_out, value, in);
    for (std::size_t e = 0; e < kBeginnings; ++e) {
      add(x[e], in[e]);
      normalize(x[e], layer.before_inner, in[e]);
    }
    multiply<L>(layer.inner, {in[0].data(), in[1].data()}, inner);
    for (std::size_t e = 0; e < kBeginnings; ++e) gate<L>(s.inner.data() + e * 2 * kInner / kLanes);
    multiply<L>(layer.outer, gated, out);
    for (std::size_t e = 0; e < kBeginnings; ++e) add(x[e], in[e]);
  }
  for (std::size_t e = 0; e < kBeginnings; ++e) normalize(x[e], w.before_end, in[e]);
  multiply<L>(w.end, {in[0].data(), in[1].data()}, scores);
  for (std::size_t e = 0; e < kBeginnings; ++e) likeliest<L>(s.scores.data() + e * kVocabulary / kLanes, s.next[e]);
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

void listen_plain(const Weights& w, State& s, std::span<const float> e) { listen<PlainLanes>(w, s, e); }
HANSARD_AVX2 void listen_avx2(const Weights& w, State& s, std::span<const float> e) { listen<Avx2Lanes>(w, s, e); }
HANSARD_AVX512 void listen_avx512(const Weights& w, State& s, std::span<const float> e) { listen<Avx512Lanes>(w, s, e); }
void speak_plain(const Weights& w, State& s, const Each<std::int32_t>& t, std::size_t p) { speak<PlainLanes>(w, s, t, p); }
HANSARD_AVX2 void speak_avx2(const Weights& w, State& s, const Each<std::int32_t>& t, std::size_t p) {
  speak<Avx2Lanes>(w, s, t, p);
}
HANSARD_AVX512 void speak_avx512(const Weights& w, State& s, const Each<std::int32_t>& t, std::size_t p) {
  speak<Avx512Lanes>(w, s, t, p);
}

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
