#include <algorithm>
#include <numeric>

#include "core/calendar/rrule.h"

namespace hansard::calendar {
namespace {

constexpr std::int64_t kLastDay = 2'932'896;  // 9999-12-31

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0); }

int month_length(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return kDays[month - 1] + (month == 2 && leap ? 1 : 0);
}

/// First day of the first week with at least four days in the year.
std::int64_t week_one(std::int64_t jan1, int week_start) {
  const int into_week = (weekday_from_days(jan1) - week_start + 7) % 7;
  return jan1 - into_week + (into_week > 3 ? 7 : 0);
}

std::vector<int> sorted_unique(std::vector<int> values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

}  // namespace

RecurrenceIterator::RecurrenceIterator(const RRule& rule, WallSeconds dtstart, WallSeconds stop, WorkBudget& budget)
    : rule_(rule), dtstart_(dtstart), stop_(stop), budget_(budget) {
  if (rule.count) remaining_ = *rule.count;
  if (rule.until && rule.until->form != TimeForm::kUtc) {
    const WallSeconds last = rule.until->form == TimeForm::kDate ? rule.until->wall + kDaySeconds - 1 : rule.until->wall;
    stop_ = std::min(stop_, last);
  }
  prepare_filters();
  const std::int64_t unit = rule.frequency == Frequency::kHourly ? 3600 : rule.frequency == Frequency::kMinutely ? 60 : 1;
  if (rule.frequency >= Frequency::kHourly) {
    clock_step_ = unit * rule.interval;
    clock_at_ = floor_div(dtstart, unit) * unit;
    if (!clock_reachable()) done_ = true;
  }
}

void RecurrenceIterator::prepare_filters() {
  const CivilDate start = civil_from_days(wall_day(dtstart_));
  const auto clock = static_cast<int>(dtstart_ - wall_day(dtstart_) * kDaySeconds);
  for (const int m : rule_.by_month) months_ |= 1u << m;
  for (const int d : rule_.by_month_day) (d > 0 ? month_days_ : month_days_end_) |= 1u << std::abs(d);
  for (const int d : rule_.by_year_day) (d > 0 ? year_days_ : year_days_end_).set(static_cast<std::size_t>(std::abs(d)));
  for (const int w : rule_.by_week_no) (w > 0 ? weeks_ : weeks_end_) |= std::uint64_t{1} << std::abs(w);
  nth_in_year_ = rule_.frequency == Frequency::kYearly && rule_.by_month.empty();
  has_weekdays_ = !rule_.by_day.empty();
  for (const WeekdayRule& d : rule_.by_day) {
    // Numbers before weekdays mean something only within a month or a year.
    if (d.nth == 0 || rule_.frequency > Frequency::kMonthly) {
      weekdays_ |= 1u << d.weekday;
    } else {
      (d.nth > 0 ? nth_ : nth_end_)[static_cast<std::size_t>(d.weekday)] |= std::uint64_t{1} << std::abs(d.nth);
    }
  }
  if (rule_.by_week_no.empty() && rule_.by_year_day.empty() && rule_.by_month_day.empty() && !has_weekdays_) {
    if (rule_.frequency <= Frequency::kMonthly) month_days_ = 1u << start.day;
    if (rule_.frequency == Frequency::kYearly && months_ == 0) months_ = 1u << start.month;
    if (rule_.frequency == Frequency::kWeekly) {
      has_weekdays_ = true;
      weekdays_ = 1u << weekday_from_days(wall_day(dtstart_));
    }
  }
  const auto clock_list = [&](const std::vector<int>& given, Frequency above, int from_start) {
    if (!given.empty() || rule_.frequency >= above) return sorted_unique(given);
    return std::vector<int>{from_start};
  };
  hours_ = clock_list(rule_.by_hour, Frequency::kHourly, clock / 3600);
  minutes_ = clock_list(rule_.by_minute, Frequency::kMinutely, clock / 60 % 60);
  seconds_ = clock_list(rule_.by_second, Frequency::kSecondly, clock % 60);
  for (int& s : seconds_) s = std::min(s, 59);  // a leap second counts as the one before (RFC 5545 section 3.3.5)
  seconds_ = sorted_unique(seconds_);
}

void RecurrenceIterator::set_year(int year) {
  if (year_.known && year_.year == year) return;
  year_.known = true;
  const auto first = [](int y) { return days_from_civil({y, 1, 1}); };
  year_.year = year;
  year_.first_day = first(year);
  year_.length = static_cast<int>(first(year + 1) - year_.first_day);
  year_.week1 = week_one(year_.first_day, rule_.week_start);
  year_.next_week1 = week_one(first(year + 1), rule_.week_start);
  year_.weeks = static_cast<int>((year_.next_week1 - year_.week1) / 7);
  const std::int64_t second_next = week_one(first(year + 2), rule_.week_start);
  year_.next_year_weeks = static_cast<int>((second_next - year_.next_week1) / 7);
  year_.last_year_weeks = static_cast<int>((year_.week1 - week_one(first(year - 1), rule_.week_start)) / 7);
}

bool RecurrenceIterator::week_matches(std::int64_t day) const {
  int number = 1;
  int from_end = 53;
  if (day >= year_.next_week1) {
    from_end = year_.next_year_weeks;
  } else if (day < year_.week1) {
    number = year_.last_year_weeks;
    from_end = 1;
  } else {
    number = static_cast<int>((day - year_.week1) / 7) + 1;
    from_end = year_.weeks - number + 1;
  }
  return ((weeks_ >> number) & 1) || ((weeks_end_ >> from_end) & 1);
}

bool RecurrenceIterator::weekday_matches(std::int64_t day, int length_of_month, int day_of_month) const {
  const int weekday = weekday_from_days(day);
  if ((weekdays_ >> weekday) & 1) return true;
  const std::uint64_t nth = nth_[static_cast<std::size_t>(weekday)];
  const std::uint64_t nth_end = nth_end_[static_cast<std::size_t>(weekday)];
  if ((nth | nth_end) == 0) return false;
  const int before = nth_in_year_ ? static_cast<int>(day - year_.first_day) : day_of_month - 1;
  const int behind = (nth_in_year_ ? year_.length : length_of_month) - before - 1;
  return ((nth >> (before / 7 + 1)) & 1) || ((nth_end >> (behind / 7 + 1)) & 1);
}

/// True when all BY parts of the date let the day pass.
bool RecurrenceIterator::day_matches(std::int64_t day) {
  const CivilDate date = civil_from_days(day);
  if (months_ != 0 && !((months_ >> date.month) & 1)) return false;
  const int length = month_length(date.year, date.month);
  if ((month_days_ | month_days_end_) != 0 && !((month_days_ >> date.day) & 1) &&
      !((month_days_end_ >> (length - date.day + 1)) & 1)) {
    return false;
  }
  set_year(date.year);
  if (has_weekdays_ && !weekday_matches(day, length, date.day)) return false;
  if ((weeks_ | weeks_end_) != 0 && !week_matches(day)) return false;
  if (!rule_.by_year_day.empty()) {
    const auto n = static_cast<std::size_t>(day - year_.first_day + 1);
    if (!year_days_[n] && !year_days_end_[static_cast<std::size_t>(year_.length) + 1 - n]) return false;
  }
  return true;
}

void RecurrenceIterator::add_days(std::int64_t from, std::int64_t to) {
  for (std::int64_t day = from; day < to; ++day) {
    if (day_matches(day)) days_.push_back(day);
  }
}

/// The days of the next year, month, week or day. False at the end of the rule.
bool RecurrenceIterator::fill_calendar_period() {
  const std::int64_t start_day = wall_day(dtstart_);
  const CivilDate start = civil_from_days(start_day);
  const std::int64_t index = period_++ * rule_.interval;
  std::int64_t first = 0;
  std::int64_t end = 0;
  if (rule_.frequency == Frequency::kYearly) {
    if (index > 9999) return false;
    const int year = start.year + static_cast<int>(index);
    first = days_from_civil({year, 1, 1});
    end = days_from_civil({year + 1, 1, 1});
  } else if (rule_.frequency == Frequency::kMonthly) {
    if (index > 12LL * 9999) return false;
    const std::int64_t month = start.year * 12LL + start.month - 1 + index;
    const int year = static_cast<int>(month / 12);
    first = days_from_civil({year, static_cast<int>(month % 12) + 1, 1});
    end = first + month_length(year, static_cast<int>(month % 12) + 1);
  } else {
    const bool weekly = rule_.frequency == Frequency::kWeekly;
    if (index > kLastDay + 719'528) return false;
    first = weekly ? start_day - (weekday_from_days(start_day) - rule_.week_start + 7) % 7 + 7 * index : start_day + index;
    end = first + (weekly ? 7 : 1);
  }
  if (first > kLastDay || first * kDaySeconds > stop_) return false;
  budget_.take((end - first) / 8);
  if (rule_.frequency == Frequency::kYearly && months_ != 0) {
    for (int month = 1; month <= 12; ++month) {
      if (!((months_ >> month) & 1)) continue;
      const int year = start.year + static_cast<int>(index);
      const std::int64_t from = days_from_civil({year, month, 1});
      add_days(from, from + month_length(year, month));
    }
  } else {
    add_days(first, end);
  }
  return true;
}

bool RecurrenceIterator::fill_next_period() {
  ready_.clear();
  ready_at_ = 0;
  days_.clear();
  while (ready_.empty()) {
    if (done_) return false;
    if (!budget_.take()) {
      done_ = out_of_budget_ = true;
      return false;
    }
    days_.clear();
    const bool more = rule_.frequency >= Frequency::kHourly ? fill_clock_period() : fill_calendar_period();
    if (!more) {
      done_ = true;
      return false;
    }
    emit_period();
  }
  return true;
}

/// Turns the days (calendar periods) or the one clock period into times, BYSETPOS applied.
void RecurrenceIterator::emit_period() {
  const Frequency f = rule_.frequency;
  const std::vector<int> zero{0};
  const auto& hours = f >= Frequency::kHourly ? zero : hours_;
  const auto& minutes = f >= Frequency::kMinutely ? zero : minutes_;
  const auto& seconds = f >= Frequency::kSecondly ? zero : seconds_;
  const std::size_t per_day = hours.size() * minutes.size() * seconds.size();
  const std::size_t total = days_.size() * per_day;
  const auto at = [&](std::size_t i) {
    const std::size_t clock = i % per_day;
    const int s = seconds[clock % seconds.size()];
    const int m = minutes[clock / seconds.size() % minutes.size()];
    const int h = hours[clock / seconds.size() / minutes.size()];
    const WallSeconds base = f >= Frequency::kHourly ? days_[i / per_day] : days_[i / per_day] * kDaySeconds;
    return base + h * 3600LL + m * 60LL + s;
  };
  const auto keep = [&](WallSeconds wall) {
    if (wall >= dtstart_) ready_.push_back(wall);
  };
  if (rule_.by_set_pos.empty()) {
    if (total > 64) budget_.take(static_cast<std::int64_t>(total / 4));
    for (std::size_t i = 0; i < total; ++i) keep(at(i));
    return;
  }
  std::vector<std::size_t> picks;
  for (const int pos : rule_.by_set_pos) {
    const auto n = static_cast<std::size_t>(std::abs(pos));
    if (n <= total) picks.push_back(pos > 0 ? n - 1 : total - n);
  }
  std::sort(picks.begin(), picks.end());
  picks.erase(std::unique(picks.begin(), picks.end()), picks.end());
  for (const std::size_t i : picks) keep(at(i));
}

std::optional<WallSeconds> RecurrenceIterator::next() {
  while (true) {
    while (ready_at_ < ready_.size()) {
      const WallSeconds wall = ready_[ready_at_++];
      if (wall > stop_ || remaining_ == 0) {
        done_ = true;
        ready_.clear();
        ready_at_ = 0;
        return std::nullopt;
      }
      if (remaining_ > 0) --remaining_;
      if (wall >= from_) return wall;
      // The skipped times of a COUNT rule are work too.
      if (!budget_.take()) {
        done_ = out_of_budget_ = true;
        return std::nullopt;
      }
    }
    if (remaining_ == 0 || !fill_next_period()) return std::nullopt;
  }
}

void RecurrenceIterator::seek(WallSeconds from) {
  from_ = from;
  if (from <= dtstart_) return;
  const bool filtered = months_ || month_days_ || month_days_end_ || weeks_ || weeks_end_ || has_weekdays_ ||
                        !rule_.by_year_day.empty() || !hours_.empty() || !rule_.by_minute.empty() || !rule_.by_second.empty();
  if (rule_.frequency >= Frequency::kHourly) {
    const std::int64_t steps = (from - clock_at_) / clock_step_ - 1;
    if (steps <= 0) return;
    if (remaining_ < 0) {
      clock_at_ += steps * clock_step_;
    } else if (!filtered && rule_.by_set_pos.empty()) {
      // Without filters every period holds exactly one time, so COUNT can be reckoned.
      const std::int64_t skipped = std::min(steps, remaining_);
      clock_at_ += skipped * clock_step_;
      remaining_ -= skipped;
    }
    return;
  }
  if (remaining_ >= 0) return;
  const std::int64_t days = wall_day(from) - wall_day(dtstart_);
  std::int64_t periods = days;
  if (rule_.frequency == Frequency::kYearly) periods = days / 366;
  if (rule_.frequency == Frequency::kMonthly) periods = days / 31;
  if (rule_.frequency == Frequency::kWeekly) periods = days / 7;
  period_ = std::max<std::int64_t>(0, periods / rule_.interval - 1);
}

// ---- HOURLY, MINUTELY, SECONDLY -------------------------------------------------------------------------------

/// True when some allowed time of the day lies on the grid that INTERVAL draws; a rule that can never match must not be
/// searched day by day.
bool RecurrenceIterator::clock_reachable() const {
  if (rule_.by_hour.empty() && rule_.by_minute.empty() && rule_.by_second.empty()) return true;
  const std::int64_t grid = std::gcd(clock_step_, kDaySeconds);
  const std::int64_t base = clock_at_ - wall_day(clock_at_) * kDaySeconds;
  const std::int64_t unit = rule_.frequency == Frequency::kHourly ? 3600 : rule_.frequency == Frequency::kMinutely ? 60 : 1;
  const auto allowed = [](const std::vector<int>& list, std::int64_t value) {
    return list.empty() || std::binary_search(list.begin(), list.end(), static_cast<int>(value));
  };
  for (std::int64_t t = (base % grid + grid) % grid; t < kDaySeconds; t += std::max(grid, unit)) {
    if (!allowed(hours_, t / 3600)) continue;
    if (rule_.frequency >= Frequency::kMinutely && !allowed(minutes_, t / 60 % 60)) continue;
    if (rule_.frequency >= Frequency::kSecondly && !allowed(seconds_, t % 60)) continue;
    return true;
  }
  return false;
}

/// Moves `clock_at_` along the grid to the next period that the filters let pass. False at the end.
bool RecurrenceIterator::align_clock_period() {
  const auto jump_to = [&](std::int64_t target) {
    const std::int64_t steps = (target - clock_at_ + clock_step_ - 1) / clock_step_;
    clock_at_ += std::max<std::int64_t>(1, steps) * clock_step_;
  };
  /// Next allowed value after `value`, or `limit` (the start of the larger unit's next).
  const auto next_allowed = [](const std::vector<int>& list, std::int64_t value, std::int64_t limit) {
    const auto it = std::upper_bound(list.begin(), list.end(), static_cast<int>(value));
    return it == list.end() ? limit : std::int64_t{*it};
  };
  const auto allowed = [](const std::vector<int>& list, std::int64_t value) {
    return list.empty() || std::binary_search(list.begin(), list.end(), static_cast<int>(value));
  };
  while (clock_at_ <= stop_ && wall_day(clock_at_) <= kLastDay) {
    std::int64_t day = wall_day(clock_at_);
    if (day != passed_day_ && !day_matches(day)) {
      do {
        ++day;
        if (!budget_.take()) {
          out_of_budget_ = true;
          return false;
        }
      } while (day <= kLastDay && day * kDaySeconds <= stop_ && !day_matches(day));
      jump_to(day * kDaySeconds);
      continue;
    }
    passed_day_ = day;
    const std::int64_t clock = clock_at_ - day * kDaySeconds;
    const std::int64_t hour = clock / 3600;
    const std::int64_t minute = clock / 60 % 60;
    if (!allowed(hours_, hour)) {
      jump_to(day * kDaySeconds + next_allowed(hours_, hour, 24) * 3600);
    } else if (rule_.frequency >= Frequency::kMinutely && !allowed(minutes_, minute)) {
      jump_to(day * kDaySeconds + hour * 3600 + next_allowed(minutes_, minute, 60) * 60);
    } else if (rule_.frequency >= Frequency::kSecondly && !allowed(seconds_, clock % 60)) {
      jump_to(day * kDaySeconds + hour * 3600 + minute * 60 + next_allowed(seconds_, clock % 60, 60));
    } else {
      return true;
    }
    if (!budget_.take()) {
      out_of_budget_ = true;
      return false;
    }
  }
  return false;
}

bool RecurrenceIterator::fill_clock_period() {
  if (!align_clock_period()) return false;
  days_.push_back(clock_at_);
  clock_at_ += clock_step_;
  return true;
}

}  // namespace hansard::calendar
