#pragma once
// Events of Microsoft Graph ("event resource type", v1.0) as VEvents. A calendarView is expanded already: every occurrence
// stands by itself and none has a rule.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/calendar/event.h"

namespace hansard::calendar {

enum class GraphType : std::uint8_t { kSingle, kOccurrence, kException, kMaster };

/// `type` of an event; singleInstance when absent.
GraphType graph_type(const Json& event);

/// A dateTimeTimeZone ("2025-03-04T09:00:00.0000000", zone by Windows or IANA name or "UTC"). As a DATE when `all_day`:
/// such an event begins at midnight of its own zone, which UTC shows up to 14 hours off.
std::optional<CalTime> read_graph_time(const Json& time, bool all_day);

/// True when an occurrence lacks members that its series master has: delta answers shorten them.
bool is_short(const Json& event);

/// `occurrence` with what it lacks taken from its master.
Json with_master(const Json& occurrence, const Json& master);

/// One event. `account`: mail address of the calendar's owner, whose responseStatus becomes an Attendee with self = true.
/// uid: that of the series for its occurrences, which carry their original start as recurrence_id; an exception whose
/// original start is not told has an empty recurrence_id and its own id as uid. onlineMeeting.joinUrl is the first of
/// `links`, as a CONFERENCE. Nothing when it has no start that can be read.
std::optional<VEvent> read_graph_event(const Json& event, std::string_view account);

}  // namespace hansard::calendar
