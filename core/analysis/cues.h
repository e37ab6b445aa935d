#pragma once
// Ways of speaking that signal a commitment, a request, a proposal or a decision in any meeting, whatever its topic.
// They serve twice: as features of the trained model, and as the general rules that carry meetings unlike its training data.
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/analysis/item.h"
#include "core/analysis/tokens.h"

namespace hansard::analysis {

enum class Cue : std::uint8_t {
  kPromise,       ///< "I'll write ...", "I'm going to ask ...", "leave that with me"
  kPromiseSoft,   ///< "I'll have ...", "you will get ...": a promise when a time goes with it
  kOffer,         ///< "I can do that", "I'm happy to book ...", "let me talk to ..."
  kNeedSelf,      ///< "I need to order ...", "I have to ..."
  kRequest,       ///< "can you call ...", "would you ...", "I'd like you to ..."
  kPlease,        ///< "please send ..."
  kAssign,        ///< "you will work on ...", "Ada will ...", "you need to ..."
  kSomeone,       ///< "somebody should ..."
  kNeedWe,        ///< "we need to ...", "we should ..."
  kTaskWord,      ///< "action item", "your task", "homework"
  kDo,            ///< a reply that takes a task on: "will do", "I'll do that"
  kDecide,        ///< "we agreed", "decision made", "that's decided"
  kChoose,        ///< "let's go with ...", "we'll stick to ...", "we go for ..."
  kLetUs,         ///< "let's recycle them"
  kConclude,      ///< "then we close ...", "all right, we take ...", "the fourth it is", "from next month on"
  kPropose,       ///< "I'd suggest ...", "how about ...", "we could ..."
  kAgree,         ///< "fine by me", "makes sense", "yes"
  kOpen,          ///< left open: "not decided", "before we decide", "leave it open"
  kHypothetical,  ///< "if we ...", "could have ...", "had to ..."
  kNegated,       ///< a negation
  kDue,           ///< a future time
  kDeadline,      ///< a future time with "by", "until", "before"
  kName,          ///< somebody of the meeting is named
  kRole,          ///< somebody is named by a role
  kTaskVerb,      ///< the deed of a commitment is of the kind done after a meeting: call, send, book, prepare ...
  kCount
};
inline constexpr std::size_t kCueCount = static_cast<std::size_t>(Cue::kCount);

/// A cue in tokens [begin, end). `verb` is the token at which the thing to do starts (equal to `end` when none follows).
struct CueHit {
  Cue cue = Cue::kPromise;
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t verb = 0;
};

/// The people of a meeting, by the words that name them.
struct People {
  std::vector<Attendee> attendees;
  std::set<std::string, std::less<>> names;          ///< lower-case words of their names
  std::vector<std::vector<std::string>> name_words;  ///< by attendee
  std::vector<std::vector<std::string>> role_words;  ///< by attendee, empty when the role is unknown

  explicit People(std::vector<Attendee> list = {});
  /// Adds a speaker when unknown; true when it was.
  bool meet(std::string_view speaker);
  /// The attendee whose name holds this word, if there is exactly one; -1 otherwise.
  int by_word(std::string_view word) const;
  /// The attendee whose role is said at tokens[at...] ("industrial designer", "UID"), or -1; `used` is the number of tokens.
  int by_role(std::span<const Token> tokens, std::size_t at, std::size_t& used) const;

 private:
  void learn(const Attendee& attendee);
};

struct Cues {
  std::uint32_t mask = 0;  ///< bit i: Cue i occurs
  std::vector<CueHit> hits;
  bool has(Cue c) const { return (mask >> static_cast<unsigned>(c) & 1u) != 0; }
  /// The first hit of this cue, or nullptr.
  const CueHit* first(Cue c) const;
};

/// All cues of a sentence or utterance.
Cues find_cues(std::span<const Token> tokens, const People& people);

}  // namespace hansard::analysis
