#include "core/base/time.h"

#include <cstdio>

namespace hansard {

// The era arithmetic is Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms".
std::int64_t days_from_civil(CivilDate d) {
  const std::int64_t y = d.month <= 2 ? d.year - 1 : d.year;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const std::int64_t year_of_era = y - era * 400;
  const std::int64_t day_of_year = (153 * (d.month + (d.month > 2 ? -3 : 9)) + 2) / 5 + d.day - 1;
  const std::int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

CivilDate civil_from_days(std::int64_t days) {
  const std::int64_t z = days + 719468;
  const std::int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  const std::int64_t day_of_era = z - era * 146097;
  const std::int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted_month = (5 * day_of_year + 2) / 153;
  const int day = static_cast<int>(day_of_year - (153 * shifted_month + 2) / 5 + 1);
  const int month = static_cast<int>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  const int year = static_cast<int>(year_of_era + era * 400 + (month <= 2 ? 1 : 0));
  return {year, month, day};
}

int weekday_from_days(std::int64_t days) {
  const std::int64_t w = (days + 4) % 7;
  return static_cast<int>(w < 0 ? w + 7 : w);
}

std::string format_rfc3339(Instant t) {
  std::int64_t day = t.ms / 86'400'000;
  std::int64_t rest = t.ms % 86'400'000;
  if (rest < 0) {
    rest += 86'400'000;
    --day;
  }
  const CivilDate d = civil_from_days(day);
  char out[64];
  const int h = static_cast<int>(rest / 3'600'000);
  const int m = static_cast<int>(rest / 60'000 % 60);
  const int s = static_cast<int>(rest / 1000 % 60);
  const int ms = static_cast<int>(rest % 1000);
  int n = std::snprintf(out, sizeof out, "%04d-%02d-%02dT%02d:%02d:%02d", d.year, d.month, d.day, h, m, s);
  if (ms != 0) n += std::snprintf(out + n, sizeof out - static_cast<std::size_t>(n), ".%03d", ms);
  return std::string(out, static_cast<std::size_t>(n)) + "Z";
}

namespace {

/// Reads exactly `count` digits at `pos` and moves it; -1 when they are not all digits.
int digits(std::string_view s, std::size_t& pos, int count) {
  int value = 0;
  for (int i = 0; i < count; ++i, ++pos) {
    if (pos >= s.size() || s[pos] < '0' || s[pos] > '9') return -1;
    value = value * 10 + (s[pos] - '0');
  }
  return value;
}

bool take(std::string_view s, std::size_t& pos, char upper) {
  if (pos >= s.size()) return false;
  const char c = s[pos];
  if (c != upper && !(upper >= 'A' && upper <= 'Z' && c == upper + 32)) return false;
  ++pos;
  return true;
}

constexpr int kDaysInMonth[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

}  // namespace

Result<Instant> parse_rfc3339(std::string_view text) {
  const auto bad = [] { return fail(ErrorClass::kInvalid, "time", "not an RFC 3339 time such as 2026-03-04T10:00:00Z"); };
  std::size_t p = 0;
  const int year = digits(text, p, 4);
  if (year < 0 || !take(text, p, '-')) return bad();
  const int month = digits(text, p, 2);
  if (month < 1 || month > 12 || !take(text, p, '-')) return bad();
  const int day = digits(text, p, 2);
  if (day < 1 || day > kDaysInMonth[month - 1]) return bad();
  const std::int64_t days = days_from_civil({year, month, day});
  if (civil_from_days(days) != CivilDate{year, month, day}) return bad();
  if (!take(text, p, 'T') && !take(text, p, ' ')) return bad();
  const int hour = digits(text, p, 2);
  if (hour < 0 || hour > 23 || !take(text, p, ':')) return bad();
  const int minute = digits(text, p, 2);
  if (minute < 0 || minute > 59 || !take(text, p, ':')) return bad();
  const int second = digits(text, p, 2);
  if (second < 0 || second > 60) return bad();
  std::int64_t ms = 0;
  if (take(text, p, '.')) {
    std::int64_t scale = 100;
    const std::size_t first = p;
    for (; p < text.size() && text[p] >= '0' && text[p] <= '9'; ++p, scale /= 10) ms += (text[p] - '0') * scale;
    if (p == first) return bad();
  }
  std::int64_t offset_minutes = 0;
  if (!take(text, p, 'Z')) {
    const bool minus = p < text.size() && text[p] == '-';
    if (!minus && !(p < text.size() && text[p] == '+')) return bad();
    ++p;
    const int oh = digits(text, p, 2);
    if (oh < 0 || oh > 23 || !take(text, p, ':')) return bad();
    const int om = digits(text, p, 2);
    if (om < 0 || om > 59) return bad();
    offset_minutes = std::int64_t{minus ? -1 : 1} * (oh * 60 + om);
  }
  if (p != text.size()) return bad();
  const std::int64_t of_day = ((hour * 60 + minute - offset_minutes) * 60 + second) * 1000 + ms;
  return Instant{days * 86'400'000 + of_day};
}

}  // namespace hansard
