#include "core/calendar/expand.h"

#include <algorithm>
#include <map>

#include "core/calendar/event_reader.h"
#include "core/calendar/series.h"

namespace hansard::calendar {
namespace {

std::int64_t floor_seconds(Instant t) { return t.ms >= 0 ? t.ms / 1000 : -((-t.ms + 999) / 1000); }
std::int64_t ceil_seconds(Instant t) { return -floor_seconds(Instant{-t.ms}); }

}  // namespace

Result<Expansion> expand(const Calendar& calendar, Instant from, Instant to, const ZoneTable& zones, const ExpandLimits& limits) {
  if (to < from) return fail(ErrorClass::kInvalid, "calendar", "the window ends before it begins");
  Expansion out;
  ZoneResolver resolver(calendar, zones);
  std::vector<Series> series;
  std::map<std::string_view, std::size_t> by_uid;
  for (std::size_t i = 0; i < calendar.events.size(); ++i) {
    const std::string& uid = calendar.events[i].uid;
    std::size_t at = series.size();
    if (!uid.empty()) at = by_uid.try_emplace(uid, at).first->second;
    if (at == series.size()) series.emplace_back(calendar, resolver, limits);
    series[at].add(i);
  }
  const bool lost = std::any_of(calendar.events.begin(), calendar.events.end(), [&](const VEvent& e) {
    return e.start.form == TimeForm::kZoned && resolver.find(e.object, e.start.tzid) == nullptr;
  });
  if (lost) note_problem(out.problems, "the time zone of an event does not exist: its times are read as local time");
  // Bounds that keep every later sum of seconds far from overflow; calendar time ends with the year 9999.
  constexpr std::int64_t kFar = std::int64_t{1} << 40;
  const std::int64_t first = std::clamp(ceil_seconds(from), -kFar, kFar);
  const std::int64_t last = std::clamp(ceil_seconds(to), -kFar, kFar);
  WorkBudget budget{limits.work_total};
  for (Series& one : series) {
    if (out.occurrences.size() > 4 * limits.max_occurrences) break;  // memory; told below
    if (!one.expand(first, last, budget, out.occurrences)) {
      note_problem(out.problems, "a recurrence rule gives more dates, or needs more work, than the limit: its list is cut short");
    }
  }
  std::sort(out.occurrences.begin(), out.occurrences.end(), [](const Occurrence& a, const Occurrence& b) {
    if (a.start != b.start) return a.start < b.start;
    if (a.uid != b.uid) return a.uid < b.uid;
    return a.key != b.key ? a.key < b.key : a.event < b.event;
  });
  if (out.occurrences.size() > limits.max_occurrences) {
    out.occurrences.resize(limits.max_occurrences);
    note_problem(out.problems, "more occurrences in this window than the limit: the later ones were left out");
  }
  return out;
}

Json occurrence_json(const Occurrence& o) {
  const auto time = [&](Instant t, WallSeconds wall) {
    return o.kind == TimeKind::kInstant ? format_rfc3339(t) : format_wall(wall, o.kind == TimeKind::kDate);
  };
  Json out = Json::object();
  out.set("uid", o.uid).set("summary", o.summary).set("status", o.status).set("all_day", o.all_day());
  out.set("start", time(o.start, o.wall_start)).set("end", time(o.end, o.wall_end));
  out.set("kind", o.kind == TimeKind::kInstant ? "instant" : o.kind == TimeKind::kDate ? "date" : "floating");
  return out;
}

}  // namespace hansard::calendar
