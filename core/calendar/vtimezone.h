#pragma once
// VTIMEZONE (RFC 5545 section 3.6.5) to a table of transitions.
#include <optional>
#include <string>
#include <vector>

#include "core/calendar/rrule.h"
#include "core/calendar/zone.h"

namespace hansard::calendar {

/// One STANDARD or DAYLIGHT part.
struct Observance {
  std::optional<CalTime> start;
  std::optional<std::int32_t> offset_from, offset_to;
  std::vector<RRule> rules;
  std::vector<CalTime> rdates;
};

/// True when build_zone() makes a zone of them.
bool usable_zone(const std::vector<Observance>& observances);

/// Nothing when no observance is usable. Rules without end are followed to the year 2200.
std::optional<TimeZone> build_zone(const std::vector<Observance>& observances, WorkBudget& budget);

}  // namespace hansard::calendar
