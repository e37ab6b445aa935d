#include "core/analysis/model.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <numeric>

#include "core/base/hash.h"

namespace hansard::analysis {
namespace {

constexpr std::string_view kMagic = "HANSARDW";
constexpr std::uint32_t kVersion = 1;
/// A block of slots holds a few weights, so that one is found with hardly a search.
constexpr unsigned kBlockBits = 8;

/// Reads little-endian values; stays false after running over the end.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  bool good() const { return good_; }
  std::size_t left() const { return bytes_.size() - at_; }
  std::uint8_t byte() {
    if (at_ >= bytes_.size()) {
      good_ = false;
      return 0;
    }
    return static_cast<std::uint8_t>(bytes_[at_++]);
  }
  std::uint32_t u32() {
    std::uint32_t v = 0;
    for (unsigned i = 0; i < 4; ++i) v |= static_cast<std::uint32_t>(byte()) << (8 * i);
    return v;
  }
  float f32() { return std::bit_cast<float>(u32()); }
  std::uint32_t leb128() {
    std::uint32_t v = 0;
    for (unsigned shift = 0; shift < 32; shift += 7) {
      const std::uint8_t b = byte();
      v |= static_cast<std::uint32_t>(b & 0x7Fu) << shift;
      if ((b & 0x80u) == 0) return v;
    }
    good_ = false;
    return 0;
  }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
  bool good_ = true;
};

std::unexpected<Error> corrupt() {
  return fail(ErrorClass::kCorrupt, "analysis", "the analysis weights are damaged or of another version: install them again");
}

}  // namespace

Result<Model> Model::load(std::string_view bytes) {
  if (bytes.size() < kMagic.size() + 12 || !bytes.starts_with(kMagic)) return corrupt();
  Reader tail(bytes.substr(bytes.size() - 4));
  if (tail.u32() != crc32c(bytes.substr(0, bytes.size() - 4))) return corrupt();
  Reader in(bytes.substr(kMagic.size(), bytes.size() - kMagic.size() - 4));
  Model out;
  if (in.u32() != kVersion || in.u32() != out.kinds_.size()) return corrupt();
  for (Linear& k : out.kinds_) {
    k.bias = in.f32();
    k.threshold = in.f32();
    k.threshold_unplaced = in.f32();
    const float scale = in.f32();
    const std::uint32_t n = in.u32();
    if (!in.good() || n > kFeatureSlots || n > in.left()) return corrupt();
    std::uint32_t index = 0;
    for (std::uint32_t i = 0; i < n; ++i) {
      index += in.leb128();
      k.indices.push_back(index);
    }
    for (std::uint32_t i = 0; i < n; ++i) {
      const std::uint8_t b = in.byte();
      const int q = b < 128 ? b : b - 256;
      k.weights.push_back(scale * static_cast<float>(q * std::abs(q)));
    }
    if (!in.good() || !std::isfinite(k.bias) || !std::isfinite(scale) || !std::ranges::is_sorted(k.indices)) return corrupt();
    k.begins.resize((kFeatureSlots >> kBlockBits) + 2);
    for (const std::uint32_t i : k.indices) {
      if (i >= kFeatureSlots) return corrupt();
      ++k.begins[(i >> kBlockBits) + 1];
    }
    std::partial_sum(k.begins.begin(), k.begins.end(), k.begins.begin());
  }
  return out;
}

double Model::margin(ItemKind kind, std::span<const Feature> row, bool placed) const {
  const Linear& k = kinds_[static_cast<std::size_t>(kind)];
  double sum = k.bias;
  for (const Feature& f : row) {
    const std::uint32_t block = f.index >> kBlockBits;
    const std::uint32_t end = k.begins[block + 1];
    for (std::uint32_t i = k.begins[block]; i < end && k.indices[i] <= f.index; ++i) {
      if (k.indices[i] == f.index) sum += static_cast<double>(k.weights[i]) * static_cast<double>(f.value);
    }
  }
  return sum - static_cast<double>(placed ? k.threshold : k.threshold_unplaced);
}

}  // namespace hansard::analysis
