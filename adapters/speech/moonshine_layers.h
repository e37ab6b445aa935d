#pragma once
// The steps of Moonshine's decoder, each taken for all beginnings of the text that are followed. For one .cc, which compiles them
// for each kind of processor.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <vector>

#include "adapters/speech/lanes.h"
#include "adapters/speech/moonshine_weights.h"

namespace hansard::speech::moonshine {

constexpr std::size_t kHeads = 8;
constexpr std::size_t kHead = kWidth / kHeads;
constexpr std::size_t kTurned = 32;  // of a head's values, those that are turned by their position
// The likeliest beginnings of the text that are followed at a time. With one alone a meeting's utterances have 8 % more errors;
// three bring no more than two.
constexpr std::size_t kBeginnings = 2;
// Attention walks over moments of audio, or words, in steps of so many.
constexpr std::size_t kStep = 2 * kLanes;

constexpr std::size_t rounded_up(std::size_t n) { return (n + kStep - 1) / kStep * kStep; }

/// What each of the beginnings that are followed has in one place: a step of the network is taken for all of them together.
template <class Value>
using Each = std::array<Value, kBeginnings>;

// Some blocks of outputs at once, so that each addition need not wait for the one before. A weight, once unpacked, serves all
// beginnings.
template <class L, std::size_t Together>
HANSARD_INLINE void multiply_blocks(const Bytes& m, const Each<const float*>& in, const Each<float>& shift, std::size_t block,
                                    const Each<float*>& out) {
  L sum[Together][kBeginnings];
  for (std::size_t b = 0; b < Together; ++b) {
    for (std::size_t e = 0; e < kBeginnings; ++e) sum[b][e].clear();
  }
  const std::size_t rows = m.inputs / kBytes;
  const Bytes::Words* words = m.words.data() + block * rows;
  for (std::size_t row = 0; row < rows; ++row) {
#pragma GCC unroll 8
    for (std::size_t b = 0; b < Together; ++b) {
#pragma GCC unroll 4
      for (std::size_t i = 0; i < kBytes; ++i) {
        L weight;
        weight.unpack(words[b * rows + row].values.data(), i);
#pragma GCC unroll 2
        for (std::size_t e = 0; e < kBeginnings; ++e) sum[b][e].add_product(weight, in[e][row * kBytes + i]);
      }
    }
  }
  for (std::size_t b = 0; b < Together; ++b) {
    L bias;
    bias.load(&m.bias[block + b]);
    for (std::size_t e = 0; e < kBeginnings; ++e) {
      sum[b][e].subtract(shift[e]);
      sum[b][e].multiply(m.scale);
      sum[b][e].add(bias);
      sum[b][e].store(out[e] + (block + b) * kLanes);
    }
  }
}

template <class L>
HANSARD_INLINE void multiply(const Bytes& m, const Each<const float*>& in, const Each<float*>& out) {
  Each<float> shift{};
  for (std::size_t e = 0; e < kBeginnings; ++e) {
    for (std::size_t i = 0; i < m.inputs; ++i) shift[e] += in[e][i];
    shift[e] *= m.zero;
  }
  const std::size_t blocks = m.outputs / kLanes;
  std::size_t block = 0;
  // As many as there are registers for.
  if constexpr (L::kParts == 1) {
    for (; block + 6 <= blocks; block += 6) multiply_blocks<L, 6>(m, in, shift, block, out);
  }
  for (; block < blocks; block += 2) multiply_blocks<L, 2>(m, in, shift, block, out);
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

template <class L>
HANSARD_INLINE void multiply(const Bytes& m, const Each<Vector>& in, Each<Vector>& out) {
  Each<const float*> from;
  Each<float*> to;
  for (std::size_t e = 0; e < kBeginnings; ++e) {
    from[e] = in[e].data();
    to[e] = out[e].data();
  }
  multiply<L>(m, from, to);
}

// `weights` becomes the softmax over the first `count` moments; behind them it is 0.
template <class L>
HANSARD_INLINE void soften(std::vector<Block>& weights, std::size_t count) {
  float* flat = weights.data()->values.data();
  const std::size_t blocks = rounded_up(count) / kLanes;
  float most = flat[0];
  for (std::size_t t = 1; t < count; ++t) most = std::max(most, flat[t]);
  for (std::size_t t = count; t < blocks * kLanes; ++t) flat[t] = most - 1000;
  L sum;
  sum.clear();
  for (std::size_t b = 0; b < blocks; ++b) {
    L w;
    w.load(&weights[b]);
    w.subtract(most);
    w.exponentiate();
    sum.add(w);
    w.store(&weights[b]);
  }
  for (std::size_t t = count; t < blocks * kLanes; ++t) flat[t] = 0;
  const float share = 1 / sum.total();
  for (std::size_t t = 0; t < count; ++t) flat[t] *= share;
}

// out = what the memory holds of the first `count` moments, each head's by its own attention.
template <class L>
HANSARD_INLINE void attend(const Memory& memory, std::size_t count, const Vector& query, std::vector<Block>& weights,
                           Vector& out) {
  const float scale = 1 / std::sqrt(static_cast<float>(kHead));
  const std::size_t row = memory.room / kLanes;
  const std::size_t blocks = rounded_up(count) / kLanes;
  L one;
  for (std::size_t h = 0; h < kHeads; ++h) {
    const Block* keys = memory.keys.data() + h * kHead * row;
    for (std::size_t b = 0; b < blocks; b += 2) {
      L first;
      L second;
      first.clear();
      second.clear();
      for (std::size_t d = 0; d < kHead; ++d) {
        const float q = query[h * kHead + d] * scale;
        one.load(&keys[d * row + b]);
        first.add_product(one, q);
        one.load(&keys[d * row + b + 1]);
        second.add_product(one, q);
      }
      first.store(&weights[b]);
      second.store(&weights[b + 1]);
    }
    soften<L>(weights, count);
    const Block* values = memory.values.data() + h * kHead * row;
    constexpr std::size_t kTogether = L::kParts == 1 ? 6 : 3;
    for (std::size_t d = 0; d < kHead; d += kTogether) {
      L sum[kTogether];
      for (std::size_t i = 0; i < kTogether; ++i) sum[i].clear();
      for (std::size_t b = 0; b < blocks; ++b) {
        L weight;
        weight.load(&weights[b]);
#pragma GCC unroll 6
        for (std::size_t i = 0; i < kTogether; ++i) {
          one.load(&values[(d + i) * row + b]);
          sum[i].add_product(one, weight);
        }
      }
      for (std::size_t i = 0; i < kTogether; ++i) out[h * kHead + d + i] = sum[i].total();
    }
  }
}

inline void normalize(const Vector& in, const Vector& weights, Vector& out) {
  double mean = 0;
  double square = 0;
  for (const float v : in) mean += static_cast<double>(v);
  mean /= kWidth;
  for (const float v : in) square += (static_cast<double>(v) - mean) * (static_cast<double>(v) - mean);
  const auto factor = static_cast<float>(1 / std::sqrt(square / kWidth + 1e-5));
  for (std::size_t i = 0; i < kWidth; ++i) out[i] = (in[i] - static_cast<float>(mean)) * factor * weights[i];
}

// Turns pairs of a head's values by the position, each pair more slowly than the one before.
inline void turn(Vector& v, std::size_t position) {
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

inline void add(Vector& to, const Vector& more) {
  for (std::size_t i = 0; i < kWidth; ++i) to[i] += more[i];
}

// The gated unit: the first half, weighed by the second.
template <class L>
HANSARD_INLINE void gate(Block* inner) {
  L value;
  L by;
  for (std::size_t b = 0; b < kInner / kLanes; ++b) {
    value.load(&inner[b]);
    by.load(&inner[kInner / kLanes + b]);
    value.gate(by);
    value.store(&inner[b]);
  }
}

}  // namespace hansard::speech::moonshine
