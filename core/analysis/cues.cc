#include "core/analysis/cues.h"

#include <algorithm>
#include <string_view>

#include "core/analysis/due.h"
#include "core/base/text.h"

namespace hansard::analysis {
namespace {

// A pattern is a row of elements parted by blanks:
//   a|b     one of these words          ^  $    the start, the end of the sentence
//   ~       up to two adverbs           _       up to four words of any kind
//   @verb   a word that can be a deed   @name   a participant's name      @role  a role
//   !a|b    not these words (takes none)
// `>` before an element marks where the deed starts.
struct Pattern {
  Cue cue;
  std::string_view text;
};
constexpr Pattern kPatterns[] = {
    {Cue::kPromise, "i will|shall ~ >@verb"},
    {Cue::kPromise, "i will|shall ~ >do|get|put|bring|let|take !you|i"},
    {Cue::kPromise, "i am going to ~ >@verb"},
    {Cue::kPromise, ">leave _ with|to me"},
    {Cue::kPromise, "let me ~ >talk|speak|write|call|phone|ask|email|contact|find|prepare|draft"},
    {Cue::kPromise, "let me ~ >check with"},
    {Cue::kPromise, "i >volunteer"},
    {Cue::kPromise, ">put|count me down|in for"},
    {Cue::kPromise, "i will|can ~ >take care"},
    {Cue::kPromise, "i will ~ try to ~ >@verb"},
    {Cue::kPromise, "my|the next step|task|job is to ~ >@any"},
    {Cue::kPromise, "next step|task|job for me is to ~ >@any"},
    {Cue::kPromise, "i am >on it"},
    {Cue::kPromiseSoft, "i will|shall ~ >have|be|see|go|try|start|tell"},
    {Cue::kPromiseSoft, "you will ~ >have|get|receive|hear"},
    {Cue::kPromiseSoft, "i am >@ing"},
    {Cue::kPromiseSoft, "we will ~ >@verb"},
    {Cue::kPromiseSoft, "we are going to ~ >@verb"},
    {Cue::kOffer, "i can ~ >@verb"},
    {Cue::kOffer, "i can|could ~ >do that|it|this"},
    {Cue::kOffer, "i am ~ happy|glad|willing to >@verb"},
    {Cue::kOffer, "i would ~ be happy|glad|willing to >@verb"},
    {Cue::kOffer, "let me ~ >@verb"},
    {Cue::kOffer, "i could ~ >@verb"},
    {Cue::kNeedSelf, "i need|have|ought to ~ >@verb"},
    {Cue::kNeedSelf, "i must|should ~ >@verb"},
    {Cue::kNeedSelf, "i plan|intend|promise to ~ >@verb"},
    {Cue::kRequest, "can|could|would|will you ~ >@verb"},
    {Cue::kRequest, "can|could|would|will you please|maybe|perhaps|also ~ >do|get|put|bring|give|take|send|make"},
    {Cue::kRequest, "can|could|would|will you ~ >do|get|put|give|take|let|tell|show|find !know|like|see|agree|say"},
    {Cue::kRequest, "i want|need you|everyone|@name to >@any"},
    {Cue::kRequest, "i would like|love|ask you|everyone|@name to >@any"},
    {Cue::kRequest, "i would like|want|ask the @role to >@any"},
    {Cue::kRequest, "would you mind >@any"},
    {Cue::kRequest, "can|could|would|will you be able|willing to >@any"},
    {Cue::kRequest, "do not forget|forget to >@any"},
    {Cue::kRequest, "^ ~ make sure|certain"},
    {Cue::kRequest, "and|you make sure|certain"},
    {Cue::kRequest, "maybe|perhaps you can|could|should ~ >@verb"},
    {Cue::kRequest, "remember to >@verb"},
    {Cue::kRequest, "@name can|could|would|will you ~ >@any"},
    {Cue::kPlease, "please _ >@verb"},
    {Cue::kPlease, "please ~ >do|get|put|bring|give|take|let|tell|show|have"},
    {Cue::kAssign, "you will|should|must ~ >@verb"},
    {Cue::kAssign, "you will be >@verb"},
    {Cue::kAssign, "you are ~ going to ~ >@any"},
    {Cue::kAssign, "you need|have|got|get to ~ >@verb"},
    {Cue::kAssign, "you are >@ing"},
    {Cue::kAssign, "you two|guys|both|each|all ~ will|are|have|need|should|work|get"},
    {Cue::kAssign, "@name will|should|must|can ~ >@verb"},
    {Cue::kAssign, "@name will be >@verb"},
    {Cue::kAssign, "@name is going to ~ >@any"},
    {Cue::kAssign, "@name needs|has|promised|offered|agreed to ~ >@any"},
    {Cue::kAssign, "@name and|or @name|i|me will|should|are|can ~ >@any"},
    {Cue::kAssign, "@role will|should|must|can|gets ~ >@any"},
    {Cue::kAssign, "@role is|are|has|needs ~ going|to ~ >@any"},
    {Cue::kAssign, "@name takes|does|handles|prepares|writes|organises|organizes"},
    {Cue::kAssign, "everyone|everybody|all will|should|has|needs|must ~ >@any"},
    {Cue::kAssign, "two of you|us"},
    {Cue::kAssign, "you|@name are|is ~ in charge of >@any"},
    {Cue::kAssign, "you|@name are|is ~ responsible for >@any"},
    {Cue::kAssign, "action item|point for @name|you"},
    {Cue::kSomeone, "someone|anyone should|must|has|needs|could|can ~ >@any"},
    {Cue::kSomeone, "who will|can|could|is|wants|takes|would ~ >@any"},
    {Cue::kNeedWe, "we need|have|ought|got to ~ >@verb"},
    {Cue::kNeedWe, "we must|should ~ >@verb"},
    {Cue::kNeedWe, "has|needs|have|need to be >@verb"},
    {Cue::kTaskWord, "action item|items|point|points"},
    {Cue::kTaskWord, "to do list"},
    {Cue::kTaskWord, "leave _ with|to me"},
    {Cue::kTaskWord, "put|count me down|in for"},
    {Cue::kTaskWord, "i volunteer"},
    {Cue::kTaskWord, "i will|can ~ make sure|certain"},
    {Cue::kTaskWord, "i will|can ~ take care of"},
    {Cue::kTaskWord, "task|tasks|homework|assignment|assignments"},
    {Cue::kTaskWord, "your|his|her|my job|part"},
    {Cue::kTaskWord, "responsible for"},
    {Cue::kTaskWord, "in charge of"},
    {Cue::kTaskWord, "next step|steps"},
    {Cue::kTaskWord, "for the next meeting"},
    {Cue::kTaskWord, "by|for next time"},
    {Cue::kDo, "^ will do"},
    {Cue::kDo, "i will|can|could ~ do that|it|this|so"},
    {Cue::kDo, "i will $"},
    {Cue::kDo, "i will take care of it|that|this"},
    {Cue::kDo, "consider it done"},
    {Cue::kDo, "leave it|that|this with|to me"},
    {Cue::kDo, "you will have|get them|it|that"},
    {Cue::kDecide, "we ~ decided|agreed|chosen|concluded"},
    {Cue::kDecide, "i have decided"},
    {Cue::kDecide, "decision made"},
    {Cue::kDecide, "decision is|was"},
    {Cue::kDecide, "final|our decision"},
    {Cue::kDecide, "that|it|this is ~ decided|settled|agreed|final"},
    {Cue::kDecide, "^ agreed|approved|settled"},
    {Cue::kDecide, "^ decision"},
    {Cue::kDecide, "we ~ agree"},
    {Cue::kDecide, "are ~ agreed"},
    {Cue::kDecide, "motion is|has approved|carried|passed|accepted"},
    {Cue::kDecide, "that settles"},
    {Cue::kDecide, "done deal"},
    {Cue::kChoose, "let us ~ >go|stick with|for|to|ahead"},
    {Cue::kChoose, "let us ~ >keep|use|take|drop|skip|stay|move|buy|rent|postpone|cancel|stop|switch|choose|pick|order|add|remove|meet"},
    {Cue::kChoose, "we are not going to ~ >@verb"},
    {Cue::kChoose, "we will not >@verb"},
    {Cue::kChoose, "we ~ >go|stick|going with|for|to"},
    {Cue::kChoose, "we will ~ >go|stick|settle with|for|to|on"},
    {Cue::kChoose, "we will ~ >use|take|keep|have|make|do|move|drop|skip|choose|pick|postpone|cancel|leave|stay|put|add|remove"},
    {Cue::kChoose, "we are ~ going|gonna to|for|with ~ >go|use|take|keep|have|make|do|move|drop|stick|choose|put"},
    {Cue::kChoose, "we are ~ >going for|with"},
    {Cue::kChoose, "settle|settled|opt|decide|decided on|for|to"},
    {Cue::kLetUs, "let us ~ >@verb"},
    {Cue::kLetUs, "let us ~ >do|keep|make|put|say|have|leave"},
    {Cue::kConclude, "^ so|then|okay|right|good|great|fine|therefore we >@verb !to"},
    {Cue::kConclude, "all right|okay we >@verb !to"},
    {Cue::kConclude, "^ so|then|okay|right|good|great|fine|therefore we >do|get|put|go|leave !to"},
    {Cue::kConclude, "then it is"},
    {Cue::kConclude, "^ ~ we >keep|take|use|close|open|move|cancel|postpone|drop|skip|buy|stop|start|stay|switch"},
    {Cue::kConclude, "then|okay|so|good _ it is $"},
    {Cue::kConclude, "it is then"},
    {Cue::kChoose, "from now|today|tomorrow on"},
    {Cue::kChoose, "from next @any on"},
    {Cue::kConclude, "that is it then"},
    {Cue::kPropose, "i suggest|propose|recommend|prefer|vote"},
    {Cue::kPropose, "i would ~ suggest|propose|recommend|prefer|rather|say|vote|go"},
    {Cue::kPropose, "we could|might|can ~ >@verb"},
    {Cue::kPropose, "maybe|perhaps we|it should|could|can"},
    {Cue::kPropose, "how|what about"},
    {Cue::kPropose, "shall|should|could|can|do we"},
    {Cue::kPropose, "why do not we|you"},
    {Cue::kAgree, "^ yes|agreed|right|exactly|perfect|fine|sure|good|great|definitely|okay|absolutely|certainly|true"},
    {Cue::kAgree, "sounds|sound|looks good|great|right|fine|perfect|nice|okay"},
    {Cue::kAgree, "works for|with me|us"},
    {Cue::kAgree, "fine|okay|good by|with|for me|us"},
    {Cue::kAgree, "makes|make ~ sense"},
    {Cue::kAgree, "i ~ agree"},
    {Cue::kAgree, "good idea|point"},
    {Cue::kAgree, "in favour|favor"},
    {Cue::kAgree, "that is fine|good|right|okay|perfect|great"},
    {Cue::kOpen, "not|what|where|whether|how|which|before _ decided|decide|agree|agreed|sure"},
    {Cue::kOpen, "because|since|as we"},
    {Cue::kOpen, "what|where|how|who|who exactly we"},
    {Cue::kOpen, "last time|meeting"},
    {Cue::kOpen, "like i|we said"},
    {Cue::kOpen, "before we decide|agree"},
    {Cue::kOpen, "leave _ open"},
    {Cue::kOpen, "have|need to decide"},
    {Cue::kOpen, "decide later|what|whether|if|how|which|who"},
    {Cue::kOpen, "up to you"},
    {Cue::kOpen, "let us see|wait"},
    {Cue::kHypothetical, "if|whether|when i|we|you|they|he|she"},
    {Cue::kHypothetical, "could|would|should|might have"},
    {Cue::kHypothetical, "had to"},
    {Cue::kHypothetical, "used to"},
    {Cue::kHypothetical, "talk|talking|speak about"},
    {Cue::kHypothetical, "write|writing down"},
    {Cue::kHypothetical, "will|to ask you"},
    {Cue::kHypothetical, "check that out"},
    {Cue::kHypothetical, "i would >@verb"},
    {Cue::kNegated, "not|never|nobody|nothing"},
    {Cue::kNegated, "no !problem|worries|doubt"},
};

constexpr std::string_view kAdverbs[] = {"also", "just", "then", "probably", "definitely", "really", "maybe",  "quickly", "still", "first", "now",
                                         "actually", "all", "both", "perhaps", "simply", "already", "certainly", "gladly", "so",  "please", "not", "have"};
// Verbs of thinking and speaking: "I'll say", "let me see" and the like promise nothing.
constexpr std::string_view kIdleVerbs[] = {"say",    "think", "guess",  "hope",  "know",  "see",    "mean",    "imagine", "wonder", "admit", "bet",
                                           "assume", "suppose", "remember", "like", "love", "miss",  "wait",   "believe", "agree",  "understand",
                                           "hear",   "feel",  "doubt", "start", "begin", "stop",  "never",   "always",  "only",   "even", "use",
                                           "happy",  "afraid", "sure", "sorry", "tell", "pass",  "skip",   "quickly", "give",   "show", "explain",
                                           "probably", "definitely", "actually", "try", "ever", "need", "able", "supposed", "both", "each", "two", "first", "second", "too"};

// Deeds that are done after a meeting rather than in it.
constexpr std::string_view kTaskVerbs[] = {
    "call",   "phone",  "ring",    "email",    "mail",   "write",  "send",     "forward", "book",    "order",   "buy",    "contact", "ask",
    "arrange", "prepare", "organise", "organize", "schedule", "set", "update", "draft",   "review",  "fix",     "deploy", "test",    "finish",
    "submit", "talk",   "speak",   "check",    "research", "find", "print",    "bring",   "post",    "publish", "share",  "circulate", "invite",
    "train",  "hire",   "pay",     "confirm",  "cancel", "register", "sign",   "document", "investigate", "look", "follow", "report", "collect",
    "compile", "create", "design", "build",    "install", "upload", "deliver", "complete", "rent",   "reserve", "negotiate", "compare",
    "handle",  "measure", "clean",  "repair",  "translate", "announce", "notify", "inform", "remind", "request", "replace"};

bool contains(std::string_view alternatives, std::string_view word) {
  std::size_t at = 0;
  while (at <= alternatives.size()) {
    const std::size_t bar = std::min(alternatives.find('|', at), alternatives.size());
    if (alternatives.substr(at, bar - at) == word) return true;
    at = bar + 1;
  }
  return false;
}

struct Element {
  std::string_view text;
  bool verb = false;
};
struct Compiled {
  Cue cue;
  std::vector<Element> elements;
};

const std::vector<Compiled>& compiled() {
  static const std::vector<Compiled> all = [] {
    std::vector<Compiled> out;
    for (const auto& p : kPatterns) {
      Compiled c{p.cue, {}};
      for (std::string_view e : split(p.text, ' ')) {
        const bool verb = e.starts_with('>');
        c.elements.push_back({verb ? e.substr(1) : e, verb});
      }
      out.push_back(std::move(c));
    }
    return out;
  }();
  return all;
}

class Matcher {
 public:
  Matcher(std::span<const Token> tokens, const People& people) : t_(tokens), people_(people) {}

  bool match(const Compiled& p, std::size_t at, CueHit& hit) {
    hit = CueHit{p.cue, at, at, std::string_view::npos};
    if (!step(p.elements, 0, at, hit)) return false;
    if (hit.verb == std::string_view::npos) hit.verb = hit.end;
    return true;
  }

 private:
  bool step(const std::vector<Element>& e, std::size_t k, std::size_t i, CueHit& hit) {
    if (k == e.size()) {
      hit.end = i;
      return true;
    }
    const std::string_view x = e[k].text;
    if (x == "^") return i == 0 && step(e, k + 1, i, hit);
    if (x == "$") return i == t_.size() && step(e, k + 1, i, hit);
    if (x.starts_with('!')) return (i == t_.size() || !contains(x.substr(1), t_[i].norm)) && step(e, k + 1, i, hit);
    if (x == "~") {
      for (std::size_t n = 0; n <= 2; ++n) {
        if (step(e, k + 1, i + n, hit)) return true;
        if (i + n >= t_.size() || std::ranges::find(kAdverbs, t_[i + n].norm) == std::end(kAdverbs)) return false;
      }
      return false;
    }
    if (x == "_") {
      for (std::size_t n = 0; n <= 4 && i + n <= t_.size(); ++n) {
        if (step(e, k + 1, i + n, hit)) return true;
      }
      return false;
    }
    const std::size_t used = take(x, i);
    if (used == 0 || !step(e, k + 1, i + used, hit)) return false;
    if (e[k].verb) hit.verb = i;
    return true;
  }
  /// The number of tokens that one element takes at i, 0 when it does not match.
  std::size_t take(std::string_view x, std::size_t i) const {
    if (i >= t_.size()) return 0;
    const std::string_view w = t_[i].norm;
    if (x == "@any") return 1;
    if (x == "@verb") return is_deed(w) ? 1 : 0;
    if (x == "@ing") return w.size() > 5 && w.ends_with("ing") && w != "going" && is_deed(w) ? 1 : 0;
    if (x == "@role") {
      std::size_t used = 0;
      return people_.by_role(t_, i, used) >= 0 || generic_role(i, used) ? used : 0;
    }
    std::size_t at = 0;
    while (at <= x.size()) {
      const std::size_t bar = std::min(x.find('|', at), x.size());
      const std::string_view one = x.substr(at, bar - at);
      if (one == "@name" ? people_.names.contains(w) : one == w) return 1;
      at = bar + 1;
    }
    return 0;
  }
  static bool is_deed(std::string_view w) {
    const bool past = w.size() > 4 && w.ends_with("ed") && !w.ends_with("eed");
    return w.size() > 1 && !past && !is_stop_word(w) && std::ranges::find(kIdleVerbs, w) == std::end(kIdleVerbs);
  }
  bool generic_role(std::size_t i, std::size_t& used) const {
    static constexpr std::string_view kRoleWords[] = {"manager", "designer", "team", "marketing", "engineer", "expert", "director", "secretary", "lead"};
    used = 1;
    return std::ranges::find(kRoleWords, t_[i].norm) != std::end(kRoleWords);
  }

  std::span<const Token> t_;
  const People& people_;
};

void add(Cues& out, CueHit hit) {
  out.mask |= 1u << static_cast<unsigned>(hit.cue);
  out.hits.push_back(hit);
}

}  // namespace

People::People(std::vector<Attendee> list) : attendees(std::move(list)) {
  for (const auto& a : attendees) learn(a);
}

void People::learn(const Attendee& attendee) {
  auto& words = name_words.emplace_back();
  for (auto& t : tokenize(attendee.name)) {
    if (t.norm.size() < 2 || is_stop_word(t.norm) || t.norm == "speaker") continue;
    names.insert(t.norm);
    words.push_back(std::move(t.norm));
  }
  auto& role = role_words.emplace_back();
  for (auto& t : tokenize(attendee.role.value_or(""))) role.push_back(std::move(t.norm));
}

bool People::meet(std::string_view speaker) {
  for (const auto& a : attendees) {
    if (a.name == speaker) return false;
  }
  attendees.push_back({std::string(speaker), std::nullopt});
  learn(attendees.back());
  return true;
}

int People::by_word(std::string_view word) const {
  int found = -1;
  for (std::size_t i = 0; i < name_words.size(); ++i) {
    if (std::ranges::find(name_words[i], word) == name_words[i].end()) continue;
    if (found >= 0) return -1;
    found = static_cast<int>(i);
  }
  return found;
}

int People::by_role(std::span<const Token> tokens, std::size_t at, std::size_t& used) const {
  for (std::size_t i = 0; i < role_words.size(); ++i) {
    const auto& role = role_words[i];
    if (role.empty()) continue;
    std::string initials;
    std::size_t k = 0;
    for (const auto& r : role) {
      initials += r[0];
      if (at + k < tokens.size() && tokens[at + k].norm == r) ++k;
    }
    const std::string_view w = tokens[at].norm;
    const bool abbreviated = role.size() > 1 && (w == initials || w == initials + "d");
    // "interface specialist" for the role "User Interface", "industrial manager" for "Industrial Designer".
    static constexpr std::string_view kTitles[] = {"designer", "expert", "manager", "developer", "specialist", "executive", "engineer", "guy", "person"};
    const bool titled = at + 1 < tokens.size() && w.size() > 3 && std::ranges::find(role, w) != role.end() &&
                        std::ranges::find(kTitles, w) == std::end(kTitles) && std::ranges::find(kTitles, tokens[at + 1].norm) != std::end(kTitles);
    if (k == role.size() || abbreviated || titled) {
      used = abbreviated ? 1 : titled ? 2 : k;
      return static_cast<int>(i);
    }
  }
  return -1;
}

const CueHit* Cues::first(Cue c) const {
  for (const auto& h : hits) {
    if (h.cue == c) return &h;
  }
  return nullptr;
}

Cues find_cues(std::span<const Token> tokens, const People& people) {
  Cues out;
  Matcher matcher(tokens, people);
  CueHit hit;
  for (const auto& p : compiled()) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (matcher.match(p, i, hit)) {
        add(out, hit);
        break;
      }
    }
  }
  if (const auto due = find_due(tokens, std::nullopt)) {
    add(out, {Cue::kDue, due->begin, due->end, due->end});
    if (due->deadline) add(out, {Cue::kDeadline, due->begin, due->end, due->end});
  }
  constexpr std::uint32_t kCommitting = 0x7FFu;  // kPromise to kDo
  for (const CueHit& h : std::vector<CueHit>(out.hits)) {
    const bool deed = (kCommitting >> static_cast<unsigned>(h.cue) & 1u) != 0 && h.verb < h.end && !out.has(Cue::kTaskVerb);
    if (deed && std::ranges::find(kTaskVerbs, tokens[h.verb].norm) != std::end(kTaskVerbs)) add(out, {Cue::kTaskVerb, h.verb, h.verb + 1, h.verb});
  }
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    std::size_t used = 0;
    if (!out.has(Cue::kName) && people.names.contains(tokens[i].norm)) add(out, {Cue::kName, i, i + 1, i + 1});
    if (!out.has(Cue::kRole) && people.by_role(tokens, i, used) >= 0) add(out, {Cue::kRole, i, i + used, i + used});
  }
  return out;
}

}  // namespace hansard::analysis
