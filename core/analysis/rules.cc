#include "core/analysis/rules.h"

#include <algorithm>

namespace hansard::analysis {
namespace {

constexpr std::uint32_t bit(Cue c) { return 1u << static_cast<unsigned>(c); }

constexpr std::uint32_t kAsking =
    bit(Cue::kRequest) | bit(Cue::kPlease) | bit(Cue::kSomeone) | bit(Cue::kNeedWe) | bit(Cue::kAssign);
/// A reply longer than this says more than yes.
constexpr std::uint32_t kShortReply = 12;

}  // namespace

Replies find_replies(std::span<const Prepared* const> window, std::size_t middle) {
  Replies out;
  const std::uint32_t self = window[middle]->speaker;
  for (std::size_t i = 0; i < window.size(); ++i) {
    const Prepared& p = *window[i];
    const std::size_t distance = i < middle ? middle - i : i - middle;
    const bool other = p.speaker != self;
    if (i < middle) {
      out.asked_before |= other && distance <= 2 && (p.cues & kAsking) != 0;
      out.proposed_before |= (p.cues & (bit(Cue::kPropose) | bit(Cue::kLetUs))) != 0;
    } else if (i > middle && other && distance <= 2) {
      out.taken_after |= (p.cues & bit(Cue::kDo)) != 0;
      out.agreed_after |= (p.cues & bit(Cue::kAgree)) != 0 && p.words <= kShortReply && (p.cues & bit(Cue::kNegated)) == 0;
    }
  }
  return out;
}

double action_strength(const Cues& c, std::size_t words, bool question, const Replies& r) {
  double s = 0;
  const auto raise = [&](Cue cue, double to) {
    if (c.has(cue)) s = std::max(s, to);
  };
  raise(Cue::kPromise, 0.8);
  raise(Cue::kOffer, 0.5);
  raise(Cue::kNeedSelf, 0.5);
  raise(Cue::kPromiseSoft, 0.4);
  raise(Cue::kRequest, 0.7);
  raise(Cue::kPlease, 0.8);
  raise(Cue::kAssign, 0.6);
  raise(Cue::kSomeone, 0.4);
  raise(Cue::kNeedWe, 0.3);
  if (c.has(Cue::kDo)) s = std::max(s, r.asked_before ? 1.0 : 0.7);
  if (s == 0) return c.has(Cue::kTaskWord) ? 0.2 : 0.0;
  if (c.has(Cue::kDeadline))
    s += 0.6;
  else if (c.has(Cue::kDue))
    s += 0.5;
  const bool asks = c.has(Cue::kRequest) || c.has(Cue::kPlease) || c.has(Cue::kSomeone) || c.has(Cue::kAssign);
  if (asks && r.taken_after)
    s += 0.6;
  else if (asks && r.agreed_after)
    s += 0.2;
  if (asks && c.has(Cue::kName)) s += 0.3;
  if (c.has(Cue::kOffer) && r.asked_before) s += 0.4;
  if (c.has(Cue::kPromise) && r.asked_before) s += 0.2;
  if (c.has(Cue::kTaskWord)) s += c.has(Cue::kName) ? 0.4 : 0.2;
  if (c.has(Cue::kTaskVerb)) s += 0.2;
  if (words < 4 && !c.has(Cue::kDo)) s -= 0.3;
  if (c.has(Cue::kHypothetical)) s -= 0.5;
  if (c.has(Cue::kNegated) && !c.has(Cue::kPlease) && !c.has(Cue::kRequest)) s -= 0.4;
  if (question && !c.has(Cue::kRequest) && !c.has(Cue::kSomeone)) s -= 0.5;
  if (question && c.has(Cue::kSomeone) && !r.taken_after) s -= 0.3;
  return s;
}

double decision_strength(const Cues& c, std::size_t words, bool question, const Replies& r) {
  double s = 0;
  const auto raise = [&](Cue cue, double to) {
    if (c.has(cue)) s = std::max(s, to);
  };
  raise(Cue::kDecide, 1.0);
  raise(Cue::kChoose, words > 5 ? 1.0 : 0.9);
  raise(Cue::kConclude, 0.8);
  raise(Cue::kLetUs, 0.5);
  if (s == 0) return 0;
  if (c.has(Cue::kAgree) && (c.has(Cue::kChoose) || c.has(Cue::kConclude))) s += 0.2;
  if (r.agreed_after) s += 0.3;
  if (r.proposed_before) s += 0.2;
  if (words < 5 && !c.has(Cue::kDecide)) s -= 0.3;
  if (c.has(Cue::kOpen)) s -= 0.7;
  if (c.has(Cue::kHypothetical)) s -= 0.4;
  if (c.has(Cue::kPropose) && !c.has(Cue::kDecide)) s -= 0.3;
  return question ? std::min(s, 0.3) : s;
}

}  // namespace hansard::analysis
