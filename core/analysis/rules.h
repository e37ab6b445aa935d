#pragma once
// How strongly a sentence, by its way of speaking and the replies around it, states a task or a decision. Weighed by hand on
// general grounds: the trained model knows its corpus better, these rules know any meeting a little.
#include <cstdint>
#include <span>

#include "core/analysis/cues.h"
#include "core/analysis/features.h"

namespace hansard::analysis {

/// A sentence counts by the rules alone from this strength on.
inline constexpr double kRuleThreshold = 1.0;

/// What neighbouring utterances contribute.
struct Replies {
  bool asked_before = false;     ///< another speaker asked for something or named a need, up to 2 utterances before
  bool proposed_before = false;  ///< somebody proposed something, up to 3 utterances before
  bool taken_after = false;      ///< another speaker takes it on ("will do", "I can do that"), up to 2 utterances later
  bool agreed_after = false;     ///< another speaker agrees, up to 2 utterances later
};
Replies find_replies(std::span<const Prepared* const> window, std::size_t middle);

double action_strength(const Cues& cues, std::size_t words, bool question, const Replies& replies);
double decision_strength(const Cues& cues, std::size_t words, bool question, const Replies& replies);

}  // namespace hansard::analysis
