#include "core/analysis/phrase.h"

#include <algorithm>
#include <set>

namespace hansard::analysis {
namespace {

bool one_of(std::string_view w, std::initializer_list<std::string_view> list) { return std::ranges::find(list, w) != list.end(); }

bool is_filler(std::string_view w) {
  return one_of(w, {"so",   "okay",   "well",  "oh",      "and",     "but",     "then", "right",    "yes",    "no",
                    "sure", "good",   "great", "fine",    "perfect", "agreed",  "now",  "actually", "anyway", "basically",
                    "also", "thanks", "thank", "alright", "um",      "because", "true", "exactly",  "like"});
}

/// The index of the first token that is not a discourse marker. "All right", "thank you", "decision made" count as markers.
std::size_t skip_fillers(std::span<const Token> t) {
  std::size_t i = 0;
  while (i < t.size()) {
    const std::string_view next = i + 1 < t.size() ? std::string_view(t[i + 1].norm) : std::string_view();
    if ((t[i].norm == "all" && next == "right") || (t[i].norm == "thank" && next == "you") ||
        (t[i].norm == "i" && next == "think") || (t[i].norm == "decision" && next == "made") ||
        (t[i].norm == "you" && next == "know")) {
      i += 2;
    } else if (is_filler(t[i].norm)) {
      i += 1;
    } else {
      break;
    }
  }
  return i;
}

/// "working" -> "work", "making" -> "make", "getting" -> "get".
std::string without_ing(const std::string& w) {
  if (w.size() < 6 || !w.ends_with("ing")) return w;
  std::string stem = w.substr(0, w.size() - 3);
  static const std::set<std::string_view> kWithE = {
      "mak",   "tak",  "us",   "writ", "prepar", "giv",   "com",   "arrang",  "organis", "organiz", "updat", "schedul",
      "creat", "driv", "leav", "mov",  "chang",  "handl", "manag", "finalis", "finaliz", "evaluat", "shar"};
  if (kWithE.contains(stem)) return stem + "e";
  const std::size_t n = stem.size();
  if (stem[n - 1] == stem[n - 2] && !one_of(stem.substr(n - 1), {"l", "s", "f", "z", "e", "o"})) stem.pop_back();
  return stem;
}

std::string finish_sentence(std::string text) {
  while (!text.empty() && std::string_view(" .,;:?!-").find(text.back()) != std::string_view::npos) text.pop_back();
  if (text.empty()) return text;
  if (text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 32);
  return text + '.';
}

/// The text of tokens [from, size) with hesitations, cut-off words and repetitions left out, punctuation kept.
std::string clean(const Spoken& spoken, const SpokenSentence& s, std::size_t from, const std::string* me) {
  const std::string_view text = spoken.utterance.text;
  std::string out;
  std::uint32_t last_end = 0;
  for (std::size_t i = from; i < s.tokens.size(); ++i) {
    const Token& t = s.tokens[i];
    if (i > from && t.begin < last_end) continue;  // the second half of a contraction
    if (!out.empty()) {
      const std::string_view gap = text.substr(last_end, t.begin - last_end);
      const bool joined = gap.find(' ') == std::string_view::npos && gap.find('-') != std::string_view::npos;
      if (joined)
        out += '-';
      else if (text[t.begin] == '\'')
        out += "";
      else if (t.begin > last_end)
        out += s.tokens[i - 1].comma_after && !out.ends_with(',') ? ", " : " ";
    }
    if (me != nullptr && t.norm == "me")
      out += *me;
    else if (me != nullptr && t.norm == "my")
      out += *me + "'s";
    else
      out += text.substr(t.begin, t.end - t.begin);
    last_end = t.end;
  }
  return out;
}

int attendee_by_name(const People& people, const SpokenSentence& s, std::uint32_t not_speaker, bool vocative) {
  const auto& t = s.tokens;
  for (std::size_t i = 0; i < t.size(); ++i) {
    const int who = people.by_word(t[i].norm);
    if (who < 0 || who == static_cast<int>(not_speaker)) continue;
    const bool edge = i <= skip_fillers(t) || i + 1 == t.size() || t[i].comma_after || (i > 0 && t[i - 1].comma_after);
    if (!vocative || edge) return who;
  }
  return -1;
}

bool is_collective(const SpokenSentence& s) {
  const auto& t = s.tokens;
  for (std::size_t i = 0; i < t.size(); ++i) {
    const std::string_view next = i + 1 < t.size() ? std::string_view(t[i + 1].norm) : std::string_view();
    if (t[i].norm == "everyone") return true;
    if (one_of(t[i].norm, {"you"}) && one_of(next, {"two", "guys", "all", "both", "each"})) return true;
    if (one_of(t[i].norm, {"both", "all", "each", "two"}) && next == "of") return true;
  }
  return false;
}

/// The other speaker who takes the turn next, else the one who had it before; -1 when there is none near.
int partner(std::span<const Spoken* const> window, std::size_t middle) {
  const std::uint32_t self = window[middle]->speaker;
  for (std::size_t i = middle + 1; i < window.size(); ++i) {
    if (window[i]->speaker != self) return static_cast<int>(window[i]->speaker);
  }
  for (std::size_t i = middle; i-- > 0;) {
    if (window[i]->speaker != self) return static_cast<int>(window[i]->speaker);
  }
  return -1;
}

Owner by_name_or_role(const SpokenSentence& s, const CueHit* hit, const People& people) {
  std::string names;
  std::set<int> seen;
  const std::size_t end = hit != nullptr ? hit->verb : s.tokens.size();
  for (std::size_t i = hit != nullptr ? hit->begin : 0; i < end && i < s.tokens.size(); ++i) {
    std::size_t used = 1;
    int who = people.by_word(s.tokens[i].norm);
    if (who < 0) who = people.by_role(s.tokens, i, used);
    if (who < 0) continue;
    i += used - 1;
    if (!seen.insert(who).second) continue;
    if (!names.empty()) names += " and ";
    names += people.attendees[static_cast<std::size_t>(who)].name;
  }
  if (names.empty()) return {};
  return {names, false};
}

}  // namespace

bool is_spoken_name(const std::string& name) {
  return name.size() > 1 && !name.starts_with("Speaker") && name.find_first_of("0123456789") == std::string::npos;
}

const CueHit* task_hit(const Cues& cues) {
  for (const Cue c : {Cue::kRequest, Cue::kPlease, Cue::kPromise, Cue::kAssign, Cue::kDo, Cue::kNeedSelf, Cue::kOffer,
                      Cue::kPromiseSoft, Cue::kSomeone, Cue::kNeedWe}) {
    if (const CueHit* hit = cues.first(c)) return hit;
  }
  return nullptr;
}

std::string task_text(const Spoken& spoken, const SpokenSentence& s, const CueHit* hit) {
  const bool has_verb = hit != nullptr && hit->verb < s.tokens.size() && hit->verb < hit->end;
  if (!has_verb) return statement_text(spoken, s);
  const bool request = hit->cue == Cue::kRequest || hit->cue == Cue::kPlease || hit->cue == Cue::kAssign;
  const std::string* me = request && is_spoken_name(spoken.utterance.speaker) ? &spoken.utterance.speaker : nullptr;
  std::size_t verb = hit->verb;
  while (verb + 1 < s.tokens.size() && one_of(s.tokens[verb].norm, {"to", "be", "able", "just", "also", "then", "going"})) ++verb;
  std::string text = clean(spoken, s, verb, me);
  const Token& first = s.tokens[verb];
  if (first.norm.ends_with("ing") &&
      text.starts_with(std::string_view(spoken.utterance.text).substr(first.begin, first.end - first.begin))) {
    text.replace(0, first.end - first.begin, without_ing(first.norm));
  }
  return finish_sentence(std::move(text));
}

std::string statement_text(const Spoken& spoken, const SpokenSentence& s) {
  const std::size_t from = skip_fillers(s.tokens);
  if (from >= s.tokens.size()) return finish_sentence(clean(spoken, s, 0, nullptr));
  const Token& first = s.tokens[from];
  const bool inside_contraction = from > 0 && s.tokens[from - 1].begin == first.begin;
  return finish_sentence(clean(spoken, s, inside_contraction ? from - 1 : from, nullptr));
}

bool is_anaphoric(const SpokenSentence& s, const CueHit* hit) {
  if (hit == nullptr || hit->verb >= hit->end) return s.cues.has(Cue::kDo);
  const auto& t = s.tokens;
  const std::size_t object = hit->verb + 1;
  if (object >= t.size()) return true;
  if (!one_of(t[object].norm, {"it", "them", "that", "this", "so"})) return false;
  // Whatever else is said to be done must be a time: "I'll book them before Friday", but not "confirm that with the hotel".
  const CueHit* due = s.cues.first(Cue::kDue);
  for (std::size_t i = object + 1; i < t.size(); ++i) {
    if (t[i].comma_after && i > object + 1) break;
    const bool in_time = due != nullptr && i >= due->begin && i < due->end;
    if (!in_time && !is_stop_word(t[i].norm) &&
        !one_of(t[i].norm, {"today", "soon", "later", "first", "myself", "anything", "decide"}))
      return false;
  }
  return true;
}

Owner find_owner(std::span<const Spoken* const> window, std::size_t middle, const SpokenSentence& s, const CueHit* hit,
                 const People& people) {
  const Spoken& self = *window[middle];
  const auto name_of = [&](int who) { return people.attendees[static_cast<std::size_t>(who)].name; };
  if (hit == nullptr) {
    if (is_collective(s)) return {std::string(kEveryone), false};
    if (Owner named = by_name_or_role(s, nullptr, people); named.name) return named;
    const bool addressed = std::ranges::any_of(s.tokens, [](const Token& t) { return t.norm == "you"; });
    const int who = addressed ? partner(window, middle) : -1;
    return who < 0 ? Owner{} : Owner{name_of(who), true};
  }
  switch (hit->cue) {
    case Cue::kPromise:
    case Cue::kOffer:
    case Cue::kNeedSelf:
    case Cue::kDo: return {self.utterance.speaker, false};
    case Cue::kPromiseSoft: {
      const bool we = s.tokens[hit->begin].norm == "we";
      return we ? Owner{std::string(kEveryone), false} : Owner{self.utterance.speaker, false};
    }
    case Cue::kNeedWe: return {std::string(kEveryone), true};
    case Cue::kSomeone: return {std::nullopt, true};
    case Cue::kAssign: {
      Owner named = by_name_or_role(s, hit, people);
      if (named.name) return named;
      break;
    }
    default: break;
  }
  if (is_collective(s)) return {std::string(kEveryone), false};
  if (const int who = attendee_by_name(people, s, self.speaker, true); who >= 0) return {name_of(who), false};
  if (Owner named = by_name_or_role(s, nullptr, people); named.name && s.cues.has(Cue::kRole)) return named;
  if (const int who = partner(window, middle); who >= 0) return {name_of(who), true};
  return {};
}

}  // namespace hansard::analysis
