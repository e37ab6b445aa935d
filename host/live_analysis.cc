#include "host/live_analysis.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/analysis/live.h"
#include "core/base/check.h"
#include "core/calendar/zone.h"
#include "host/record_reader.h"

namespace hansard::host {
namespace {

/// The day on which it is `t` in the reader's zone: what "by Friday" is relative to.
CivilDate local_date(Instant t, const std::optional<calendar::TimeZone>& zone) {
  const std::int64_t utc = t.ms / 1000;
  const std::int64_t wall = zone ? zone->to_wall(utc) : utc;
  return civil_from_days(calendar::wall_day(wall));
}

}  // namespace

struct LiveAnalysis::Impl {
  struct Running {
    std::optional<LiveAnalyzer> analyzer;
    std::map<std::string, AnalysisItem> known;  ///< as recorded
  };

  Impl(Store& s, const ExecutorConfig& config) : store(s), model(config.analysis_model) {
    const auto bytes = config.read_zone ? config.read_zone(config.local_zone) : std::nullopt;
    if (!bytes) return;
    if (auto read = calendar::TimeZone::from_tzif(*bytes)) zone = std::move(*read);
  }

  /// The meeting's analyzer and whether it had to be rebuilt, which includes all that is stored.
  Result<std::pair<Running*, bool>> get(const std::string& meeting, Instant start) {
    CHECK(model != nullptr);
    const auto it = running.find(meeting);
    if (it != running.end()) return std::pair{&it->second, false};
    Running fresh;
    MeetingInfo info;
    info.date = local_date(start, zone);
    fresh.analyzer.emplace(*model, std::move(info));
    const auto read = for_each_record(store, meeting, {"utterance.final", "analysis.item"}, [&](const LiveRecord& row) {
      if (const auto* u = std::get_if<flow::UtteranceRecord>(&row.record)) static_cast<void>(fresh.analyzer->add(u->utterance));
      if (const auto* i = std::get_if<flow::ItemRecord>(&row.record)) apply_changes(fresh.known, {i->change});
    });
    if (!read) return std::unexpected<Error>(read.error());
    return std::pair{&running.emplace(meeting, std::move(fresh)).first->second, true};
  }

  Store& store;
  std::shared_ptr<const analysis::Model> model;
  std::optional<calendar::TimeZone> zone;
  std::map<std::string, Running> running;
};

LiveAnalysis::LiveAnalysis(Store& store, const ExecutorConfig& config) : impl_(std::make_unique<Impl>(store, config)) {}
LiveAnalysis::~LiveAnalysis() = default;

Result<std::vector<ItemChange>> LiveAnalysis::add(const std::string& meeting, const Utterance& utterance, Instant start) {
  auto got = impl_->get(meeting, start);
  if (!got) return pass(got);
  auto [r, rebuilt] = *got;
  auto changes = rebuilt ? item_changes(r->known, r->analyzer->items()) : r->analyzer->add(utterance);
  apply_changes(r->known, changes);
  return changes;
}

Result<LiveAnalysis::Final> LiveAnalysis::finish(const std::string& meeting, Instant start) {
  auto got = impl_->get(meeting, start);
  if (!got) return pass(got);
  auto finished = got->first->analyzer->finish();
  Final out;
  out.changes = item_changes(got->first->known, finished.result.items);
  out.items = std::move(finished.result.items);
  out.summary = std::move(finished.result.summary);
  forget(meeting);
  return out;
}

void LiveAnalysis::forget(const std::string& meeting) { impl_->running.erase(meeting); }

std::vector<ItemChange> item_changes(const std::map<std::string, AnalysisItem>& before, const std::vector<AnalysisItem>& after) {
  std::vector<ItemChange> out;
  for (const auto& [id, item] : before) {
    if (std::none_of(after.begin(), after.end(), [&](const auto& a) { return a.id == id; }))
      out.push_back({ItemChangeKind::kWithdrawn, item});
  }
  for (const AnalysisItem& item : after) {
    const auto it = before.find(item.id);
    if (it == before.end()) {
      out.push_back({ItemChangeKind::kAdded, item});
    } else if (!(it->second == item)) {
      out.push_back({ItemChangeKind::kChanged, item});
    }
  }
  return out;
}

void apply_changes(std::map<std::string, AnalysisItem>& items, const std::vector<ItemChange>& changes) {
  for (const ItemChange& c : changes) {
    if (c.change == ItemChangeKind::kWithdrawn) {
      items.erase(c.item.id);
    } else {
      items[c.item.id] = c.item;
    }
  }
}

}  // namespace hansard::host
