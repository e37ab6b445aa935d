#pragma once
// Matrix products for the networks that are computed here. Written with the compiler's vectors, without one processor's
// instructions: what uses it is compiled once for each kind of processor, for vectors that fit its registers. (Of longer ones the
// compiler makes code that is many times slower.)
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace hansard::speech {

// Checked builds, which are not about speed, would take minutes to compile everything into one function for each processor.
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define HANSARD_FAST 1
#define HANSARD_INLINE __attribute__((always_inline)) inline
#else
#define HANSARD_FAST 0
#define HANSARD_INLINE inline
#endif

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

constexpr std::size_t kLanes = 16;

/// As values lie in memory, however long the vectors are.
struct alignas(kLanes * sizeof(float)) Block {
  std::array<float, kLanes> values{};
};

/// The compiler's vectors of so many values. (Written out: it does not take a size that a template gives.)
template <std::size_t Width>
struct Vectors;
template <>
struct Vectors<4> {
  using Part = float __attribute__((vector_size(16)));
  using Whole = std::int32_t __attribute__((vector_size(16)));
  using Bits = std::uint32_t __attribute__((vector_size(16)));
};
template <>
struct Vectors<8> {
  using Part = float __attribute__((vector_size(32)));
  using Whole = std::int32_t __attribute__((vector_size(32)));
  using Bits = std::uint32_t __attribute__((vector_size(32)));
};
template <>
struct Vectors<16> {
  using Part = float __attribute__((vector_size(64)));
  using Whole = std::int32_t __attribute__((vector_size(64)));
  using Bits = std::uint32_t __attribute__((vector_size(64)));
};

/// A block's values in vectors of `Width`. All changes are in place: vectors are not passed by value between functions.
template <std::size_t Width>
struct Lanes {
  static constexpr std::size_t kParts = kLanes / Width;
  using Part = typename Vectors<Width>::Part;
  using Whole = typename Vectors<Width>::Whole;
  using Bits = typename Vectors<Width>::Bits;
  Part parts[kParts];

  // Part by part: of one copy of all the compiler makes a way round through memory.
  HANSARD_INLINE void load(const void* from) {
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kParts; ++p)
      std::memcpy(&parts[p], static_cast<const char*>(from) + p * sizeof(Part), sizeof(Part));
  }
  HANSARD_INLINE void store(void* to) const {
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kParts; ++p) std::memcpy(static_cast<char*>(to) + p * sizeof(Part), &parts[p], sizeof(Part));
  }
  HANSARD_INLINE void clear() {
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kParts; ++p) parts[p] = Part{};
  }
  HANSARD_INLINE void add(const Lanes& other) {
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kParts; ++p) parts[p] += other.parts[p];
  }
  HANSARD_INLINE void add_product(const Lanes& other, float by) {
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kParts; ++p) parts[p] += other.parts[p] * by;
  }
  HANSARD_INLINE void add_product(const Lanes& other, const Lanes& by) {
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kParts; ++p) parts[p] += other.parts[p] * by.parts[p];
  }
  HANSARD_INLINE void subtract(float value) {
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kParts; ++p) parts[p] -= value;
  }
  HANSARD_INLINE void multiply(float by) {
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kParts; ++p) parts[p] *= by;
  }
  HANSARD_INLINE void raise_to(const Lanes& other) {
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kParts; ++p) parts[p] = other.parts[p] > parts[p] ? other.parts[p] : parts[p];
  }
  /// value / (1 + e to the power of -value), times `by`.
  HANSARD_INLINE void gate(const Lanes& by) {
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kParts; ++p) {
      Part less = -by.parts[p];
      exponentiate(less);
      parts[p] *= by.parts[p] / (1 + less);
    }
  }
  HANSARD_INLINE void exponentiate() {
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kParts; ++p) exponentiate(parts[p]);
  }
  /// One byte of each of kLanes words, as a number. `number` counts from the lowest.
  HANSARD_INLINE void unpack(const std::uint32_t* words, std::size_t number) {
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kParts; ++p) {
      Bits bits;
      std::memcpy(&bits, words + p * Width, sizeof bits);
      bits = (bits >> static_cast<std::uint32_t>(8 * number)) & 0xFF;
      Whole whole;
      std::memcpy(&whole, &bits, sizeof whole);
      parts[p] = __builtin_convertvector(whole, Part);
    }
  }
  HANSARD_INLINE float total() const {
    std::array<float, kLanes> values;
    store(values.data());
    float sum = 0;
    for (const float v : values) sum += v;
    return sum;
  }
  HANSARD_INLINE float most() const {
    std::array<float, kLanes> values;
    store(values.data());
    float most = values[0];
    for (const float v : values) most = v > most ? v : most;
    return most;
  }

 private:
  /// Puts e to its power in place of each value; below -87 it is as good as 0.
  HANSARD_INLINE static void exponentiate(Part& x) {
    const Part least = Part{} - 87;
    x = x < least ? least : x;
    // Adding and taking away 1.5 * 2^23 rounds to whole numbers.
    const Part whole = (x * 1.44269504F + 12582912.0F) - 12582912.0F;
    const Part rest = x - whole * 0.693359375F + whole * 2.12194440e-4F;
    Part y = rest * (1.0F / 720) + 1.0F / 120;
    y = y * rest + 1.0F / 24;
    y = y * rest + 1.0F / 6;
    y = y * rest + 0.5F;
    y = y * rest + 1;
    y = y * rest + 1;
    const Whole power = (__builtin_convertvector(whole, Whole) + 127) << 23;
    Part scale;
    std::memcpy(&scale, &power, sizeof scale);
    x = y * scale;
  }
};

using PlainLanes = Lanes<4>;
using Avx2Lanes = Lanes<8>;
using Avx512Lanes = Lanes<16>;

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
template <class L, std::size_t Columns>
HANSARD_INLINE void apply(const Dense& layer, const float* from, std::size_t step, float* to, std::size_t to_step) {
  constexpr std::size_t kTogether = std::clamp<std::size_t>(8 / (Columns * L::kParts), 1, 4);
  for (std::size_t block = 0; block < layer.bias.size(); block += kTogether) {
    L sum[kTogether][Columns];
    for (std::size_t b = 0; b < kTogether; ++b) {
      for (std::size_t c = 0; c < Columns; ++c) sum[b][c].load(&layer.bias[block + b]);
    }
    const Block* weights = layer.weights.data() + block * layer.inputs;
    for (std::size_t i = 0; i < layer.inputs; ++i) {
#pragma GCC unroll 8
      for (std::size_t b = 0; b < kTogether; ++b) {
        L weight;
        weight.load(&weights[b * layer.inputs + i]);
#pragma GCC unroll 8
        for (std::size_t c = 0; c < Columns; ++c) sum[b][c].add_product(weight, from[c * step + i]);
      }
    }
    for (std::size_t b = 0; b < kTogether; ++b) {
      for (std::size_t c = 0; c < Columns; ++c) sum[b][c].store(to + c * to_step + (block + b) * kLanes);
    }
  }
}

}  // namespace hansard::speech
