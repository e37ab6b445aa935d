#pragma once
// The one gate that every item passes: nothing is shown whose words were not said.
#include <span>
#include <vector>

#include "core/analysis/item.h"
#include "core/transcript/utterance.h"

namespace hansard {

/// True when the item has a text and a quote, cites at least one utterance, cites only utterances of the list, none twice,
/// and its quote is a verbatim part of one of those it cites.
bool verify(const AnalysisItem& item, std::span<const Utterance> utterances);

/// Drops what verify() refuses.
void drop_ungrounded(std::vector<AnalysisItem>& items, std::span<const Utterance> utterances);

}  // namespace hansard
