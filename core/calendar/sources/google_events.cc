#include "core/calendar/sources/google_events.h"

#include <algorithm>
#include <utility>

#include "core/base/text.h"
#include "core/calendar/content_line.h"
#include "core/calendar/event_reader.h"

namespace hansard::calendar {
namespace {

constexpr std::size_t kMaxAttendees = 1'000;
constexpr std::size_t kMaxLines = 2'000;
constexpr std::size_t kMaxPasscode = 64;
/// Work on the question when a series with a COUNT ends: a fraction of a millisecond.
constexpr std::int64_t kEndWork = 20'000;
/// All-day and zoned times are up to 14 hours away from UTC.
constexpr std::int64_t kZoneMargin = kDaySeconds;

std::int64_t floor_seconds(Instant t) { return t.ms >= 0 ? t.ms / 1000 : -((-t.ms + 999) / 1000); }

/// {"date"} or {"dateTime", "timeZone"}. A time that stands alone is an instant.
CalTime read_instant(const Json& time) {
  if (const std::string date = time.text_or("date"); !date.empty()) {
    return parse_cal_time(date, {}, true).value_or(CalTime{});
  }
  const std::string text = time.text_or("dateTime");
  if (const auto instant = parse_rfc3339(text)) return {TimeForm::kUtc, floor_seconds(*instant), {}};
  // Without an offset it is on the clock of its zone.
  return parse_cal_time(text, time.text_or("timeZone")).value_or(CalTime{});
}

/// The same time on the clock of the series' zone, where that is known.
CalTime on_the_clock(CalTime time, const std::string& zone_name, ZoneCache& zones) {
  if (time.form != TimeForm::kUtc || zone_name.empty()) return time;
  const TimeZone* zone = zones.find(zone_name);
  if (zone == nullptr) return time;
  return {TimeForm::kZoned, zone->to_wall(time.wall), zone_name};
}

std::string partstat_of(const std::string& status) {
  if (status == "accepted") return "ACCEPTED";
  if (status == "declined") return "DECLINED";
  if (status == "tentative") return "TENTATIVE";
  return "NEEDS-ACTION";
}

Attendee read_person(const Json& person) {
  Attendee out;
  out.address = to_lower(trim(person.text_or("email")));
  out.name = person.text_or("displayName");
  out.self = person.bool_or("self", false);
  return out;
}

void read_attendees(const Json& list, VEvent& event) {
  for (const Json& one : list.items()) {
    Attendee a = read_person(one);
    if (event.attendees.size() >= kMaxAttendees && !a.self) continue;
    a.partstat = partstat_of(one.text_or("responseStatus"));
    a.role = one.bool_or("optional", false) ? "OPT-PARTICIPANT" : "REQ-PARTICIPANT";
    a.cutype = one.bool_or("resource", false) ? "RESOURCE" : "INDIVIDUAL";
    event.attendees.push_back(std::move(a));
  }
}

/// Printable ASCII in one piece, as passcodes and numbers are; empty otherwise.
std::string code_of(const std::string& text) {
  const bool sane =
      text.size() <= kMaxPasscode && std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
  return sane ? text : "";
}

/// In the order of trust: the video entry point, then hangoutLink; location and description come after them by themselves.
void read_conference(const Json& item, VEvent& event) {
  const Json& conference = item["conferenceData"];
  for (const Json& entry : conference["entryPoints"].items()) {
    if (entry.text_or("entryPointType") != "video" || event.links.size() >= 4) continue;
    std::string value = entry.text_or("uri");
    if (value.empty()) continue;
    // What the link alone does not say goes along as the words that an invitation would use.
    std::string passcode = code_of(entry.text_or("passcode"));
    if (passcode.empty()) passcode = code_of(entry.text_or("password"));
    if (const std::string code = code_of(entry.text_or("meetingCode")); !code.empty()) value += "\nMeeting ID: " + code;
    if (!passcode.empty()) value += "\nPasscode: " + passcode;
    event.links.push_back({"CONFERENCE", std::move(value), "VIDEO"});
  }
  if (std::string link = item.text_or("hangoutLink"); !link.empty()) {
    event.links.push_back({"X-GOOGLE-CONFERENCE", std::move(link), ""});
  }
  event.html = conference.text_or("notes");
}

/// RRULE, EXRULE, RDATE and EXDATE as in a calendar file.
void read_recurrence(const Json& lines, VEvent& event, std::vector<std::string>& problems) {
  std::size_t count = 0;
  for (const Json& item : lines.items()) {
    const auto text = item.as_string();
    ContentLine line;
    if (!text || ++count > kMaxLines || !parse_content_line(*text, line)) continue;
    if (line.is("RRULE") || line.is("EXRULE") || line.is("RDATE") || line.is("EXDATE")) {
      apply_event_property(line, event, ReadLimits{}, problems);
    }
  }
}

std::optional<Instant> instant_of(const std::string& text) {
  const auto t = parse_rfc3339(text);
  return t ? std::optional(*t) : std::nullopt;
}

/// The latest start of a rule on the wall, nothing when it has no end that can be told.
std::optional<WallSeconds> last_of(const RRule& rule, const VEvent& event) {
  std::optional<WallSeconds> out;
  if (rule.until) out = rule.until->wall + kZoneMargin;
  if (!rule.count) return out;
  WorkBudget budget{kEndWork};
  RecurrenceIterator it(rule, event.start.wall, INT64_MAX, budget);
  WallSeconds last = event.start.wall;
  while (const auto wall = it.next()) last = *wall;
  if (!it.out_of_budget()) out = out ? std::min(*out, last) : last;
  return out;
}

std::optional<Instant> end_of(const VEvent& event) {
  WallSeconds last = event.start.wall;
  for (const RRule& rule : event.rules) {
    const auto end = last_of(rule, event);
    if (!end) return std::nullopt;
    last = std::max(last, *end);
  }
  for (const RecurrenceDate& r : event.rdates) last = std::max({last, r.start.wall, r.end.wall});
  const WallSeconds length = event.end ? std::max<WallSeconds>(event.end.wall - event.start.wall, 0) : 0;
  const WallSeconds margin = event.start.form == TimeForm::kUtc && event.rules.empty() && event.rdates.empty() ? 0 : kZoneMargin;
  constexpr WallSeconds kFar = WallSeconds{1} << 40;
  return Instant{(std::clamp(last, -kFar, kFar) + std::clamp<WallSeconds>(length, 0, kFar) + 2 * margin) * 1000};
}

/// Start, end and rules. A series is put on the clock of its zone.
void read_times(const Json& item, const std::string& calendar_zone, ZoneCache& zones, GoogleEvent& out,
                std::vector<std::string>& problems) {
  VEvent& event = out.event;
  event.start = read_instant(item["start"]);
  event.end = read_instant(item["end"]);
  read_recurrence(item["recurrence"], event, problems);
  if (event.rules.empty() && event.rdates.empty()) return;
  const auto zone_of = [&](const Json& time) {
    const std::string zone = time.text_or("timeZone");
    return zone.empty() ? calendar_zone : zone;
  };
  event.start = on_the_clock(std::move(event.start), zone_of(item["start"]), zones);
  event.end = on_the_clock(std::move(event.end), zone_of(item["end"]), zones);
  if (event.start.form == TimeForm::kUtc && zone_of(item["start"]) != "UTC") {
    note_problem(problems, "a series in a time zone that is not known here is read without changes of the clock");
  }
}

bool is_meeting_type(const std::string& type) { return type.empty() || type == "default" || type == "fromGmail"; }

}  // namespace

const TimeZone* ZoneCache::find(const std::string& name) {
  const auto it = zones_.find(name);
  if (it != zones_.end()) return it->second ? &*it->second : nullptr;
  std::optional<TimeZone>& zone = zones_[name];
  for (const std::string& candidate : zone_candidates(name)) {
    const auto bytes = loader_ ? loader_(candidate) : std::nullopt;
    if (!bytes) continue;
    if (auto read = TimeZone::from_tzif(*bytes)) {
      zone = std::move(*read);
      break;
    }
  }
  if (!zone) {
    if (const auto offset = fixed_offset(name)) zone = TimeZone::fixed(*offset);
  }
  return zone ? &*zone : nullptr;
}

GoogleEvent read_google_event(const Json& item, const std::string& calendar_zone, ZoneCache& zones,
                              std::vector<std::string>& problems) {
  GoogleEvent out;
  VEvent& event = out.event;
  out.id = item.text_or("id");
  out.master = item.text_or("recurringEventId");
  const std::string status = item.text_or("status");
  out.deleted = status == "cancelled" && out.master.empty();
  out.skipped = out.id.empty() || !is_meeting_type(item.text_or("eventType"));
  if (out.deleted || out.skipped) return out;

  event.uid = item.text_or("iCalUID");
  event.status = status == "cancelled" ? "CANCELLED" : status == "tentative" ? "TENTATIVE" : "CONFIRMED";
  event.summary = item.text_or("summary");
  event.description = item.text_or("description");
  event.location = item.text_or("location");
  event.transparency = item.text_or("transparency") == "transparent" ? "TRANSPARENT" : "OPAQUE";
  event.sequence = item.int_or("sequence", 0);
  event.last_modified = event.stamp = instant_of(item.text_or("updated"));
  event.created = instant_of(item.text_or("created"));
  event.organizer = read_person(item["organizer"]);
  read_attendees(item["attendees"], event);
  read_conference(item, event);
  read_times(item, calendar_zone, zones, out, problems);
  if (!out.master.empty()) {
    event.recurrence_id = read_instant(item["originalStartTime"]);
    // The start of a cancelled exception is not certain to be there, and where it is it may be of any age.
    if (!event.start || status == "cancelled") {
      event.start = event.recurrence_id;
      event.end = {};
    }
  }
  if (!event.start || (!out.master.empty() && !event.recurrence_id)) {
    note_problem(problems, "an event without a readable start was left out");
    out.skipped = true;
    return out;
  }
  out.ends = end_of(event);
  return out;
}

}  // namespace hansard::calendar
