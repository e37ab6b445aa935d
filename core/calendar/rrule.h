#pragma once
// Recurrence rules (RFC 5545 section 3.3.10) and their expansion on wall time.
//
// The work is bounded: every examined period or day costs one unit of a budget that the caller gives. Combinations of
// BY parts that the RFC forbids (BYWEEKNO with MONTHLY and the like) are not refused: each part then filters, which is
// the meaning that python-dateutil made common.
#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/calendar/values.h"

namespace hansard::calendar {

enum class Frequency : std::uint8_t { kYearly, kMonthly, kWeekly, kDaily, kHourly, kMinutely, kSecondly };

struct WeekdayRule {
  int nth = 0;      ///< 0 = every, 1 = first, -1 = last of the month or year
  int weekday = 0;  ///< 0 = Sunday
};

struct RRule {
  Frequency frequency = Frequency::kDaily;
  std::int64_t interval = 1;
  std::optional<std::int64_t> count;
  std::optional<CalTime> until;
  int week_start = 1;  ///< WKST, 0 = Sunday
  std::vector<int> by_second, by_minute, by_hour;
  std::vector<WeekdayRule> by_day;
  std::vector<int> by_month_day, by_year_day, by_week_no, by_month, by_set_pos;
};

/// Reads the value of an RRULE. Unknown parts, blanks and empty parts are ignored. Errors: kInvalid (a part that has no
/// meaning: no FREQ, INTERVAL=0, BYMONTH=13, ...), with a sentence that names the part.
Result<RRule> parse_rrule(std::string_view text);

/// Units of work. Shared by all rules of one question; when it is used up the answers stop.
struct WorkBudget {
  std::int64_t left = 1'000'000;
  bool take(std::int64_t n = 1) {
    left -= n;
    return left >= 0;
  }
};

/// Gives the wall times of one rule in ascending order. DTSTART itself appears only when it fits the rule. UNTIL is
/// obeyed by its digits when it is a DATE (the whole day) or has no zone; a UTC value is the caller's to compare.
class RecurrenceIterator {
 public:
  /// Nothing later than `stop` is given. `dtstart` and `stop` are wall times.
  RecurrenceIterator(const RRule& rule, WallSeconds dtstart, WallSeconds stop, WorkBudget& budget);

  /// Skips what lies before `from`, at no cost when the rule has no COUNT. Call it before the first next().
  void seek(WallSeconds from);

  /// The next wall time, or nothing at the end of the rule, at `stop`, or when the budget is used up.
  std::optional<WallSeconds> next();
  /// True when the budget and not the rule ended the list.
  bool out_of_budget() const { return out_of_budget_; }

 private:
  struct Year {
    bool known = false;
    int year = 0;
    std::int64_t first_day = 0;
    int length = 365;
    std::int64_t week1 = 0;       ///< first day of ISO-like week 1
    std::int64_t next_week1 = 0;  ///< of the year after
    int weeks = 52;
    int last_year_weeks = 52;
    int next_year_weeks = 52;
  };

  void prepare_filters();
  void set_year(int year);
  bool week_matches(std::int64_t day) const;
  bool weekday_matches(std::int64_t day, int month_length, int day_of_month) const;
  bool day_matches(std::int64_t day);
  void add_days(std::int64_t from, std::int64_t to);

  bool fill_next_period();
  bool fill_calendar_period();
  bool fill_clock_period();
  bool align_clock_period();
  bool clock_reachable() const;
  void emit_period();

  const RRule& rule_;
  WallSeconds dtstart_;
  WallSeconds stop_;
  WallSeconds from_ = INT64_MIN;
  WorkBudget& budget_;
  bool done_ = false;
  bool out_of_budget_ = false;
  std::int64_t remaining_ = -1;  ///< of COUNT; -1 = no COUNT

  // The BY parts as masks; bit n = value n, `_end` = counted from the end.
  std::uint32_t months_ = 0, month_days_ = 0, month_days_end_ = 0, weekdays_ = 0;
  std::uint64_t weeks_ = 0, weeks_end_ = 0;
  std::bitset<367> year_days_, year_days_end_;
  std::array<std::uint64_t, 7> nth_{}, nth_end_{};
  bool has_weekdays_ = false, nth_in_year_ = false;
  std::vector<int> hours_, minutes_, seconds_;

  Year year_;
  std::int64_t period_ = 0;    ///< index of the next period (0 = that of DTSTART), in steps of INTERVAL
  std::int64_t clock_at_ = 0;  ///< sub-daily: start of the next period
  std::int64_t clock_step_ = 0;
  std::int64_t passed_day_ = INT64_MIN;  ///< sub-daily: the last day that the filters let pass
  std::vector<std::int64_t> days_;
  std::vector<WallSeconds> ready_;
  std::size_t ready_at_ = 0;
};

}  // namespace hansard::calendar
