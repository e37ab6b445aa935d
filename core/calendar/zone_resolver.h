#pragma once
// Which zone does a TZID of a calendar mean?
#include <map>
#include <string>
#include <utility>

#include "core/calendar/event.h"
#include "core/calendar/zone.h"

namespace hansard::calendar {

/// Order: a name of the tz database (also behind a vendor's prefix), the VTIMEZONE of the same VCALENDAR, one of another
/// VCALENDAR in the file, a Windows name, "UTC" and fixed offsets. Both arguments must outlive the resolver.
class ZoneResolver {
 public:
  ZoneResolver(const Calendar& calendar, const ZoneTable& table) : calendar_(calendar), table_(table) {}

  /// Null when nothing is known: such times are floating.
  const TimeZone* find(std::size_t object, const std::string& tzid);

 private:
  const TimeZone* look_up(std::size_t object, const std::string& tzid);

  const Calendar& calendar_;
  const ZoneTable& table_;
  std::map<std::pair<std::size_t, std::string>, const TimeZone*> cache_;
  std::map<std::int32_t, TimeZone> fixed_;
};

}  // namespace hansard::calendar
