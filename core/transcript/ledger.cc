#include "core/transcript/ledger.h"

#include <algorithm>
#include <utility>

namespace hansard {
namespace {

int strength(Coverage c) {
  switch (c) {
    case Coverage::kLost: return 6;
    case Coverage::kWithheld: return 5;
    case Coverage::kTranscribed: return 4;
    case Coverage::kUnrecognized: return 3;
    case Coverage::kSilent: return 2;
    case Coverage::kPending: return 1;
  }
  return 0;
}

/// Appends, or lengthens the last interval when it says the same and ends where this one starts.
void append(std::vector<CoverageInterval>& out, const std::string& participant, MediaTime start, MediaTime end, Coverage state,
            const std::string& reason) {
  if (end <= start) return;
  if (!out.empty() && out.back().end == start && out.back().state == state && out.back().reason == reason) {
    out.back().end = end;
  } else {
    out.push_back({participant, start, end, state, reason});
  }
}

}  // namespace

Duration& CoverageTotals::of(Coverage state) {
  switch (state) {
    case Coverage::kTranscribed: return transcribed;
    case Coverage::kSilent: return silent;
    case Coverage::kPending: return pending;
    case Coverage::kWithheld: return withheld;
    case Coverage::kUnrecognized: return unrecognized;
    case Coverage::kLost: return lost;
  }
  return lost;
}

void CoverageLedger::joined(const std::string& participant, MediaTime at) {
  auto& presence = people_[participant].presence;
  if (!presence.empty() && presence.back().open) return;
  // A clock that was corrected must not make spans overlap.
  if (!presence.empty()) at = std::max(at, presence.back().end);
  presence.push_back({at, at, true});
}

void CoverageLedger::left(const std::string& participant, MediaTime at) {
  auto& presence = people_[participant].presence;
  if (presence.empty() || !presence.back().open) return;
  presence.back().end = std::max(at, presence.back().start);
  presence.back().open = false;
}

void CoverageLedger::add(const CoverageInterval& row) {
  if (row.end > row.start) people_[row.participant].rows.push_back(row);
}

void CoverageLedger::close(MediaTime at) {
  for (auto& [id, person] : people_) left(id, at);
  closed_ = true;
}

std::vector<CoverageInterval> CoverageLedger::intervals(const std::string& participant, MediaTime until) const {
  const auto it = people_.find(participant);
  if (it == people_.end()) return {};
  const Person& person = it->second;
  std::vector<const CoverageInterval*> rows;
  MediaTime last = until;
  for (const auto& row : person.rows) {
    rows.push_back(&row);
    last = std::max(last, row.end);
  }
  // A sweep over the points where something starts or ends; of the rows that hold there, the strongest wins, and of equals
  // the one whose reason comes first, so that the order of the rows does not matter.
  const auto stronger = [](const CoverageInterval* a, const CoverageInterval* b) {
    const int sa = strength(a->state);
    const int sb = strength(b->state);
    return sa != sb ? sa > sb : a->reason < b->reason;
  };
  std::sort(rows.begin(), rows.end(), [](const auto* a, const auto* b) { return a->start < b->start; });
  std::vector<CoverageInterval> out;
  std::size_t next_row = 0;
  std::vector<const CoverageInterval*> holding;
  for (const Span& span : person.presence) {
    const MediaTime span_end = span.open ? std::max(last, span.start) : span.end;
    MediaTime at = span.start;
    while (at < span_end) {
      while (next_row < rows.size() && rows[next_row]->start <= at) holding.push_back(rows[next_row++]);
      std::erase_if(holding, [&](const auto* r) { return r->end <= at; });
      MediaTime end = span_end;
      if (next_row < rows.size()) end = std::min(end, rows[next_row]->start);
      for (const auto* r : holding) end = std::min(end, r->end);
      if (holding.empty()) {
        append(out, participant, at, end, closed_ ? Coverage::kLost : Coverage::kPending, closed_ ? "unaccounted" : "");
      } else {
        const auto* best = *std::min_element(holding.begin(), holding.end(), stronger);
        append(out, participant, at, end, best->state, best->reason);
      }
      at = end;
    }
  }
  return out;
}

CoverageTotals CoverageLedger::totals(const std::string& participant, MediaTime until) const {
  CoverageTotals out;
  for (const auto& i : intervals(participant, until)) {
    Duration& sum = out.of(i.state);
    sum = sum + (i.end - i.start);
  }
  return out;
}

std::vector<std::string> CoverageLedger::participants() const {
  std::vector<std::string> out;
  for (const auto& [id, person] : people_) out.push_back(id);
  return out;
}

}  // namespace hansard
