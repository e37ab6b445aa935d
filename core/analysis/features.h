#pragma once
// What the model sees of an utterance: hashed word n-grams of it and of its neighbours, cues, turn-taking and, once the
// meeting is over, its place. This is the only implementation: training reads these features through a small tool.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/analysis/cues.h"
#include "core/analysis/tokens.h"

namespace hansard::analysis {

inline constexpr unsigned kHashBits = 21;
inline constexpr std::uint32_t kHashSize = 1u << kHashBits;
/// Slots behind the hashed ones that stand for an utterance's place in the meeting.
inline constexpr std::uint32_t kPlaceSlots = 64;
inline constexpr std::uint32_t kFeatureSlots = kHashSize + kPlaceSlots;
/// Neighbours on either side that belong to an utterance's features.
inline constexpr std::size_t kNeighbours = 3;

struct Feature {
  std::uint32_t index = 0;  ///< below kFeatureSlots
  float value = 0;
};

/// What is kept of an utterance to serve as the middle or as a neighbour of a window.
struct Prepared {
  std::vector<std::uint64_t> grams;  ///< hashes of its 1-grams and 2-grams, then of its 3-grams
  std::size_t short_grams = 0;       ///< how many of them are 1-grams and 2-grams
  std::uint32_t cues = 0;            ///< Cues::mask
  std::uint32_t words = 0;
  std::uint32_t speaker = 0;  ///< a number for the speaker, equal for equal speakers
  bool question = false;
  std::uint64_t role = 0;  ///< hash of the speaker's role, 0 when it is not known
};
/// `role`: what the speaker is in the meeting ("project manager"), in any case; empty when it is not known.
Prepared prepare(std::span<const Token> tokens, const Cues& cues, std::uint32_t speaker, std::string_view role, bool question);

/// Where an utterance stands. Only whole, long meetings have places (see has_place).
struct Place {
  std::size_t index = 0;
  std::size_t count = 0;
};
/// In short meetings the place says little: nothing is made of it below this number of utterances.
inline constexpr std::size_t kPlaceMinimum = 150;

/// The features of window[middle]; `window` holds it and up to kNeighbours neighbours on either side. Sorted by index,
/// no index twice.
std::vector<Feature> features(std::span<const Prepared* const> window, std::size_t middle, std::optional<Place> place);

}  // namespace hansard::analysis
