#include "core/analysis/item_builder.h"

#include <algorithm>
#include <cmath>

#include "core/analysis/due.h"
#include "core/analysis/verify.h"

namespace hansard::analysis {
namespace {

constexpr double kNearly = 1e-9;
/// Items that a later utterance may still join, and how many utterances later.
constexpr std::size_t kOpenDrafts = 8;
constexpr std::size_t kReplyReach = 3;
constexpr std::size_t kTopicReach = 6;

/// The stem joins plural, -ing and -ed forms.
std::string stem(const std::string& w) {
  for (const std::string_view suffix : {"ing", "ies", "ers", "ed", "es", "e", "s"}) {
    if (w.size() >= suffix.size() + 3 && w.ends_with(suffix)) return w.substr(0, w.size() - suffix.size());
  }
  return w;
}

std::set<std::string> stems_of(const SpokenSentence& s) {
  static const std::set<std::string_view> kEmpty = {"decided", "decide", "decision", "agree", "agreed", "settled",
                                                    "way",     "sounds", "deal",     "made",  "makes",  "sense",
                                                    "works",   "idea",   "will",     "them",  "today",  "tomorrow"};
  std::set<std::string> out;
  for (const Token& t : s.tokens) {
    if (t.norm.size() > 2 && !is_stop_word(t.norm) && !kEmpty.contains(t.norm)) out.insert(stem(t.norm));
  }
  return out;
}

std::size_t shared(const std::set<std::string>& a, const std::set<std::string>& b) {
  return static_cast<std::size_t>(std::ranges::count_if(a, [&](const std::string& w) { return b.contains(w); }));
}
bool same_topic(const std::set<std::string>& a, const std::set<std::string>& b) {
  const std::size_t both = shared(a, b);
  return both >= 2 && static_cast<double>(both) >= 0.5 * static_cast<double>(std::min(a.size(), b.size()));
}

double confidence(double margin, double strength) {
  const double x = std::max(margin, 3.0 * (strength - kRuleThreshold));
  return std::round(1000.0 / (1.0 + std::exp(-x))) / 1000.0;
}

std::string quote_of(const Spoken& spoken, const SpokenSentence& s) {
  return spoken.utterance.text.substr(s.span.begin, s.span.end - s.span.begin);
}

/// The time said in the next sentence of the same breath: "I'll write to them. You get a draft on Friday."
std::optional<DuePhrase> due_behind(const Spoken& spoken, const SpokenSentence* sentence, std::optional<CivilDate> today) {
  const auto next = static_cast<std::size_t>(sentence - spoken.sentences.data()) + 1;
  if (next >= spoken.sentences.size()) return std::nullopt;
  const SpokenSentence& s = spoken.sentences[next];
  const bool another_task =
      s.cues.has(Cue::kPromise) || s.cues.has(Cue::kRequest) || s.cues.has(Cue::kPlease) || s.cues.has(Cue::kAssign);
  const bool about_it = s.cues.has(Cue::kNeedSelf) || s.cues.has(Cue::kPromiseSoft) || s.tokens.size() < 6;
  return another_task || !about_it ? std::nullopt : find_due(s.tokens, today);
}

/// A sentence this strong says all by itself: who does what, and by when, or that it was asked for.
constexpr double kSaysAll = 1.3;
/// So sure the model must be of a decision in a long meeting of which no rule sees a sign: "Okay, next point." stands near many.
constexpr double kSureDecision = 0.3;

/// Whether a sentence counts. The trained model knows long meetings with their places best, but only meetings of its kind: there
/// the rules speak where it is nearly of their opinion, and for a task alone only when the sentence says all (where every rule
/// may speak alone it costs 0.03 of F1 held out, this 0.005). Elsewhere the model needs a hint from them, and they may speak
/// alone.
bool counts(ItemKind kind, double margin, double strength, bool long_meeting) {
  const double s = strength + kNearly;
  const bool task = kind == ItemKind::kActionItem;
  if (s >= kRuleThreshold && (!long_meeting || margin >= -1 || (task && s >= kSaysAll))) return true;
  if (margin < 0) return false;
  if (task) return long_meeting || s >= 0.3 || margin >= 1;
  return long_meeting ? s >= 0.3 || margin >= kSureDecision : s >= 0.5;
}

}  // namespace

std::vector<ItemChange> ItemBuilder::judge(std::span<const Spoken* const> window, std::size_t middle, std::optional<Place> place,
                                           const People& people) {
  ++turn_;
  changes_.clear();
  std::vector<const Prepared*> prepared;
  for (const Spoken* s : window) prepared.push_back(&s->prepared);
  const std::vector<Feature> row = features(prepared, middle, place);
  const Context at{window, middle, people};
  const bool long_meeting = place.has_value() || turn_ > kPlaceMinimum;
  const double action_margin = model_.margin(ItemKind::kActionItem, row, place.has_value());
  const double decision_margin = model_.margin(ItemKind::kDecision, row, place.has_value());
  const auto decisions = pick(at, ItemKind::kDecision, decision_margin, long_meeting);
  for (const Candidate& c : pick(at, ItemKind::kActionItem, action_margin, long_meeting)) {
    // One sentence is one or the other, unless the model is sure of both.
    const bool rather_decision =
        std::ranges::any_of(decisions, [&](const Candidate& d) { return d.sentence == c.sentence && d.strength > c.strength; });
    if (c.margin >= 0 || !rather_decision) action(at, c);
  }
  for (const Candidate& d : decisions) {
    const Replies replies = find_replies(prepared, middle);
    const double as_action = action_strength(d.sentence->cues, d.sentence->tokens.size(), d.sentence->span.question, replies);
    if (d.margin >= 0 || d.strength >= as_action) decision(at, d);
  }
  while (drafts_.size() > kOpenDrafts) drafts_.pop_front();
  return changes_;
}

std::vector<ItemBuilder::Candidate> ItemBuilder::pick(const Context& at, ItemKind kind, double margin, bool long_meeting) const {
  std::vector<const Prepared*> prepared;
  for (const Spoken* s : at.window) prepared.push_back(&s->prepared);
  const Replies replies = find_replies(prepared, at.middle);
  std::vector<Candidate> out;
  Candidate best;
  for (const SpokenSentence& s : at.self().sentences) {
    if (s.tokens.empty()) continue;
    const bool is_action = kind == ItemKind::kActionItem;
    const double strength = is_action ? action_strength(s.cues, s.tokens.size(), s.span.question, replies)
                                      : decision_strength(s.cues, s.tokens.size(), s.span.question, replies);
    const Candidate c{&s, is_action ? task_hit(s.cues) : nullptr, strength, margin};
    const bool better = best.sentence == nullptr || strength > best.strength ||
                        (strength == best.strength && s.tokens.size() > best.sentence->tokens.size());
    if (better) best = c;
    if (strength + kNearly >= kRuleThreshold && counts(kind, margin, strength, long_meeting)) out.push_back(c);
  }
  if (out.empty() && best.sentence != nullptr && margin >= 0 && counts(kind, margin, best.strength, long_meeting))
    out.push_back(best);
  return out;
}

ItemBuilder::Draft* ItemBuilder::recent(ItemKind kind, std::size_t reach) {
  for (auto d = drafts_.rbegin(); d != drafts_.rend(); ++d) {
    if (items_[d->item].kind == kind && turn_ - d->turn <= reach) return &*d;
  }
  return nullptr;
}

ItemBuilder::Reference ItemBuilder::asked(const Context& at, const Candidate& c) const {
  const bool has_verb = c.hit != nullptr && c.hit->verb < c.hit->end;
  const std::string verb = has_verb ? stem(c.sentence->tokens[c.hit->verb].norm) : std::string();
  const bool takes_on = c.sentence->cues.has(Cue::kDo);
  Reference asking;
  const std::size_t first = at.middle > kReplyReach ? at.middle - kReplyReach : 0;
  for (std::size_t i = at.middle + 1; i-- > first;) {
    const Spoken& spoken = *at.window[i];
    for (auto s = spoken.sentences.rbegin(); s != spoken.sentences.rend(); ++s) {
      if (&spoken == &at.self() && &*s >= c.sentence) continue;
      const bool same_verb =
          verb.size() > 2 && std::ranges::any_of(s->tokens, [&](const Token& t) { return stem(t.norm) == verb; });
      if (same_verb) return {&spoken, &*s};
      const bool other = spoken.speaker != at.self().speaker;
      const Cues& cues = s->cues;
      const bool asks = cues.has(Cue::kRequest) || cues.has(Cue::kPlease) || cues.has(Cue::kSomeone) || cues.has(Cue::kNeedWe) ||
                        cues.has(Cue::kAssign) || (takes_on && cues.has(Cue::kPropose) && s->tokens.size() > 4);
      // "I need to order gloves. I'll do that on Thursday."
      const bool own = !other && takes_on &&
                       (cues.has(Cue::kNeedSelf) || cues.has(Cue::kNeedWe) || cues.has(Cue::kOffer) || cues.has(Cue::kSomeone));
      if ((other ? asks : own) && !stems_of(*s).empty() && asking.spoken == nullptr) asking = {&spoken, &*s};
    }
  }
  return asking;
}

ItemBuilder::Reference ItemBuilder::proposed(const Context& at, const Candidate& c) const {
  Reference nearest;
  const std::size_t first = at.middle > kReplyReach ? at.middle - kReplyReach : 0;
  for (std::size_t i = at.middle + 1; i-- > first;) {
    const Spoken& spoken = *at.window[i];
    for (auto s = spoken.sentences.rbegin(); s != spoken.sentences.rend(); ++s) {
      if (&spoken == &at.self() && &*s >= c.sentence) continue;
      if (stems_of(*s).size() < 2) continue;
      const bool proposes =
          s->cues.has(Cue::kPropose) || s->cues.has(Cue::kLetUs) || s->cues.has(Cue::kChoose) || s->cues.has(Cue::kConclude);
      if (proposes && !s->span.question) return {&spoken, &*s};
      if (nearest.spoken == nullptr && !s->span.question) nearest = {&spoken, &*s};
    }
  }
  return nearest;
}

void ItemBuilder::action(const Context& at, const Candidate& c) {
  const Owner owner = find_owner(at.window, at.middle, *c.sentence, c.hit, at.people);
  Draft draft{0, turn_, at.self().speaker, owner.addressee, c.hit == nullptr, std::max(c.strength, 0.1), stems_of(*c.sentence)};
  if (is_anaphoric(*c.sentence, c.hit)) {
    const Reference words = asked(at, c);
    if (words.spoken != nullptr) {
      for (auto d = drafts_.rbegin(); d != drafts_.rend(); ++d) {
        const auto& ids = items_[d->item].utterance_ids;
        const bool cites = std::ranges::find(ids, words.spoken->utterance.id) != ids.end();
        if (items_[d->item].kind == ItemKind::kActionItem && cites && join(*d, at, c, &owner, false)) return;
      }
    }
    Draft* open = recent(ItemKind::kActionItem, kReplyReach);
    if (open != nullptr && (open->speaker != draft.speaker ? open->addressee : words.spoken == nullptr) &&
        join(*open, at, c, &owner, false))
      return;
    if (words.spoken != nullptr) {
      draft.stems = stems_of(*words.sentence);
      return create(at, c, ItemKind::kActionItem, words, std::move(draft), owner);
    }
    if (c.margin < 0 && c.sentence->tokens.size() < 6) return;
  } else {
    for (auto d = drafts_.rbegin(); d != drafts_.rend(); ++d) {
      const AnalysisItem& item = items_[d->item];
      if (item.kind != ItemKind::kActionItem || turn_ - d->turn > kTopicReach) continue;
      const bool fits = !item.owner || !owner.name || *item.owner == *owner.name || d->addressee || owner.addressee;
      if (fits && same_topic(d->stems, draft.stems) && join(*d, at, c, &owner, c.strength > d->weight)) return;
      // A sentence that ran over two utterances.
      const bool goes_on = d->speaker == draft.speaker && turn_ - d->turn <= 1 && (d->bare || draft.bare);
      if (goes_on && join(*d, at, c, &owner, d->bare && !draft.bare)) return;
    }
  }
  create(at, c, ItemKind::kActionItem, {&at.self(), c.sentence}, std::move(draft), owner);
}

void ItemBuilder::decision(const Context& at, const Candidate& c) {
  Draft draft{0, turn_, at.self().speaker, false, false, c.strength, stems_of(*c.sentence)};
  Reference words{&at.self(), c.sentence};
  const Cues& cues = c.sentence->cues;
  const bool names_choice = cues.has(Cue::kChoose) || cues.has(Cue::kLetUs) || cues.has(Cue::kConclude);
  const bool bare = draft.stems.empty() || (draft.stems.size() < 2 && !names_choice);
  if (Draft* open = recent(ItemKind::kDecision, bare ? kReplyReach : kTopicReach)) {
    const bool near = turn_ - open->turn <= 2;
    const bool weak_pair = c.strength + kNearly < kRuleThreshold || open->weight + kNearly < kRuleThreshold;
    const bool joined = bare || (near && weak_pair) || same_topic(open->stems, draft.stems);
    if (joined && join(*open, at, c, nullptr, !bare && c.strength > open->weight)) return;
  }
  if (bare) {
    const Reference earlier = proposed(at, c);
    if (earlier.spoken != nullptr) words = earlier;
    draft.stems = stems_of(*words.sentence);
  }
  create(at, c, ItemKind::kDecision, words, std::move(draft), {});
}

void ItemBuilder::create(const Context& at, const Candidate& c, ItemKind kind, const Reference& words, Draft draft,
                         const Owner& owner) {
  AnalysisItem item;
  item.kind = kind;
  if (kind == ItemKind::kActionItem) {
    item.text = task_text(*words.spoken, *words.sentence, task_hit(words.sentence->cues));
    item.owner = owner.name;
    auto due = find_due(c.sentence->tokens, date_);
    if (!due) due = find_due(words.sentence->tokens, date_);
    if (!due) due = due_behind(at.self(), c.sentence, date_);
    if (due && due->date) item.due = format_date(*due->date);
  } else {
    item.text = statement_text(*words.spoken, *words.sentence);
  }
  if (words.spoken != &at.self()) item.utterance_ids.push_back(words.spoken->utterance.id);
  item.utterance_ids.push_back(at.self().utterance.id);
  item.quote = quote_of(*words.spoken, *words.sentence);
  item.confidence = confidence(c.margin, c.strength);
  const std::vector<Utterance> cited = {words.spoken->utterance, at.self().utterance};
  if (!verify(item, cited)) return;
  item.id = kind == ItemKind::kActionItem ? "a" + std::to_string(++action_count_) : "d" + std::to_string(++decision_count_);
  draft.item = items_.size();
  items_.push_back(item);
  drafts_.push_back(std::move(draft));
  changes_.push_back({ItemChangeKind::kAdded, std::move(item)});
}

bool ItemBuilder::join(Draft& draft, const Context& at, const Candidate& c, const Owner* owner, bool take_text) {
  AnalysisItem item = items_[draft.item];
  const std::string& id = at.self().utterance.id;
  if (item.utterance_ids.back() != id) item.utterance_ids.push_back(id);
  const bool is_action = item.kind == ItemKind::kActionItem;
  if (take_text) {
    item.text = is_action ? task_text(at.self(), *c.sentence, c.hit) : statement_text(at.self(), *c.sentence);
    item.quote = quote_of(at.self(), *c.sentence);
    draft.weight = c.strength;
    draft.bare = false;
  }
  if (is_action) {
    const bool says_who = owner != nullptr && owner->name && !owner->addressee;
    if (says_who && (!item.owner || draft.addressee)) {
      item.owner = owner->name;
      draft.addressee = false;
    }
    const auto due = find_due(c.sentence->tokens, date_);
    if (due && due->date && (!item.due || due->deadline)) item.due = format_date(*due->date);
  }
  item.confidence = std::max(item.confidence, confidence(c.margin, c.strength));
  if (item.text.empty() || item.quote.empty()) return false;
  draft.turn = turn_;
  draft.stems.merge(stems_of(*c.sentence));
  if (item == items_[draft.item]) return true;
  items_[draft.item] = item;
  changes_.push_back({ItemChangeKind::kChanged, std::move(item)});
  return true;
}

}  // namespace hansard::analysis
