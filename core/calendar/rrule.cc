#include "core/calendar/rrule.h"

#include <string>

#include "core/base/text.h"

namespace hansard::calendar {
namespace {

constexpr std::size_t kMaxListValues = 400;
constexpr std::int64_t kMaxInterval = 1'000'000'000;
constexpr std::string_view kWeekdays[] = {"SU", "MO", "TU", "WE", "TH", "FR", "SA"};

std::unexpected<Error> refuse(std::string detail) { return fail(ErrorClass::kInvalid, "calendar", std::move(detail)); }

/// Weekday number of "MO", or -1.
int weekday_of(std::string_view text) {
  for (int i = 0; i < 7; ++i) {
    if (equals_ignore_case(text, kWeekdays[i])) return i;
  }
  return -1;
}

bool parse_signed(std::string_view text, std::int64_t& out) {
  text = trim(text);
  const bool minus = !text.empty() && text.front() == '-';
  if (minus || (!text.empty() && text.front() == '+')) text.remove_prefix(1);
  if (!parse_digits(text, out)) return false;
  if (minus) out = -out;
  return true;
}

struct ListPart {
  std::string_view name;
  std::vector<int> RRule::* member;
  int low;        ///< smallest absolute value
  int high;       ///< largest absolute value
  bool negative;  ///< values from the end are allowed
};
constexpr ListPart kListParts[] = {
    {"BYSECOND", &RRule::by_second, 0, 60, false},    {"BYMINUTE", &RRule::by_minute, 0, 59, false},
    {"BYHOUR", &RRule::by_hour, 0, 23, false},        {"BYMONTHDAY", &RRule::by_month_day, 1, 31, true},
    {"BYYEARDAY", &RRule::by_year_day, 1, 366, true}, {"BYWEEKNO", &RRule::by_week_no, 1, 53, true},
    {"BYMONTH", &RRule::by_month, 1, 12, false},      {"BYSETPOS", &RRule::by_set_pos, 1, 366, true},
};

Result<void> parse_list(const ListPart& part, std::string_view text, std::vector<int>& out) {
  for (const std::string_view item : split(text, ',')) {
    if (trim(item).empty()) continue;
    std::int64_t value = 0;
    const bool ok =
        parse_signed(item, value) && (part.negative || value >= 0) && std::abs(value) >= part.low && std::abs(value) <= part.high;
    if (!ok)
      return refuse(std::string(part.name) + " has a value outside " + std::to_string(part.low) + " to " +
                    std::to_string(part.high));
    if (out.size() >= kMaxListValues) return refuse(std::string(part.name) + " has too many values");
    out.push_back(static_cast<int>(value));
  }
  return {};
}

Result<void> parse_by_day(std::string_view text, std::vector<WeekdayRule>& out) {
  for (std::string_view item : split(text, ',')) {
    item = trim(item);
    if (item.empty()) continue;
    WeekdayRule rule;
    rule.weekday = item.size() < 2 ? -1 : weekday_of(item.substr(item.size() - 2));
    if (rule.weekday < 0) return refuse("BYDAY has a value that is no weekday");
    item.remove_suffix(2);
    std::int64_t nth = 0;
    if (!item.empty()) {
      if (!parse_signed(item, nth) || nth == 0 || std::abs(nth) > 53) return refuse("BYDAY has a number outside 1 to 53");
      rule.nth = static_cast<int>(nth);
    }
    if (out.size() >= kMaxListValues) return refuse("BYDAY has too many values");
    out.push_back(rule);
  }
  return {};
}

Result<Frequency> parse_frequency(std::string_view text) {
  constexpr std::string_view kNames[] = {"YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"};
  for (int i = 0; i < 7; ++i) {
    if (equals_ignore_case(text, kNames[i])) return static_cast<Frequency>(i);
  }
  return refuse("FREQ must be one of SECONDLY, MINUTELY, HOURLY, DAILY, WEEKLY, MONTHLY, YEARLY");
}

Result<void> parse_part(std::string_view name, std::string_view value, RRule& rule, bool& has_frequency) {
  for (const ListPart& part : kListParts) {
    if (equals_ignore_case(name, part.name)) return parse_list(part, value, rule.*(part.member));
  }
  std::int64_t n = 0;
  if (equals_ignore_case(name, "FREQ")) {
    auto frequency = parse_frequency(value);
    if (!frequency) return pass(frequency);
    rule.frequency = *frequency;
    has_frequency = true;
  } else if (equals_ignore_case(name, "INTERVAL")) {
    if (!parse_digits(value, n) || n < 1 || n > kMaxInterval) return refuse("INTERVAL must be a number from 1 on");
    rule.interval = n;
  } else if (equals_ignore_case(name, "COUNT")) {
    if (!parse_digits(value, n) || n < 1) return refuse("COUNT must be a number from 1 on");
    rule.count = n;
  } else if (equals_ignore_case(name, "UNTIL")) {
    rule.until = parse_cal_time(value);
    if (!rule.until) return refuse("UNTIL is no date or date-time");
  } else if (equals_ignore_case(name, "WKST")) {
    rule.week_start = weekday_of(value);
    if (rule.week_start < 0) return refuse("WKST is no weekday");
  } else if (equals_ignore_case(name, "BYDAY")) {
    return parse_by_day(value, rule.by_day);
  } else if (equals_ignore_case(name, "RSCALE") && !equals_ignore_case(value, "GREGORIAN")) {
    return refuse("RSCALE other than GREGORIAN is not supported");
  }
  return {};
}

}  // namespace

Result<RRule> parse_rrule(std::string_view text) {
  text = trim(text);
  if (starts_with_ignore_case(text, "RRULE:")) text.remove_prefix(6);
  RRule rule;
  bool has_frequency = false;
  for (const std::string_view part : split(text, ';')) {
    const auto equals = part.find('=');
    if (equals == std::string_view::npos) continue;
    auto r = parse_part(trim(part.substr(0, equals)), trim(part.substr(equals + 1)), rule, has_frequency);
    if (!r) return pass(r);
  }
  if (!has_frequency) return refuse("the rule has no FREQ");
  return rule;
}

}  // namespace hansard::calendar
