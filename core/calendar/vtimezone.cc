#include "core/calendar/vtimezone.h"

#include <algorithm>

namespace hansard::calendar {
namespace {

constexpr std::size_t kMaxOnsets = 5'000;
constexpr WallSeconds kHorizon = 84'006LL * kDaySeconds;  // 2200-01-01
/// Exchange begins its rules in 1601, others in the year 1: what lies before 1900 is of no use to anybody.
constexpr WallSeconds kOldest = -25'567LL * kDaySeconds;  // 1900-01-01

/// "Every year on the last Sunday of March": what nearly all zones say. Found directly, since the table goes on for
/// centuries.
bool is_plain_yearly(const RRule& r) {
  return r.frequency == Frequency::kYearly && r.interval == 1 && !r.count && !r.until && r.by_month.size() == 1 &&
         r.by_day.size() == 1 && r.by_day[0].nth != 0 && r.by_second.empty() && r.by_minute.empty() && r.by_hour.empty() &&
         r.by_month_day.empty() && r.by_year_day.empty() && r.by_week_no.empty() && r.by_set_pos.empty();
}

/// The day of the nth weekday in a month; nothing when the month has no such day.
std::optional<std::int64_t> nth_weekday(int year, int month, const WeekdayRule& rule) {
  const std::int64_t first = days_from_civil({year, month, 1});
  const std::int64_t next = month == 12 ? days_from_civil({year + 1, 1, 1}) : days_from_civil({year, month + 1, 1});
  std::int64_t day = 0;
  if (rule.nth > 0) {
    day = first + (rule.weekday - weekday_from_days(first) + 7) % 7 + 7 * (rule.nth - 1);
  } else {
    day = next - 1 - (weekday_from_days(next - 1) - rule.weekday + 7) % 7 + 7 * (rule.nth + 1);
  }
  return day >= first && day < next ? std::optional(day) : std::nullopt;
}

template <class Add>
void add_plain_yearly(const RRule& rule, WallSeconds start, WorkBudget& budget, const Add& add) {
  const std::int64_t time = start - wall_day(start) * kDaySeconds;
  const int last = civil_from_days(wall_day(kHorizon)).year;
  for (int year = civil_from_days(wall_day(std::max(start, kOldest))).year; year < last && budget.take(); ++year) {
    const auto day = nth_weekday(year, rule.by_month[0], rule.by_day[0]);
    if (day && *day * kDaySeconds + time >= start) add(*day * kDaySeconds + time);
  }
}

void add_onsets(const Observance& o, std::vector<Transition>& out, WorkBudget& budget) {
  const std::int32_t from = *o.offset_from;
  const std::size_t limit = out.size() + kMaxOnsets;
  const auto add = [&](WallSeconds wall) { out.push_back({wall - from, *o.offset_to}); };
  add(o.start->wall);
  for (const RRule& rule : o.rules) {
    if (is_plain_yearly(rule)) {
      add_plain_yearly(rule, o.start->wall, budget, add);
      continue;
    }
    RecurrenceIterator it(rule, o.start->wall, kHorizon, budget);
    it.seek(kOldest);
    while (const auto wall = it.next()) {
      // UNTIL is in UTC here; the onset is read with the offset before it.
      if (rule.until && rule.until->form == TimeForm::kUtc && *wall - from > rule.until->wall) break;
      if (out.size() >= limit) break;
      add(*wall);
    }
  }
  for (const CalTime& date : o.rdates) {
    if (out.size() >= limit) break;
    add(date.form == TimeForm::kUtc ? date.wall + from : date.wall);
  }
}

}  // namespace

bool usable_zone(const std::vector<Observance>& observances) {
  return std::any_of(observances.begin(), observances.end(), [](const Observance& o) { return o.start && o.offset_to; });
}

std::optional<TimeZone> build_zone(const std::vector<Observance>& observances, WorkBudget& budget) {
  std::vector<Transition> transitions;
  const Observance* first = nullptr;
  for (const Observance& o : observances) {
    if (!o.start || !o.offset_to) continue;
    Observance usable = o;
    if (!usable.offset_from) usable.offset_from = usable.offset_to;
    add_onsets(usable, transitions, budget);
    if (first == nullptr || o.start->wall < first->start->wall) first = &o;
  }
  if (first == nullptr) return std::nullopt;
  std::sort(transitions.begin(), transitions.end(),
            [](const Transition& a, const Transition& b) { return a.at != b.at ? a.at < b.at : a.offset < b.offset; });
  const auto same = [](const Transition& a, const Transition& b) { return a.at == b.at && a.offset == b.offset; };
  transitions.erase(std::unique(transitions.begin(), transitions.end(), same), transitions.end());
  return TimeZone(std::move(transitions), first->offset_from.value_or(*first->offset_to));
}

}  // namespace hansard::calendar
