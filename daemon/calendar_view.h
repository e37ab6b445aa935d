#pragma once
// What the API and the commands say about calendars, read from the store's rows.
#include <cstdint>
#include <span>
#include <string>

#include "core/flow/step.h"
#include "ports/store.h"

namespace hansard {

/// "not read yet", "ok", "failing", "reconnect".
std::string calendar_state_name(const flow::CalendarState& state);
/// Known occurrences that are attended.
std::int64_t attended_count(const flow::CalendarState& state);

/// All calendars: [{"id", "kind", "account", "state", "detail", "notes", "meetings", "occurrences", "last_success",
/// "next_scan", "failures", "scans"}]; times are RFC 3339 or "" for never; `meetings` are those of the known `occurrences`
/// that are attended. One of `configured` that the store does not know has the state "not connected" when it has no address,
/// else "not read yet". Errors: those of the store.
Result<Json> calendars_view(Store& store, std::span<const flow::CalendarSource> configured);

/// Every known occurrence of all calendars, those of the same meeting as one, by start: [{"title", "start", "end", "all_day",
/// "platform", "calendars": [ids], "attend", "reason", "why", "meeting", "state", "views": [{"calendar", "attend", "reason",
/// "why"}]}]. `reason` is a name of calendar::AttendReason and `why` its sentence, of the first calendar that wants the
/// meeting, else of the first that shows it; `meeting` and `state` are "" when none is attended. Errors: those of the store.
Result<Json> plan_view(Store& store);

}  // namespace hansard
