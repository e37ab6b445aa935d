#include "core/calendar/series.h"

#include <algorithm>

#include "core/base/hash.h"

namespace hansard::calendar {
namespace {

/// Wider than any offset from UTC in use, for windows that are given in UTC and searched on the wall.
constexpr std::int64_t kMargin = std::int64_t{16} * 3600;

}  // namespace

// ---- reading times ---------------------------------------------------------------------------------------------

Series::Frame Series::frame_of(const VEvent& e, const CalTime& t) {
  switch (t.form) {
    case TimeForm::kDate: return {TimeKind::kDate, nullptr};
    case TimeForm::kUtc: return {TimeKind::kInstant, nullptr};
    case TimeForm::kZoned:
      if (const TimeZone* zone = zones_.find(e.object, t.tzid)) return {TimeKind::kInstant, zone};
      return {TimeKind::kFloating, nullptr};
    default:
      // A floating series whose EXDATEs are in UTC can only be meant in UTC: else they would exclude nothing.
      if (!e.exdates.empty() && e.exdates.front().form == TimeForm::kUtc) return {TimeKind::kInstant, nullptr};
      return {TimeKind::kFloating, nullptr};
  }
}

TimeKey Series::key_of(const Frame& frame, WallSeconds wall) {
  return frame.kind == TimeKind::kInstant && frame.zone != nullptr ? frame.zone->to_utc(wall) : wall;
}

WallSeconds Series::wall_of(const Frame& frame, TimeKey key) {
  return frame.kind == TimeKind::kInstant && frame.zone != nullptr ? frame.zone->to_wall(key) : key;
}

/// A time of this series (EXDATE, RDATE, RECURRENCE-ID) as a key in the frame of the master. Producers mix forms: a
/// floating time on a timed series is read in its zone, any time on a floating or all-day series by its digits.
/// Nothing for a DATE on a timed series: that names a day, not a time.
std::optional<TimeKey> Series::align(const VEvent& e, const CalTime& t, const Frame& frame) {
  if (frame.kind == TimeKind::kDate) return wall_day(t.wall) * kDaySeconds;
  if (t.form == TimeForm::kDate) return std::nullopt;
  if (frame.kind == TimeKind::kFloating) return t.wall;
  const Frame own = frame_of(e, t);
  return own.kind == TimeKind::kInstant ? key_of(own, t.wall) : key_of(frame, t.wall);
}

std::int64_t Series::instant_of(const Frame& frame, WallSeconds wall) const {
  if (frame.kind == TimeKind::kInstant) return key_of(frame, wall);
  return limits_.local_zone != nullptr ? limits_.local_zone->to_utc(wall) : wall;
}

// ---- which VEVENT counts ---------------------------------------------------------------------------------------

/// True when `a` replaces `b`: SEQUENCE, then LAST-MODIFIED, then DTSTAMP; the later in the file when all are equal.
bool Series::newer(const VEvent& a, const VEvent& b) const {
  if (a.sequence != b.sequence) return a.sequence > b.sequence;
  const auto compare = [](const std::optional<Instant>& x, const std::optional<Instant>& y) {
    return x && y ? (x->ms > y->ms) - (x->ms < y->ms) : 0;
  };
  if (const int c = compare(a.last_modified, b.last_modified); c != 0) return c > 0;
  return compare(a.stamp, b.stamp) >= 0;
}

void Series::add(std::size_t index) {
  const VEvent& e = event(index);
  if (e.recurrence_id) {
    override_events_.push_back(index);
  } else if (!master_ || newer(e, event(*master_))) {
    master_ = index;
  }
}

void Series::sort_overrides() {
  if (master_) frame_ = frame_of(event(*master_), event(*master_).start);
  for (const std::size_t index : override_events_) {
    const VEvent& e = event(index);
    const Frame frame = master_ ? frame_ : frame_of(e, e.recurrence_id);
    auto key = align(e, e.recurrence_id, frame);
    if (!key) {  // a DATE on a timed series: the instance of that day, at the master's time of day
      const WallSeconds start = event(*master_).start.wall;
      key = key_of(frame, e.recurrence_id.wall + start - wall_day(start) * kDaySeconds);
    }
    if (e.this_and_future && master_) {
      const WallSeconds to = wall_of(frame_, align(e, e.start, frame_).value_or(*key));
      ranges_.push_back({*key, index, to - wall_of(frame_, *key)});
      continue;
    }
    const auto [it, fresh] = overrides_.try_emplace(*key, index);
    if (!fresh && newer(e, event(it->second))) it->second = index;
  }
  std::stable_sort(ranges_.begin(), ranges_.end(), [](const Range& a, const Range& b) { return a.key < b.key; });
}

// ---- the set of starts -----------------------------------------------------------------------------------------

/// An upper bound of the length of any occurrence of `e`, in seconds.
std::int64_t Series::longest(const VEvent& e) const {
  std::int64_t out = e.start.form == TimeForm::kDate ? kDaySeconds : 0;
  const auto consider = [&](const std::optional<CalDuration>& d, const CalTime& from, const CalTime& to) {
    if (d) out = std::max(out, d->days * kDaySeconds + d->seconds + std::int64_t{2} * 3600);  // a change of the clock in between
    if (to) out = std::max(out, to.wall - from.wall + 2 * kMargin);
  };
  consider(e.duration, e.start, e.end);
  for (const RecurrenceDate& r : e.rdates) consider(r.duration, r.start, r.end);
  return out;
}

bool Series::add_rule(const RRule& rule, std::int64_t from, std::int64_t to, WorkBudget& budget, std::vector<Start>& out) {
  const VEvent& master = event(*master_);
  const bool utc_until = rule.until && rule.until->form == TimeForm::kUtc;
  WallSeconds stop = to;
  if (rule.until && rule.until->form == TimeForm::kDate && master.start.form == TimeForm::kUtc) {
    // A DATE ends a series in a zone with that day; where only UTC is known, nobody knows whose day: midnight counts.
    stop = std::min(stop, rule.until->wall);
  }
  if (utc_until) {
    // All-day and floating series have no UTC: their digits count. Otherwise the last instance is compared as UTC.
    const WallSeconds last = frame_.kind == TimeKind::kInstant ? rule.until->wall + kMargin : rule.until->wall;
    stop = std::min(stop, last);
  }
  // A small share is granted even when other series used everything up: they must not hide this one.
  constexpr std::int64_t kFloor = 2'000;
  WorkBudget own{std::min(limits_.work_per_series, std::max(budget.left, kFloor))};
  const std::int64_t granted = own.left;
  RecurrenceIterator it(rule, master.start.wall, stop, own);
  it.seek(from);
  bool complete = true;
  while (const auto wall = it.next()) {
    const TimeKey key = key_of(frame_, *wall);
    if (utc_until && frame_.kind == TimeKind::kInstant && key > rule.until->wall) break;
    if (key < first_key_) continue;  // over before the window begins
    if (out.size() > limits_.max_per_series) {
      complete = false;
      break;
    }
    out.push_back({key, *wall, nullptr});
  }
  budget.left -= granted - std::max<std::int64_t>(own.left, 0);
  return complete && !it.out_of_budget();
}

bool Series::excluded(const Start& s) const {
  return std::binary_search(exdates_.begin(), exdates_.end(), s.key) ||
         std::binary_search(exdays_.begin(), exdays_.end(), wall_day(s.wall));
}

/// The starts in [from, to) on the wall, sorted, without duplicates and without what EXDATE and EXRULE remove.
bool Series::collect_starts(std::int64_t from, std::int64_t to, WorkBudget& budget, std::vector<Start>& out) {
  const VEvent& master = event(*master_);
  bool complete = true;
  out.push_back({key_of(frame_, master.start.wall), master.start.wall, nullptr});
  for (const RRule& rule : master.rules) complete = add_rule(rule, from, to, budget, out) && complete;
  for (const RecurrenceDate& r : master.rdates) {
    // A DATE on a timed series takes the master's time of day.
    const WallSeconds clock = master.start.wall - wall_day(master.start.wall) * kDaySeconds;
    const TimeKey key = align(master, r.start, frame_).value_or(key_of(frame_, r.start.wall + clock));
    const WallSeconds wall = wall_of(frame_, key);
    if (wall < from || wall > to) continue;
    out.push_back({key, wall, r.end || r.duration ? &r : nullptr});
  }
  // A period comes before the plain start of the same time, so that its length wins.
  std::stable_sort(out.begin(), out.end(), [](const Start& a, const Start& b) {
    return a.key != b.key ? a.key<b.key : (a.period != nullptr)>(b.period != nullptr);
  });
  out.erase(std::unique(out.begin(), out.end(), [](const Start& a, const Start& b) { return a.key == b.key; }), out.end());
  std::vector<Start> gone;
  for (const RRule& rule : master.exclusion_rules) complete = add_rule(rule, from, to, budget, gone) && complete;
  std::sort(gone.begin(), gone.end());
  std::erase_if(out, [&](const Start& s) { return excluded(s) || std::binary_search(gone.begin(), gone.end(), s); });
  return complete;
}

/// True when the master gives an instance with this original start.
bool Series::in_series(TimeKey key, WorkBudget& budget) {
  std::vector<Start> starts;
  const WallSeconds wall = wall_of(frame_, key);
  first_key_ = INT64_MIN;
  collect_starts(wall - kDaySeconds, wall + kDaySeconds, budget, starts);
  return std::any_of(starts.begin(), starts.end(), [&](const Start& s) { return s.key == key; });
}

// ---- occurrences -----------------------------------------------------------------------------------------------

void Series::emit(std::size_t index, const Frame& frame, WallSeconds wall, const RecurrenceDate* period, TimeKey original,
                  std::int64_t from, std::int64_t to, std::vector<Occurrence>& out) {
  const VEvent& e = event(index);
  const CalTime& base = period != nullptr ? period->start : e.start;
  const CalTime& end_time = period != nullptr ? period->end : e.end;
  const std::optional<CalDuration>& duration = period != nullptr ? period->duration : e.duration;
  const std::int64_t start = instant_of(frame, wall);
  std::int64_t end = start;
  WallSeconds wall_end = wall;
  if (end_time) {
    const Frame end_frame = frame_of(e, end_time);
    const Frame base_frame = frame_of(e, base);
    const bool same_clock = end_frame.kind == base_frame.kind && end_frame.zone == base_frame.zone;
    if (same_clock || end_frame.kind != TimeKind::kInstant || base_frame.kind != TimeKind::kInstant) {
      // The same clock on both ends: 22:00 to 06:00 stays that in the night of a change.
      wall_end = wall + (end_time.wall - base.wall);
      end = base_frame.zone == frame.zone ? instant_of(frame, wall_end) : start + (end_time.wall - base.wall);
      if (end < start && end_time.wall > base.wall) end = start + (end_time.wall - base.wall);  // it starts in a gap
    } else {
      end = start + key_of(end_frame, end_time.wall) - key_of(base_frame, base.wall);
      wall_end = wall + (end - start);
    }
  } else if (duration) {
    wall_end = wall + duration->days * kDaySeconds + duration->seconds;
    end = (duration->days == 0 ? start : instant_of(frame, wall + duration->days * kDaySeconds)) + duration->seconds;
    // Exact time, except from an hour that comes twice: the end is then read on the clock, so that the occurrence
    // covers both readings of its start.
    if (frame.zone != nullptr && frame.zone->is_ambiguous(wall)) end = instant_of(frame, wall_end);
  } else if (frame.kind == TimeKind::kDate) {
    wall_end = wall + kDaySeconds;
    end = instant_of(frame, wall_end);
  }
  wall_end = std::max(wall_end, wall);
  end = std::max(end, start);
  if (start >= to || (end <= from && !(end == start && start >= from))) return;

  Occurrence o;
  o.uid = e.uid;
  o.summary = e.summary;
  o.status = e.status;
  o.cancelled = e.cancelled();
  o.kind = frame.kind;
  o.start = Instant{start * 1000};
  o.end = Instant{end * 1000};
  o.wall_start = wall;
  o.wall_end = wall_end;
  o.event = index;
  // Without a UID the event's own text has to name it.
  o.key = e.uid.empty() ? "no-uid-" + sha256_hex(e.summary + '\n' + std::to_string(e.start.wall), 16) : e.uid;
  o.key += '|';
  o.original_start = Instant{original * 1000};
  o.key += frame_.kind == TimeKind::kInstant ? format_rfc3339(Instant{original * 1000})
                                             : format_wall(original, frame_.kind == TimeKind::kDate);
  o.attendees = static_cast<int>(e.attendees.size());
  for (const Attendee& a : e.attendees) {
    o.accepted += a.partstat == "ACCEPTED";
    o.declined += a.partstat == "DECLINED";
  }
  out.push_back(std::move(o));
}

void Series::emit_overrides(std::int64_t from, std::int64_t to, WorkBudget& budget, std::vector<Occurrence>& out) {
  for (const auto& [key, index] : overrides_) {
    const VEvent& e = event(index);
    if (master_ && e.sequence < event(*master_).sequence) {
      // An override older than its master counts only while the master still has that instance.
      if (!in_series(key, budget)) continue;
    }
    const Frame frame = frame_of(e, e.start);
    if (!master_) frame_ = frame_of(e, e.recurrence_id);
    emit(index, frame, e.start.wall, nullptr, key, from, to, out);
  }
}

bool Series::expand(std::int64_t from, std::int64_t to, WorkBudget& budget, std::vector<Occurrence>& out) {
  sort_overrides();
  bool complete = true;
  if (master_) {
    const VEvent& master = event(*master_);
    for (const CalTime& t : master.exdates) {
      if (const auto key = align(master, t, frame_)) {
        exdates_.push_back(*key);
      } else {
        exdays_.push_back(wall_day(t.wall));
      }
    }
    std::sort(exdates_.begin(), exdates_.end());
    std::sort(exdays_.begin(), exdays_.end());
    std::int64_t back = longest(master);
    std::int64_t forward = 0;
    for (const Range& r : ranges_) {
      back = std::max(back, longest(event(r.event)) + r.shift);
      forward = std::max(forward, -r.shift);
    }
    if (frame_.kind == TimeKind::kInstant) first_key_ = from - back;
    std::vector<Start> starts;
    complete = collect_starts(from - back - kMargin, to + forward + kMargin, budget, starts);
    for (const Start& s : starts) {
      if (overrides_.contains(s.key)) continue;
      const auto after =
          std::upper_bound(ranges_.begin(), ranges_.end(), s.key, [](TimeKey k, const Range& r) { return k < r.key; });
      if (after == ranges_.begin()) {
        emit(*master_, frame_, s.wall, s.period, s.key, from, to, out);
      } else {
        const Range& r = *std::prev(after);
        emit(r.event, frame_, s.wall + r.shift, nullptr, s.key, from, to, out);
      }
    }
  }
  emit_overrides(from, to, budget, out);
  return complete;
}

}  // namespace hansard::calendar
