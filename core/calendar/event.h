#pragma once
// Calendar files as data: bytes in, events and zones out. Reading is tolerant and bounded; one broken VEVENT never
// hides the good ones beside it.
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/base/time.h"
#include "core/calendar/rrule.h"
#include "core/calendar/values.h"
#include "core/calendar/vtimezone.h"
#include "core/calendar/zone.h"

namespace hansard::calendar {

struct Attendee {
  std::string address;   ///< lower case, without "mailto:"
  std::string name;      ///< CN
  std::string role;      ///< upper case: CHAIR, REQ-PARTICIPANT, ...
  std::string partstat;  ///< upper case: NEEDS-ACTION, ACCEPTED, DECLINED, TENTATIVE, DELEGATED
  std::string cutype;    ///< upper case: INDIVIDUAL, ROOM, RESOURCE, ...
  bool self = false;     ///< the calendar's owner, where the source says so itself
};

/// A property that may hold a meeting link, in the order in which they are to be tried (see invite_event.h).
struct ConferenceLink {
  std::string property;  ///< upper case, e.g. "CONFERENCE", "X-GOOGLE-CONFERENCE"
  std::string value;
  std::string features;  ///< FEATURE of CONFERENCE, upper case
};

/// One RDATE: a start, and for a PERIOD an end or a length of its own.
struct RecurrenceDate {
  CalTime start;
  CalTime end;
  std::optional<CalDuration> duration;
};

struct VEvent {
  std::string uid;  ///< empty when the file gives none
  std::string summary, description, location, url;
  std::string html;          ///< the HTML body: X-ALT-DESC, STYLED-DESCRIPTION or ALTREP=data:text/html
  std::string status;        ///< as written: "", CONFIRMED, TENTATIVE, CANCELLED
  std::string transparency;  ///< OPAQUE, TRANSPARENT or ""
  std::string method;        ///< METHOD of its VCALENDAR, upper case
  CalTime start, end;
  std::optional<CalDuration> duration;
  CalTime recurrence_id;
  bool this_and_future = false;
  std::vector<RRule> rules, exclusion_rules;
  std::vector<RecurrenceDate> rdates;
  std::vector<CalTime> exdates;
  std::int64_t sequence = 0;
  std::optional<Instant> last_modified, stamp, created;
  Attendee organizer;
  std::vector<Attendee> attendees;
  std::vector<ConferenceLink> links;
  std::vector<std::string> attachments, categories;
  std::size_t object = 0;  ///< index of its VCALENDAR in Calendar::zones

  bool cancelled() const;
};

struct Calendar {
  std::string name;                    ///< X-WR-CALNAME or NAME
  std::string default_zone;            ///< X-WR-TIMEZONE: at most a default for floating times
  std::optional<CalDuration> refresh;  ///< REFRESH-INTERVAL or X-PUBLISHED-TTL
  std::vector<VEvent> events;
  /// VTIMEZONEs by TZID, one map per VCALENDAR object: the same TZID means different zones in different objects. Kept as
  /// written: their tables are large, and most are never needed because the tz database knows the name.
  std::vector<std::map<std::string, std::vector<Observance>, std::less<>>> zones;
  /// What was left out, one sentence each (no content of the calendar). At most 100.
  std::vector<std::string> problems;
};

struct ReadLimits {
  std::size_t max_bytes = 32u << 20;
  std::size_t max_line = 1u << 20;  ///< unfolded; a longer property is left out
  std::size_t max_events = 100'000;
  std::size_t max_zones = 1'000;
  std::size_t max_list_values = 20'000;  ///< RDATE, EXDATE, attendees: each per event
};

/// Reads one file or feed. Errors: kExhausted (larger than max_bytes), kInvalid (empty, an HTML page, or nothing of
/// iCalendar in it). A calendar without events is no error.
Result<Calendar> read_calendar(std::string_view bytes, const ReadLimits& limits = {});

/// Names of the tz database that this calendar may need.
std::vector<std::string> needed_zones(const Calendar& calendar);

/// A table of the zones that `calendar` needs, read by `loader`. Names that the loader does not know are left out.
ZoneTable load_zones(const Calendar& calendar, const ZoneLoader& loader);

/// The attendee with this address (compared without case, "mailto:" ignored), or null.
const Attendee* find_attendee(const VEvent& event, std::string_view address);

}  // namespace hansard::calendar
