#include "core/calendar/zone_resolver.h"

#include "core/base/text.h"

namespace hansard::calendar {

const TimeZone* ZoneResolver::find(std::size_t object, const std::string& tzid) {
  const auto key = std::make_pair(object, tzid);
  const auto it = cache_.find(key);
  if (it != cache_.end()) return it->second;
  return cache_[key] = look_up(object, tzid);
}

/// The VTIMEZONE of this name in one VCALENDAR, or null.
const TimeZone* ZoneResolver::build(std::size_t object, const std::string& tzid) {
  if (object >= calendar_.zones.size()) return nullptr;
  const auto written = calendar_.zones[object].find(tzid);
  if (written == calendar_.zones[object].end()) return nullptr;
  const auto key = std::make_pair(object, tzid);
  if (const auto it = built_.find(key); it != built_.end()) return &it->second;
  auto zone = build_zone(written->second, work_);
  return zone ? &built_.emplace(key, std::move(*zone)).first->second : nullptr;
}

const TimeZone* ZoneResolver::look_up(std::size_t object, const std::string& tzid) {
  // A bare number is what a program wrote that had lost the name; the common readers take such times as local, even
  // beside a VTIMEZONE of that number.
  if (std::int64_t number = 0; parse_digits(tzid, number)) return nullptr;
  const auto candidates = zone_candidates(tzid);
  // Windows names hold blanks, so a candidate that is the tail of the TZID is a name of the tz database.
  for (const std::string& name : candidates) {
    if (!tzid.ends_with(name) && tzid.find(name) == std::string::npos) continue;
    if (const TimeZone* zone = table_.find(name)) return zone;
  }
  if (const TimeZone* zone = build(object, tzid)) return zone;
  for (std::size_t other = 0; other < calendar_.zones.size(); ++other) {
    if (const TimeZone* zone = build(other, tzid)) return zone;
  }
  for (const std::string& name : candidates) {
    if (const TimeZone* zone = table_.find(name)) return zone;
  }
  if (const auto offset = fixed_offset(tzid)) return &fixed_.try_emplace(*offset, TimeZone::fixed(*offset)).first->second;
  return nullptr;
}

}  // namespace hansard::calendar
