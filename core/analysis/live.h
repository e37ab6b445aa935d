#pragma once
// Analysis of a meeting: while it runs, and as a whole. Pure and deterministic: the same utterances give the same result.
#include <cstddef>
#include <deque>
#include <span>
#include <vector>

#include "core/analysis/item.h"
#include "core/analysis/item_builder.h"
#include "core/analysis/model.h"
#include "core/transcript/utterance.h"

namespace hansard {

/// The whole meeting at once. Utterances may come in any order; they are read in the order of their start times.
MeetingAnalysis analyze(const analysis::Model& model, const MeetingInfo& info, std::span<const Utterance> utterances);

/// Feed it every final utterance in the order of commit; call finish() once when the meeting is over. To take it up after a
/// restart, make a new one and add the same utterances again. The work of add() does not grow with the meeting; that of
/// finish() is linear in it.
class LiveAnalyzer {
 public:
  /// `model` must outlive the analyzer.
  LiveAnalyzer(const analysis::Model& model, MeetingInfo info);

  /// The changes that this utterance brings. An utterance is judged once three later ones are known; among those that wait
  /// the earlier start goes first.
  std::vector<ItemChange> add(const Utterance& utterance);

  struct Finish {
    std::vector<ItemChange> changes;  ///< from the live items to those of the whole meeting
    MeetingAnalysis result;           ///< that of analyze(); live items that still stand keep their ids
  };
  /// The final pass: judges all utterances again, now with their place in the meeting, and writes the summary.
  Finish finish();

  /// The items that stand now, in the order in which they were found. Before finish() there are no key points.
  const std::vector<AnalysisItem>& items() const { return builder_.items(); }
  /// Utterances judged so far (each costs one window of neighbours).
  std::size_t judged() const { return judged_; }
  /// Utterances kept ready as neighbours.
  std::size_t window_size() const { return window_.size(); }

 private:
  std::vector<ItemChange> judge(std::size_t at);

  const analysis::Model& model_;
  MeetingInfo info_;
  analysis::People people_;
  analysis::ItemBuilder builder_;
  std::vector<Utterance> utterances_;
  std::deque<analysis::Spoken> window_;  ///< the last judged ones and those that wait
  std::size_t waiting_ = 0;              ///< how many at the end of window_ are not judged
  std::size_t judged_ = 0;
};

}  // namespace hansard
