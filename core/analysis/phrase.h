#pragma once
// Wording of items: a short sentence from what was said, and who is meant by "I", "you" and names.
#include <optional>
#include <span>
#include <string>

#include "core/analysis/spoken.h"

namespace hansard::analysis {

/// The cue of a sentence that says whose the task is and what is to be done, strongest first; nullptr when there is none.
const CueHit* task_hit(const Cues& cues);

/// The task as an order: "Oh, I'll put a notice on the website by Friday" gives "Put a notice on the website by Friday.".
/// "me" and "my" of a request become the speaker's name when that is a name.
std::string task_text(const Spoken& spoken, const SpokenSentence& sentence, const CueHit* hit);

/// The sentence without its discourse markers: "Okay, so we take the train" gives "We take the train.".
std::string statement_text(const Spoken& spoken, const SpokenSentence& sentence);

/// True when what is to be done is only a pronoun ("I'll do that", "will do", "I'll book them"): the words are elsewhere.
bool is_anaphoric(const SpokenSentence& sentence, const CueHit* hit);

/// False for labels that stand for a name: "A", "Speaker 2", "me013".
bool is_spoken_name(const std::string& name);

struct Owner {
  std::optional<std::string> name;
  bool addressee = false;  ///< meant by "you" or "somebody": a reply may still say who it is
};
/// Who is to do it. `window` gives the neighbours, by whose turns "you" is resolved.
Owner find_owner(std::span<const Spoken* const> window, std::size_t middle, const SpokenSentence& sentence, const CueHit* hit,
                 const People& people);

inline constexpr std::string_view kEveryone = "everyone";

}  // namespace hansard::analysis
