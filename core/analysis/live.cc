#include "core/analysis/live.h"

#include <algorithm>

#include "core/analysis/summary.h"
#include "core/analysis/verify.h"

namespace hansard {
namespace {

using namespace analysis;

void sort_by_kind(std::vector<AnalysisItem>& items) {
  std::ranges::stable_sort(items, [](const AnalysisItem& a, const AnalysisItem& b) { return a.kind < b.kind; });
}

std::size_t shared_ids(const AnalysisItem& a, const AnalysisItem& b) {
  return static_cast<std::size_t>(std::ranges::count_if(
      a.utterance_ids, [&](const std::string& id) { return std::ranges::find(b.utterance_ids, id) != b.utterance_ids.end(); }));
}

/// Gives the final items the ids of the live ones they continue, new ids to the others, and writes the changes.
std::vector<ItemChange> reconcile(const std::vector<AnalysisItem>& live, std::vector<AnalysisItem>& final_items) {
  std::vector<bool> taken(live.size(), false);
  std::size_t actions = 0, decisions = 0;
  for (const auto& item : live) ++(item.kind == ItemKind::kActionItem ? actions : decisions);
  std::vector<ItemChange> out;
  for (AnalysisItem& item : final_items) {
    if (item.kind == ItemKind::kKeyPoint) {
      out.push_back({ItemChangeKind::kAdded, item});
      continue;
    }
    std::size_t best = live.size(), best_shared = 0;
    for (std::size_t i = 0; i < live.size(); ++i) {
      const std::size_t n = !taken[i] && live[i].kind == item.kind ? shared_ids(live[i], item) : 0;
      if (n > best_shared) best = i, best_shared = n;
    }
    if (best == live.size()) {
      item.id = item.kind == ItemKind::kActionItem ? "a" + std::to_string(++actions) : "d" + std::to_string(++decisions);
      out.push_back({ItemChangeKind::kAdded, item});
      continue;
    }
    taken[best] = true;
    item.id = live[best].id;
    if (!(item == live[best])) out.push_back({ItemChangeKind::kChanged, item});
  }
  for (std::size_t i = 0; i < live.size(); ++i) {
    if (!taken[i]) out.push_back({ItemChangeKind::kWithdrawn, live[i]});
  }
  return out;
}

}  // namespace

MeetingAnalysis analyze(const Model& model, const MeetingInfo& info, std::span<const Utterance> utterances) {
  std::vector<Utterance> ordered(utterances.begin(), utterances.end());
  std::ranges::stable_sort(ordered, [](const Utterance& a, const Utterance& b) { return a.start < b.start; });
  People people(info.participants);
  std::vector<Spoken> spoken;
  spoken.reserve(ordered.size());
  // Names are known from the start here, so that an early "Ada will ..." finds a speaker who has not spoken yet.
  for (const auto& u : ordered) people.meet(u.speaker);
  for (const auto& u : ordered) spoken.push_back(read_spoken(u, people));
  ItemBuilder builder(model, info.date);
  std::vector<double> summary_scores;
  const std::size_t n = spoken.size();
  for (std::size_t i = 0; i < n; ++i) {
    std::vector<const Spoken*> window;
    std::vector<const Prepared*> prepared;
    const std::size_t from = i < kNeighbours ? 0 : i - kNeighbours;
    for (std::size_t k = from; k < n && k <= i + kNeighbours; ++k) {
      window.push_back(&spoken[k]);
      prepared.push_back(&spoken[k].prepared);
    }
    const auto place = n >= kPlaceMinimum ? std::optional(Place{i, n}) : std::nullopt;
    builder.judge(window, i - from, place, people);
    summary_scores.push_back(model.margin(ItemKind::kKeyPoint, features(prepared, i - from, place), place.has_value()));
  }
  MeetingAnalysis out;
  out.items = builder.items();
  const auto points = key_points(spoken, summary_scores);
  out.summary = summary_text(points, spoken);
  out.items.insert(out.items.end(), points.begin(), points.end());
  drop_ungrounded(out.items, ordered);
  sort_by_kind(out.items);
  return out;
}

LiveAnalyzer::LiveAnalyzer(const Model& model, MeetingInfo info)
    : model_(model), info_(std::move(info)), people_(info_.participants), builder_(model, info_.date) {}

std::vector<ItemChange> LiveAnalyzer::judge(std::size_t at) {
  std::vector<const Spoken*> window;
  const std::size_t from = at < kNeighbours ? 0 : at - kNeighbours;
  for (std::size_t k = from; k < window_.size() && k <= at + kNeighbours; ++k) window.push_back(&window_[k]);
  --waiting_;
  ++judged_;
  return builder_.judge(window, at - from, std::nullopt, people_);
}

std::vector<ItemChange> LiveAnalyzer::add(const Utterance& utterance) {
  utterances_.push_back(utterance);
  utterances_.back().words.clear();
  std::size_t at = window_.size();
  const std::size_t first_waiting = window_.size() - waiting_;
  while (at > first_waiting && utterance.start < window_[at - 1].utterance.start) --at;
  window_.insert(window_.begin() + static_cast<std::ptrdiff_t>(at), read_spoken(utterance, people_));
  ++waiting_;
  if (waiting_ <= kNeighbours) return {};
  auto changes = judge(window_.size() - waiting_);
  while (window_.size() > 2 * kNeighbours) window_.pop_front();
  return changes;
}

LiveAnalyzer::Finish LiveAnalyzer::finish() {
  Finish out;
  while (waiting_ > 0) {
    for (auto& c : judge(window_.size() - waiting_)) out.changes.push_back(std::move(c));
  }
  out.result = analyze(model_, info_, utterances_);
  for (auto& c : reconcile(builder_.items(), out.result.items)) out.changes.push_back(std::move(c));
  return out;
}

}  // namespace hansard
