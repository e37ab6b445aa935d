#pragma once
// The trained weights: one linear model (logistic regression) for each kind of item over the same features.
#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/analysis/features.h"
#include "core/analysis/item.h"
#include "core/base/result.h"

namespace hansard::analysis {

/// Immutable after load; may be shared by all meetings.
///
/// File format (little-endian): "HANSARDW", u32 version (1), u32 number of kinds (3), then for action items, decisions and
/// key points: f32 bias, f32 threshold, f32 threshold without place, f32 scale, u32 n, n indices as LEB128 differences
/// (ascending), n signed bytes q (weight = scale * q * |q|); at the end u32 CRC-32C of all before.
class Model {
 public:
  /// Errors: kCorrupt when the bytes are not such a file.
  static Result<Model> load(std::string_view bytes);

  /// How far the score (log-odds) of a row lies above the threshold that cross-validation chose; `placed` says whether
  /// the row has its place features.
  double margin(ItemKind kind, std::span<const Feature> row, bool placed) const;

 private:
  struct Linear {
    float bias = 0;
    float threshold = 0;
    float threshold_unplaced = 0;
    std::vector<std::uint32_t> indices;  // ascending
    std::vector<float> weights;
    std::vector<std::uint32_t> begins;  // of each block of slots: where its indices begin
  };
  std::array<Linear, 3> kinds_;
};

}  // namespace hansard::analysis
