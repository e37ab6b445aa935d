#pragma once
// Internal to core/calendar: content lines of one VEVENT to a VEvent.
#include <string>
#include <string_view>

#include "core/calendar/content_line.h"
#include "core/calendar/event.h"

namespace hansard::calendar {

/// Applies one property. Unknown properties are ignored; values that cannot be read add a sentence to `problems`.
void apply_event_property(const ContentLine& line, VEvent& event, const ReadLimits& limits, std::vector<std::string>& problems);

/// Reads the DATE or DATE-TIME of a property with its VALUE and TZID parameters.
std::optional<CalTime> read_time_property(const ContentLine& line, std::string_view value);

/// Adds a sentence unless there are many already.
void note_problem(std::vector<std::string>& problems, std::string sentence);

}  // namespace hansard::calendar
