#pragma once
// Matrix products for the networks that are computed here. Written with the compiler's vectors, without one processor's
// instructions: what uses it is compiled once for each kind of processor.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace hansard::speech {

constexpr std::size_t kLanes = 16;
// Where the processor's registers are shorter the compiler takes several.
using Lanes = float __attribute__((vector_size(kLanes * sizeof(float))));
using IntLanes = std::int32_t __attribute__((vector_size(kLanes * sizeof(std::int32_t))));

/// As they lie in memory: a container keeps the alignment of a structure, not that of a vector type.
struct alignas(sizeof(Lanes)) Block {
  std::array<float, kLanes> values{};
};

// Checked builds, which are not about speed, would take minutes to compile everything into one function for each processor.
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define HANSARD_FAST 1
#define HANSARD_INLINE __attribute__((always_inline)) inline
#else
#define HANSARD_FAST 0
#define HANSARD_INLINE inline
#endif

HANSARD_INLINE const Lanes& lanes(const Block& block) { return *reinterpret_cast<const Lanes*>(block.values.data()); }
HANSARD_INLINE Lanes& lanes(Block& block) { return *reinterpret_cast<Lanes*>(block.values.data()); }

/// What uses this is compiled for each of these, with HANSARD_AVX2 and HANSARD_AVX512, and calls the one for this machine.
enum class Processor : std::uint8_t { kPlain, kAvx2, kAvx512 };
Processor best_processor();

#if defined(__x86_64__) && HANSARD_FAST
#define HANSARD_AVX2 __attribute__((target("avx2,fma")))
#define HANSARD_AVX512 __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,fma")))
#else
#define HANSARD_AVX2
#define HANSARD_AVX512
#endif

/// outputs = bias + weights * inputs. The weights of kLanes outputs follow each other input by input.
struct Dense {
  std::size_t inputs = 0;
  std::vector<Block> weights;
  std::vector<Block> bias;

  Dense(std::size_t in, std::size_t out) : inputs(in), weights(in * out / kLanes), bias(out / kLanes) {}
  void set(std::size_t out, std::size_t in, float value) { weights[out / kLanes * inputs + in].values[out % kLanes] = value; }
  void set_bias(std::size_t out, float value) { bias[out / kLanes].values[out % kLanes] = value; }
};

/// From `Columns` inputs, each beginning `step` values behind the one before, as many columns of outputs. The weights, which are
/// more than the nearest cache holds, are walked through once for all columns. Several sums at a time keep the processor's
/// adders busy: each waits for its own last addition.
template <std::size_t Columns>
HANSARD_INLINE void apply(const Dense& layer, const float* from, std::size_t step, float* to, std::size_t to_step) {
  constexpr std::size_t kTogether = std::min<std::size_t>(8 / Columns, 4);
  for (std::size_t block = 0; block < layer.bias.size(); block += kTogether) {
    Lanes sum[kTogether][Columns];
    for (std::size_t b = 0; b < kTogether; ++b) {
      for (std::size_t c = 0; c < Columns; ++c) sum[b][c] = lanes(layer.bias[block + b]);
    }
    const Block* weights = layer.weights.data() + block * layer.inputs;
    for (std::size_t i = 0; i < layer.inputs; ++i) {
#pragma GCC unroll 8
      for (std::size_t b = 0; b < kTogether; ++b) {
#pragma GCC unroll 8
        for (std::size_t c = 0; c < Columns; ++c) sum[b][c] += lanes(weights[b * layer.inputs + i]) * from[c * step + i];
      }
    }
    for (std::size_t b = 0; b < kTogether; ++b) {
      for (std::size_t c = 0; c < Columns; ++c) std::memcpy(to + c * to_step + (block + b) * kLanes, &sum[b][c], sizeof(Lanes));
    }
  }
}

/// Puts e to its power in place of each value; below -87 it is as good as 0.
HANSARD_INLINE void exponentiate(Lanes& x) {
  const Lanes least = x * 0 - 87;
  x = x < least ? least : x;
  // Adding and taking away 1.5 * 2^23 rounds to whole numbers.
  const Lanes whole = (x * 1.44269504F + 12582912.0F) - 12582912.0F;
  const Lanes rest = x - whole * 0.693359375F + whole * 2.12194440e-4F;
  Lanes y = rest * (1.0F / 720) + 1.0F / 120;
  y = y * rest + 1.0F / 24;
  y = y * rest + 1.0F / 6;
  y = y * rest + 0.5F;
  y = y * rest + 1;
  y = y * rest + 1;
  const IntLanes power = (__builtin_convertvector(whole, IntLanes) + 127) << 23;
  Lanes scale;
  std::memcpy(&scale, &power, sizeof scale);
  x = y * scale;
}

}  // namespace hansard::speech
