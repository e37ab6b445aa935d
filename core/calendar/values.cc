#include "core/calendar/values.h"

#include <cstdio>

#include "core/base/text.h"

namespace hansard::calendar {
namespace {

constexpr std::int64_t kMaxDurationDays = 36'525;

/// The decimal digits of a time with separators '-' and ':' removed; false on any other character.
bool only_digits(std::string_view s, std::string& out) {
  out.clear();
  for (const char c : s) {
    if (c == '-' || c == ':') continue;
    if (c < '0' || c > '9') return false;
    out += c;
  }
  return true;
}

int number(std::string_view s) {
  std::int64_t value = 0;
  return parse_digits(s, value) ? static_cast<int>(value) : -1;
}

std::optional<std::int64_t> parse_day(std::string_view digits) {
  const CivilDate date{number(digits.substr(0, 4)), number(digits.substr(4, 2)), number(digits.substr(6, 2))};
  if (date.year < 1 || date.month < 1 || date.month > 12 || date.day < 1 || date.day > 31) return std::nullopt;
  const std::int64_t day = days_from_civil(date);
  if (civil_from_days(day) != date) return std::nullopt;
  return day;
}

}  // namespace

std::optional<CalTime> parse_cal_time(std::string_view text, std::string_view tzid, bool force_date) {
  text = trim(text);
  bool utc = false;
  if (!text.empty() && (text.back() == 'Z' || text.back() == 'z')) {
    utc = true;
    text.remove_suffix(1);
  }
  const auto t = text.find_first_of("Tt ");
  std::string date;
  std::string time;
  if (!only_digits(text.substr(0, t), date) || date.size() != 8) return std::nullopt;
  const auto day = parse_day(date);
  if (!day) return std::nullopt;
  CalTime out;
  out.wall = *day * kDaySeconds;
  if (t == std::string_view::npos || force_date) {
    out.form = TimeForm::kDate;
    return out;
  }
  if (!only_digits(text.substr(t + 1), time) || (time.size() != 6 && time.size() != 4)) return std::nullopt;
  const int hour = number(std::string_view(time).substr(0, 2));
  const int minute = number(std::string_view(time).substr(2, 2));
  int second = time.size() == 6 ? number(std::string_view(time).substr(4, 2)) : 0;
  if (hour > 24 || (hour == 24 && (minute > 0 || second > 0)) || minute > 59 || second > 60) return std::nullopt;
  if (second == 60) second = 59;
  out.wall += hour * 3600 + minute * 60 + second;
  out.form = utc ? TimeForm::kUtc : tzid.empty() ? TimeForm::kFloating : TimeForm::kZoned;
  if (out.form == TimeForm::kZoned) out.tzid = tzid;
  return out;
}

std::optional<CalDuration> parse_cal_duration(std::string_view text) {
  text = trim(text);
  int sign = 1;
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    sign = text.front() == '-' ? -1 : 1;
    text.remove_prefix(1);
  }
  if (text.empty() || (text.front() != 'P' && text.front() != 'p')) return std::nullopt;
  text.remove_prefix(1);
  CalDuration out;
  bool in_time = false;
  bool any = false;
  while (!text.empty()) {
    if (text.front() == 'T' || text.front() == 't') {
      in_time = true;
      text.remove_prefix(1);
      continue;
    }
    const auto end = text.find_first_not_of("0123456789");
    std::int64_t value = 0;
    if (end == 0 || end == std::string_view::npos || end > 10 || !parse_digits(text.substr(0, end), value)) return std::nullopt;
    switch (text[end]) {
      case 'W':
      case 'w': out.days += 7 * value; break;
      case 'D':
      case 'd': out.days += value; break;
      case 'H':
      case 'h': out.seconds += 3600 * value; break;
      case 'M':
      case 'm':
        if (!in_time) return std::nullopt;
        out.seconds += 60 * value;
        break;
      case 'S':
      case 's': out.seconds += value; break;
      default: return std::nullopt;
    }
    any = true;
    text.remove_prefix(end + 1);
  }
  if (!any || out.days > kMaxDurationDays || out.seconds > kMaxDurationDays * kDaySeconds) return std::nullopt;
  out.days *= sign;
  out.seconds *= sign;
  return out;
}

std::optional<std::int32_t> parse_utc_offset(std::string_view text) {
  text = trim(text);
  if (text.size() < 2 || (text.front() != '+' && text.front() != '-')) return std::nullopt;
  const int sign = text.front() == '-' ? -1 : 1;
  std::string digits;
  if (text.find('-', 1) != std::string_view::npos || !only_digits(text.substr(1), digits)) return std::nullopt;
  if (digits.size() == 2) digits += "00";
  if (digits.size() != 4 && digits.size() != 6) return std::nullopt;
  const std::string_view d = digits;
  const int hour = number(d.substr(0, 2));
  const int minute = number(d.substr(2, 2));
  const int second = d.size() == 6 ? number(d.substr(4, 2)) : 0;
  if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return sign * (hour * 3600 + minute * 60 + second);
}

std::string format_wall(WallSeconds wall, bool date_only) {
  const std::int64_t day = wall_day(wall);
  const CivilDate d = civil_from_days(day);
  const int s = static_cast<int>(wall - day * kDaySeconds);
  char out[64];
  if (date_only) {
    std::snprintf(out, sizeof out, "%04d-%02d-%02d", d.year, d.month, d.day);
  } else {
    std::snprintf(out, sizeof out, "%04d-%02d-%02dT%02d:%02d:%02d", d.year, d.month, d.day, s / 3600, s / 60 % 60, s % 60);
  }
  return out;
}

std::string format_wall_basic(WallSeconds wall) {
  std::string out;
  for (const char c : format_wall(wall)) {
    if (c != '-' && c != ':') out += c;
  }
  return out;
}

}  // namespace hansard::calendar
