#pragma once
// Events as Google Calendar API v3 writes them (resource "Event", listed with singleEvents=false).
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/calendar/event.h"

namespace hansard::calendar {

/// Zones by name, each loaded once. Google writes the times of a series with any offset; its rules run on the clock of its
/// own zone, so reading it needs that zone.
class ZoneCache {
 public:
  explicit ZoneCache(ZoneLoader loader) : loader_(std::move(loader)) {}
  /// Null when nobody knows it.
  const TimeZone* find(const std::string& name);

 private:
  ZoneLoader loader_;
  std::map<std::string, std::optional<TimeZone>, std::less<>> zones_;
};

/// One item of events.list.
struct GoogleEvent {
  std::string id;
  std::string master;           ///< recurringEventId: this is an exception of that series
  bool deleted = false;         ///< cancelled and no exception: only `id` is certain
  bool skipped = false;         ///< nothing to keep: a birthday, a place of work, an event without a time
  VEvent event;                 ///< uid: iCalUID, which an exception that was cancelled may lack
  std::optional<Instant> ends;  ///< no occurrence ends later; nothing: endless, or too much work to say
};

/// `calendar_zone`: the answer's timeZone, used where a series names none. Values that cannot be read add to `problems`.
GoogleEvent read_google_event(const Json& item, const std::string& calendar_zone, ZoneCache& zones,
                              std::vector<std::string>& problems);

}  // namespace hansard::calendar
