#pragma once
// Extractive summary: the sentences that a summary of the meeting would rest on, in their order.
#include <span>
#include <string>
#include <vector>

#include "core/analysis/item.h"
#include "core/analysis/spoken.h"

namespace hansard::analysis {

/// At most this many words; a short meeting gets about a quarter of its own.
inline constexpr std::size_t kSummaryWords = 160;

/// `scores`: how much each utterance of `meeting` belongs into a summary (any scale). Gives key points "k1", "k2", ... in the
/// order of the meeting, each one sentence.
std::vector<AnalysisItem> key_points(std::span<const Spoken> meeting, std::span<const double> scores);

/// The key points as text, one a line, behind the speaker's name where it is known.
std::string summary_text(std::span<const AnalysisItem> key_points, std::span<const Spoken> meeting);

}  // namespace hansard::analysis
