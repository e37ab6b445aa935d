#pragma once
// Three kinds of time, never mixed: Instant (wall clock, UTC), MediaTime (position in a meeting's recording) and
// Duration. All count whole milliseconds. Core never reads a clock: `now` is always an argument.
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace hansard {

struct Duration {
  std::int64_t ms = 0;
  auto operator<=>(const Duration&) const = default;
};

/// Milliseconds since 1970-01-01T00:00:00Z.
struct Instant {
  std::int64_t ms = 0;
  auto operator<=>(const Instant&) const = default;
};

/// Milliseconds since the meeting's capture began (its media origin, an Instant kept in the meeting's state).
struct MediaTime {
  std::int64_t ms = 0;
  auto operator<=>(const MediaTime&) const = default;
};

constexpr Duration milliseconds(std::int64_t n) { return {n}; }
constexpr Duration seconds(std::int64_t n) { return {n * 1000}; }
constexpr Duration minutes(std::int64_t n) { return {n * 60'000}; }
constexpr Duration hours(std::int64_t n) { return {n * 3'600'000}; }

constexpr Duration operator+(Duration a, Duration b) { return {a.ms + b.ms}; }
constexpr Duration operator-(Duration a, Duration b) { return {a.ms - b.ms}; }
constexpr Instant operator+(Instant t, Duration d) { return {t.ms + d.ms}; }
constexpr Instant operator-(Instant t, Duration d) { return {t.ms - d.ms}; }
constexpr Duration operator-(Instant a, Instant b) { return {a.ms - b.ms}; }
constexpr MediaTime operator+(MediaTime t, Duration d) { return {t.ms + d.ms}; }
constexpr Duration operator-(MediaTime a, MediaTime b) { return {a.ms - b.ms}; }

/// A date of the proleptic Gregorian calendar.
struct CivilDate {
  int year = 1970;
  int month = 1;  ///< 1..12
  int day = 1;    ///< 1..31
  auto operator<=>(const CivilDate&) const = default;
};

/// Days since 1970-01-01 (negative before). Any month and day in range are accepted; the year may be negative.
std::int64_t days_from_civil(CivilDate d);
CivilDate civil_from_days(std::int64_t days);
/// 0 = Sunday ... 6 = Saturday.
int weekday_from_days(std::int64_t days);

/// RFC 3339 in UTC: "2026-03-04T10:00:00Z"; milliseconds are written only when not zero.
std::string format_rfc3339(Instant t);
/// RFC 3339 with any offset; fractions beyond milliseconds are cut. Errors: kInvalid.
Result<Instant> parse_rfc3339(std::string_view text);

}  // namespace hansard
