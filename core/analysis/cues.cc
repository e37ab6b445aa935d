#include "core/analysis/cues.h"

#include <algorithm>
#include <string_view>

#include "core/analysis/cue_patterns.h"
#include "core/analysis/due.h"
#include "core/base/text.h"

namespace hansard::analysis {
namespace {

struct Element {
  enum class Kind : std::uint8_t { kWords, kStart, kEnd, kNot, kSomeAdverbs, kSomeWords, kAny, kVerb, kIng, kRole };
  Kind kind = Kind::kWords;
  bool verb = false;
  bool name = false;  ///< @name is among the words
  std::vector<std::string_view> words;

  bool has(std::string_view word) const { return std::ranges::find(words, word) != words.end(); }
};

Element compile(std::string_view text) {
  using enum Element::Kind;
  static constexpr std::pair<std::string_view, Element::Kind> kSpecial[] = {
      {"^", kStart},  {"$", kEnd},      {"~", kSomeAdverbs}, {"_", kSomeWords},
      {"@any", kAny}, {"@verb", kVerb}, {"@ing", kIng},      {"@role", kRole}};
  Element out;
  out.verb = text.starts_with('>');
  if (out.verb) text.remove_prefix(1);
  for (const auto& [name, kind] : kSpecial) {
    if (text == name) {
      out.kind = kind;
      return out;
    }
  }
  if (text.starts_with('!')) {
    out.kind = kNot;
    text.remove_prefix(1);
  }
  for (const std::string_view word : split(text, '|')) {
    if (word == "@name") {
      out.name = true;
    } else {
      out.words.push_back(word);
    }
  }
  return out;
}

struct Compiled {
  Cue cue;
  std::vector<Element> elements;
};

/// The table, ready to match, and which of its patterns can begin with a word: most tokens begin none.
struct Patterns {
  std::vector<Compiled> all;
  std::vector<std::pair<std::string_view, std::uint16_t>> by_word;  ///< ascending
  std::vector<std::uint16_t> anywhere;                              ///< their begin is no plain word

  Patterns() {
    for (const auto& p : kCuePatterns) {
      const auto number = static_cast<std::uint16_t>(all.size());
      Compiled& c = all.emplace_back(Compiled{p.cue, {}});
      for (const std::string_view e : split(p.text, ' ')) c.elements.push_back(compile(e));
      const Element& first = c.elements.front();
      if (first.kind != Element::Kind::kWords || first.name) {
        anywhere.push_back(number);
        continue;
      }
      for (const std::string_view word : first.words) by_word.emplace_back(word, number);
    }
    std::ranges::sort(by_word);
  }

  /// (pattern, token) pairs at which a match can begin, in the order of the table, then of the text.
  std::vector<std::pair<std::uint16_t, std::size_t>> candidates(std::span<const Token> tokens) const {
    std::vector<std::pair<std::uint16_t, std::size_t>> out;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const std::string_view word = tokens[i].norm;
      auto it = std::ranges::lower_bound(by_word, word, {}, &std::pair<std::string_view, std::uint16_t>::first);
      for (; it != by_word.end() && it->first == word; ++it) out.emplace_back(it->second, i);
      for (const std::uint16_t p : anywhere) {
        if (i == 0 || all[p].elements.front().kind != Element::Kind::kStart) out.emplace_back(p, i);
      }
    }
    std::ranges::sort(out);
    return out;
  }
};

const Patterns& patterns() {
  static const Patterns all;
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
    using enum Element::Kind;
    switch (e[k].kind) {
      case kStart: return i == 0 && step(e, k + 1, i, hit);
      case kEnd: return i == t_.size() && step(e, k + 1, i, hit);
      case kNot: return (i == t_.size() || !e[k].has(t_[i].norm)) && step(e, k + 1, i, hit);
      case kSomeAdverbs:
        for (std::size_t n = 0; n <= 2; ++n) {
          if (step(e, k + 1, i + n, hit)) return true;
          if (i + n >= t_.size() || std::ranges::find(kAdverbs, t_[i + n].norm) == std::end(kAdverbs)) return false;
        }
        return false;
      case kSomeWords:
        for (std::size_t n = 0; n <= 4 && i + n <= t_.size(); ++n) {
          if (step(e, k + 1, i + n, hit)) return true;
        }
        return false;
      default: break;
    }
    const std::size_t used = take(e[k], i);
    if (used == 0 || !step(e, k + 1, i + used, hit)) return false;
    if (e[k].verb) hit.verb = i;
    return true;
  }
  /// The number of tokens that one element takes at i, 0 when it does not match.
  std::size_t take(const Element& e, std::size_t i) const {
    if (i >= t_.size()) return 0;
    const std::string_view w = t_[i].norm;
    switch (e.kind) {
      case Element::Kind::kAny: return 1;
      case Element::Kind::kVerb: return is_deed(w) ? 1 : 0;
      case Element::Kind::kIng: return w.size() > 5 && w.ends_with("ing") && w != "going" && is_deed(w) ? 1 : 0;
      case Element::Kind::kRole: {
        std::size_t used = 0;
        return people_.by_role(t_, i, used) >= 0 || generic_role(i, used) ? used : 0;
      }
      default: return e.has(w) || (e.name && people_.names.contains(w)) ? 1 : 0;
    }
  }
  static bool is_deed(std::string_view w) {
    const bool past = w.size() > 4 && w.ends_with("ed") && !w.ends_with("eed");
    return w.size() > 1 && !past && !is_stop_word(w) && std::ranges::find(kIdleVerbs, w) == std::end(kIdleVerbs);
  }
  bool generic_role(std::size_t i, std::size_t& used) const {
    static constexpr std::string_view kRoleWords[] = {"manager", "designer", "team",      "marketing", "engineer",
                                                      "expert",  "director", "secretary", "lead"};
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
    static constexpr std::string_view kTitles[] = {"designer",  "expert",   "manager", "developer", "specialist",
                                                   "executive", "engineer", "guy",     "person"};
    const bool titled = at + 1 < tokens.size() && w.size() > 3 && std::ranges::find(role, w) != role.end() &&
                        std::ranges::find(kTitles, w) == std::end(kTitles) &&
                        std::ranges::find(kTitles, tokens[at + 1].norm) != std::end(kTitles);
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
  std::size_t matched = patterns().all.size();  // none
  for (const auto& [p, at] : patterns().candidates(tokens)) {
    if (p == matched || !matcher.match(patterns().all[p], at, hit)) continue;
    matched = p;
    add(out, hit);
  }
  if (const auto due = find_due(tokens, std::nullopt)) {
    add(out, {Cue::kDue, due->begin, due->end, due->end});
    if (due->deadline) add(out, {Cue::kDeadline, due->begin, due->end, due->end});
  }
  constexpr std::uint32_t kCommitting = 0x7FFu;  // kPromise to kDo
  for (const CueHit& h : std::vector<CueHit>(out.hits)) {
    const bool deed = (kCommitting >> static_cast<unsigned>(h.cue) & 1u) != 0 && h.verb < h.end && !out.has(Cue::kTaskVerb);
    if (deed && std::ranges::find(kTaskVerbs, tokens[h.verb].norm) != std::end(kTaskVerbs))
      add(out, {Cue::kTaskVerb, h.verb, h.verb + 1, h.verb});
  }
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    std::size_t used = 0;
    if (!out.has(Cue::kName) && people.names.contains(tokens[i].norm)) add(out, {Cue::kName, i, i + 1, i + 1});
    if (!out.has(Cue::kRole) && people.by_role(tokens, i, used) >= 0) add(out, {Cue::kRole, i, i + used, i + used});
  }
  return out;
}

}  // namespace hansard::analysis
