#include "core/calendar/sources/graph_events.h"

#include <algorithm>

#include "core/base/text.h"

namespace hansard::calendar {
namespace {

constexpr std::size_t kMaxBody = 256u << 10;
constexpr std::size_t kMaxAttendees = 2'000;
constexpr std::size_t kMaxLinks = 32;
constexpr std::size_t kMaxText = 8'192;
constexpr WallSeconds kHour = 3'600;

/// What an occurrence takes from its master when it comes without them. Its own id, times and kind never.
constexpr std::string_view kShared[] = {"uid",         "subject",        "body",        "bodyPreview",   "isCancelled",
                                        "isOrganizer", "responseStatus", "attendees",   "organizer",     "location",
                                        "locations",   "showAs",         "sensitivity", "onlineMeeting", "isOnlineMeeting",
                                        "categories",  "isAllDay"};
/// Of those, the ones that tell a shortened event from a whole one.
constexpr std::string_view kExpected[] = {"subject",   "body",      "isCancelled", "responseStatus",
                                          "attendees", "organizer", "location",    "onlineMeeting"};

/// The day of a midnight that is told in another zone: those east of Greenwich show it on the evening or noon (UTC+13)
/// before, Hawaii's at 10 o'clock of the day itself.
CalTime as_date(const CalTime& midnight) {
  const WallSeconds clock = midnight.wall - wall_day(midnight.wall) * kDaySeconds;
  return {TimeForm::kDate, (wall_day(midnight.wall) + (clock > 10 * kHour ? 1 : 0)) * kDaySeconds, {}};
}

/// The first `limit` bytes, cut between characters.
std::string cut(std::string text, std::size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
  text.resize(limit);
  return text;
}

std::string member(const Json& json, std::string_view key) { return cut(json.text_or(key), kMaxText); }

bool is_utc(std::string_view zone) {
  for (const std::string_view known :
       {"UTC", "Coordinated Universal Time", "tzone://Microsoft/Utc", "Etc/UTC", "Etc/GMT", "GMT"}) {
    if (equals_ignore_case(zone, known)) return true;
  }
  return false;
}

std::string partstat(std::string_view response) {
  if (response == "accepted" || response == "organizer") return "ACCEPTED";
  if (response == "tentativelyAccepted") return "TENTATIVE";
  if (response == "declined") return "DECLINED";
  return "NEEDS-ACTION";
}

Attendee read_person(const Json& recipient) {
  const Json& mail = recipient["emailAddress"];
  Attendee out;
  out.address = to_lower(trim(member(mail, "address")));
  out.name = member(mail, "name");
  out.cutype = "INDIVIDUAL";
  return out;
}

Attendee read_attendee(const Json& json) {
  Attendee out = read_person(json);
  const std::string type = json.text_or("type");
  out.role = type == "optional" ? "OPT-PARTICIPANT" : type == "resource" ? "NON-PARTICIPANT" : "REQ-PARTICIPANT";
  if (type == "resource") out.cutype = "RESOURCE";
  out.partstat = partstat(json["status"].text_or("response"));
  return out;
}

/// responseStatus is the owner's own answer; the list of attendees can lag behind it, or name a group instead.
void add_owner(const Json& json, std::string_view account, VEvent& event) {
  const std::string response = json["responseStatus"].text_or("response");
  const bool organizer = response == "organizer" || json.bool_or("isOrganizer", false);
  if (response.empty() && !organizer) return;
  std::string address = to_lower(account);
  if (organizer) {
    event.organizer.self = true;
    if (!event.organizer.address.empty()) address = event.organizer.address;
  }
  const std::string answer = organizer ? "ACCEPTED" : partstat(response);
  const auto own = std::find_if(event.attendees.begin(), event.attendees.end(),
                                [&](const Attendee& a) { return !address.empty() && a.address == address; });
  if (own != event.attendees.end()) {
    own->self = true;
    if (answer != "NEEDS-ACTION") own->partstat = answer;
    return;
  }
  Attendee self;
  self.address = address;
  self.role = organizer ? "CHAIR" : "REQ-PARTICIPANT";
  self.partstat = answer;
  self.cutype = "INDIVIDUAL";
  self.self = true;
  event.attendees.push_back(std::move(self));
}

void add_people(const Json& json, std::string_view account, VEvent& event) {
  event.organizer = read_person(json["organizer"]);
  for (const Json& one : json["attendees"].items()) {
    if (event.attendees.size() >= kMaxAttendees) break;
    event.attendees.push_back(read_attendee(one));
  }
  add_owner(json, account, event);
}

/// Where there is something to join, in the order in which find_invite is to try it.
void add_links(const Json& json, VEvent& event) {
  const std::string join = member(json["onlineMeeting"], "joinUrl");
  if (!join.empty()) event.links.push_back({"CONFERENCE", join, "AUDIO,VIDEO"});
  const auto add_location = [&](const Json& location) {
    const std::string name = member(location, "displayName");
    const std::string uri = member(location, "locationUri");
    if (!name.empty() && event.location.find(name) == std::string::npos && event.location.size() < kMaxText)
      event.location += (event.location.empty() ? "" : "; ") + name;
    if (!uri.empty() && event.links.size() < kMaxLinks) event.links.push_back({"X-MICROSOFT-LOCATIONS", uri, ""});
  };
  add_location(json["location"]);
  for (const Json& location : json["locations"].items()) add_location(location);
}

void add_text(const Json& json, VEvent& event) {
  event.summary = member(json, "subject");
  const Json& body = json["body"];
  std::string content = cut(body.text_or("content"), kMaxBody);
  if (equals_ignore_case(body.text_or("contentType"), "html")) {
    event.html = std::move(content);
  } else {
    event.description = std::move(content);
  }
  if (event.html.empty() && event.description.empty()) event.description = member(json, "bodyPreview");
  for (const Json& one : json["categories"].items()) {
    if (event.categories.size() >= kMaxLinks) break;
    if (auto name = one.as_string()) event.categories.push_back(cut(std::move(*name), 256));
  }
}

/// originalStart is told in UTC; an occurrence that was never changed starts where it always did.
CalTime original_start(const Json& json, GraphType type, const VEvent& event) {
  if (const auto told = parse_rfc3339(json.text_or("originalStart"))) {
    const CalTime out{TimeForm::kUtc, told->ms / 1000, {}};
    return event.start.form == TimeForm::kDate ? as_date(out) : out;
  }
  return type == GraphType::kOccurrence ? event.start : CalTime{};
}

}  // namespace

GraphType graph_type(const Json& event) {
  const std::string type = event.text_or("type");
  if (type == "occurrence") return GraphType::kOccurrence;
  if (type == "exception") return GraphType::kException;
  if (type == "seriesMaster") return GraphType::kMaster;
  return GraphType::kSingle;
}

std::optional<CalTime> read_graph_time(const Json& time, bool all_day) {
  std::string text = time.text_or("dateTime");
  const std::string zone = cut(time.text_or("timeZone"), 256);
  if (const auto fraction = text.find('.'); fraction != std::string::npos) {
    std::size_t end = fraction + 1;
    while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
    text.erase(fraction, end - fraction);
  }
  // The documents promise no offset; a value that has one is read as what it says.
  std::optional<CalTime> out;
  if (const auto instant = parse_rfc3339(text)) {
    out = CalTime{TimeForm::kUtc, instant->ms / 1000, {}};
  } else {
    out = parse_cal_time(text, is_utc(zone) ? std::string_view{} : std::string_view(zone));
    if (out && out->form == TimeForm::kFloating && is_utc(zone)) out->form = TimeForm::kUtc;
  }
  if (!out || !all_day) return out;
  return as_date(*out);
}

bool is_short(const Json& event) {
  const GraphType type = graph_type(event);
  if (type != GraphType::kOccurrence && type != GraphType::kException) return false;
  if (std::any_of(std::begin(kExpected), std::end(kExpected), [&](std::string_view key) { return !event.has(key); })) return true;
  // null for a while after it was made
  return event["onlineMeeting"].is_null() && event.bool_or("isOnlineMeeting", false);
}

Json with_master(const Json& occurrence, const Json& master) {
  Json out = occurrence;
  const bool no_meeting = occurrence.has("isOnlineMeeting") && !occurrence.bool_or("isOnlineMeeting", false);
  for (const std::string_view key : kShared) {
    if (!master.has(key)) continue;
    const bool waiting = key == "onlineMeeting" && occurrence[key].is_null() && !no_meeting;
    // A place of its own goes without the list of the master's places.
    if (key == "locations" && occurrence.has("location") && !occurrence.has("locations")) continue;
    if (!occurrence.has(key) || waiting) out.set(key, master[key]);
  }
  return out;
}

std::optional<VEvent> read_graph_event(const Json& json, std::string_view account) {
  const GraphType type = graph_type(json);
  const bool all_day = json.bool_or("isAllDay", false);
  VEvent out;
  const auto start = read_graph_time(json["start"], all_day);
  if (!start) return std::nullopt;
  out.start = *start;
  out.end = read_graph_time(json["end"], all_day).value_or(CalTime{});
  if (type == GraphType::kOccurrence || type == GraphType::kException) {
    out.recurrence_id = original_start(json, type, out);
    out.uid = out.recurrence_id ? member(json, "uid") : member(json, "id");
    if (out.uid.empty()) out.uid = member(json, "seriesMasterId");
  } else {
    out.uid = member(json, "iCalUId");
    if (out.uid.empty()) out.uid = member(json, "uid");
  }
  if (out.uid.empty()) out.uid = member(json, "id");
  out.status = json.bool_or("isCancelled", false) ? "CANCELLED" : "CONFIRMED";
  const std::string shown = json.text_or("showAs");
  out.transparency = shown == "free" ? "TRANSPARENT" : "OPAQUE";
  if (const auto t = parse_rfc3339(json.text_or("lastModifiedDateTime"))) out.last_modified = *t;
  if (const auto t = parse_rfc3339(json.text_or("createdDateTime"))) out.created = *t;
  add_text(json, out);
  add_links(json, out);
  add_people(json, account, out);
  return out;
}

}  // namespace hansard::calendar
