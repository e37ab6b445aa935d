#include "core/analysis/cues.h"

#include <algorithm>
#include <string_view>

#include "core/analysis/cue_patterns.h"
#include "core/analysis/due.h"
#include "core/base/text.h"

namespace hansard::analysis {
namespace {

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
    for (const auto& p : kCuePatterns) {
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
