#pragma once
// Time zones as immutable tables: from TZif bytes (RFC 8536) or from explicit transitions (VTIMEZONE). No file is read
// here: a host gives the bytes.
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/calendar/values.h"

namespace hansard::calendar {

/// One change of the offset from UTC.
struct Transition {
  std::int64_t at = 0;      ///< seconds since 1970-01-01T00:00:00Z
  std::int32_t offset = 0;  ///< seconds east of UTC from then on
};

class TimeZone {
 public:
  /// `transitions` in any order; `first_offset` holds before the earliest. With `cycles`, the last 400 years of the
  /// table stand for all later years (the Gregorian calendar repeats after 400 years, weekdays included).
  TimeZone(std::vector<Transition> transitions, std::int32_t first_offset, bool cycles = false);
  static TimeZone fixed(std::int32_t offset) { return TimeZone({}, offset); }
  /// Reads TZif version 1 to 4 with its footer. Errors: kCorrupt.
  static Result<TimeZone> from_tzif(std::string_view bytes);

  /// Seconds east of UTC at an instant (seconds since the epoch).
  std::int32_t offset_at(std::int64_t utc) const;
  /// UTC of a wall time. A time in a gap is read with the offset before the gap, one that occurs twice is the first of
  /// the two (RFC 5545 section 3.3.5).
  std::int64_t to_utc(WallSeconds wall) const;
  /// True when this wall time occurs twice.
  bool is_ambiguous(WallSeconds wall) const;
  WallSeconds to_wall(std::int64_t utc) const { return utc + offset_at(utc); }

 private:
  std::vector<Transition> transitions_;
  std::vector<WallSeconds> boundaries_;  ///< per transition: the first wall time that surely lies after it
  std::int32_t first_offset_ = 0;
  bool cycles_ = false;
};

/// Gives the TZif bytes of an IANA zone name, or nothing. A host reads them from the system's zone directory.
using ZoneLoader = std::function<std::optional<std::string>(std::string_view iana_name)>;

/// IANA zones by name. Filled once, then only read.
class ZoneTable {
 public:
  /// Errors: kCorrupt when the bytes are no TZif.
  Result<void> add(std::string name, std::string_view tzif);
  const TimeZone* find(std::string_view name) const;
  std::size_t size() const { return zones_.size(); }

 private:
  std::map<std::string, TimeZone, std::less<>> zones_;
};

/// True when `name` has the shape of an IANA zone name (safe as a relative path: no "..", no leading '/').
bool is_zone_name(std::string_view name);

/// The names under which a TZID may be known in the tz database, best first: the longest tail of a prefixed name
/// ("/vendor/Europe/Berlin"), then the zone of a Windows name ("W. Europe Standard Time"). May be empty.
std::vector<std::string> zone_candidates(std::string_view tzid);

/// The offset of TZIDs such as "UTC", "GMT", "Z", "GMT+0200", "UTC-05:30". Not of "(GMT +01:00)": in parentheses that is
/// the display text of a zone with a summer time.
std::optional<std::int32_t> fixed_offset(std::string_view tzid);

}  // namespace hansard::calendar
