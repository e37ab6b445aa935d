#pragma once
// An utterance made ready for analysis: its sentences with their words and cues.
#include <vector>

#include "core/analysis/cues.h"
#include "core/analysis/features.h"
#include "core/analysis/tokens.h"
#include "core/transcript/utterance.h"

namespace hansard::analysis {

struct SpokenSentence {
  Sentence span;              ///< bytes of the utterance's text
  std::vector<Token> tokens;  ///< places are those in the utterance's text
  Cues cues;
};

struct Spoken {
  Utterance utterance;        ///< without its words' times
  std::uint32_t speaker = 0;  ///< index into People::attendees
  std::vector<SpokenSentence> sentences;
  Prepared prepared;
};

/// Reads an utterance; a speaker who is not known yet joins `people`. `people` names who may be addressed.
Spoken read_spoken(const Utterance& utterance, People& people);

}  // namespace hansard::analysis
