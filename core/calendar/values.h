#pragma once
// The value types of iCalendar (RFC 5545 section 3.3): dates, date-times, durations. Wall time is counted as seconds
// since 1970-01-01T00:00:00 of an unnamed clock, so that arithmetic never needs a zone.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/time.h"

namespace hansard::calendar {

inline constexpr std::int64_t kDaySeconds = 86'400;

/// Seconds of a clock on the wall since 1970-01-01T00:00:00 on that wall.
using WallSeconds = std::int64_t;

enum class TimeForm : std::uint8_t { kNone, kDate, kFloating, kUtc, kZoned };

/// A DATE or DATE-TIME as written.
struct CalTime {
  TimeForm form = TimeForm::kNone;
  WallSeconds wall = 0;  ///< the digits; midnight for a DATE
  std::string tzid;      ///< only for kZoned, as written

  explicit operator bool() const { return form != TimeForm::kNone; }
  bool operator==(const CalTime&) const = default;
};

/// A DURATION: `days` are calendar days, `seconds` are exact time.
struct CalDuration {
  std::int64_t days = 0;
  std::int64_t seconds = 0;
};

/// Floor division: the day of a wall time (days since 1970-01-01).
constexpr std::int64_t wall_day(WallSeconds wall) {
  return wall >= 0 ? wall / kDaySeconds : -((-wall + kDaySeconds - 1) / kDaySeconds);
}

/// Reads 20250304, 20250304T100000, 20250304T100000Z; also 2025-03-04T10:00:00, missing seconds, lower-case letters.
/// Years 1 to 9999. Second 60 counts as 59. A form with Z is kUtc whatever `tzid` says.
std::optional<CalTime> parse_cal_time(std::string_view text, std::string_view tzid = {}, bool force_date = false);

/// Reads P1DT2H, -PT15M, P2W and their tolerated mixtures. Values beyond 100 years are refused.
std::optional<CalDuration> parse_cal_duration(std::string_view text);

/// Reads +0100, -053000, +01:00 as seconds; below 24 hours.
std::optional<std::int32_t> parse_utc_offset(std::string_view text);

/// "2025-03-04T10:00:00" of a wall time; "2025-03-04" when `date_only`.
std::string format_wall(WallSeconds wall, bool date_only = false);

/// Compact form as in iCalendar: "20250304T100000".
std::string format_wall_basic(WallSeconds wall);

}  // namespace hansard::calendar
