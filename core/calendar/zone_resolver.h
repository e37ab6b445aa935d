#pragma once
// Which zone does a TZID of a calendar mean?
#include <map>
#include <string>
#include <utility>

#include "core/calendar/event.h"
#include "core/calendar/vtimezone.h"
#include "core/calendar/zone.h"

namespace hansard::calendar {

/// Order: a name of the tz database (also behind a vendor's prefix), the VTIMEZONE of the same VCALENDAR, one of another
/// VCALENDAR in the file, a Windows name, "UTC" and fixed offsets. Both arguments must outlive the resolver.
class ZoneResolver {
 public:
  ZoneResolver(const Calendar& calendar, const ZoneTable& table) : calendar_(calendar), table_(table) { work_.left = kZoneWork; }

  /// Null when nothing is known: such times are floating.
  const TimeZone* find(std::size_t object, const std::string& tzid);

 private:
  static constexpr std::int64_t kZoneWork = 2'000'000;  ///< units for all VTIMEZONEs of a file

  const TimeZone* look_up(std::size_t object, const std::string& tzid);
  const TimeZone* build(std::size_t object, const std::string& tzid);

  const Calendar& calendar_;
  const ZoneTable& table_;
  std::map<std::pair<std::size_t, std::string>, const TimeZone*> cache_;
  std::map<std::int32_t, TimeZone> fixed_;
  std::map<std::pair<std::size_t, std::string>, TimeZone> built_;  ///< of VTIMEZONEs, by object and TZID
  WorkBudget work_;
};

}  // namespace hansard::calendar
