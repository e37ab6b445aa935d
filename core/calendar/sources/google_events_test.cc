#include "core/calendar/sources/google_events.h"

#include <gtest/gtest.h>

#include "core/calendar/expand.h"
#include "core/calendar/invite.h"
#include "core/calendar/sources/google_calendar.h"
#include "core/calendar/test_support.h"

namespace hansard::calendar {
namespace {

using testing::at;
using testing::system_zone;

GoogleEvent read(std::string_view text, std::vector<std::string>* problems = nullptr, const std::string& zone = "UTC") {
  const auto json = Json::parse(text);
  EXPECT_TRUE(json) << text;
  ZoneCache zones(system_zone);
  std::vector<std::string> said;
  auto out = read_google_event(json ? *json : Json(), zone, zones, problems != nullptr ? *problems : said);
  return out;
}

/// "start end summary" of every occurrence that these items give.
std::vector<std::string> occurrences(const std::vector<std::string>& items, const char* from, const char* to) {
  GoogleCalendar calendar;
  std::vector<GoogleEvent> changes;
  for (const auto& item : items) changes.push_back(read(item));
  calendar.apply(std::move(changes), true, Instant{INT64_MIN});
  const Calendar& c = calendar.calendar();
  const auto expansion = expand(c, at(from), at(to), load_zones(c, system_zone));
  std::vector<std::string> out;
  if (!expansion) return {"failed"};
  for (const Occurrence& o : expansion->occurrences) {
    const Json json = occurrence_json(o);
    out.push_back(json.text_or("start") + " " + json.text_or("end") + " " + o.summary + (o.cancelled ? " cancelled" : ""));
  }
  return out;
}

TEST(GoogleEvents, ReadsASingleEvent) {
  const auto e = read(R"({"kind":"calendar#event","id":"e1","status":"tentative","iCalUID":"e1@google.com","sequence":3,
    "summary":"Plan","description":"<b>x</b>","location":"Room 1","transparency":"transparent",
    "created":"2026-01-02T03:04:05.000Z","updated":"2026-01-03T03:04:05.678Z",
    "start":{"dateTime":"2026-03-04T10:00:00+01:00","timeZone":"Europe/Berlin"},"end":{"dateTime":"2026-03-04T11:00:00+01:00"},
    "organizer":{"email":"Olga@Example.org","displayName":"Olga","self":true},
    "attendees":[{"email":"Me@Example.org","self":true,"responseStatus":"declined"},
                 {"email":"room@resource.calendar.google.com","resource":true,"responseStatus":"accepted"},
                 {"email":"a@b.c","optional":true,"responseStatus":"tentative"},{"email":"d@e.f","responseStatus":"needsAction"}]})");
  EXPECT_FALSE(e.deleted || e.skipped);
  EXPECT_EQ(e.event.uid, "e1@google.com");
  EXPECT_EQ(e.event.status, "TENTATIVE");
  EXPECT_EQ(e.event.transparency, "TRANSPARENT");
  EXPECT_EQ(e.event.sequence, 3);
  EXPECT_EQ(e.event.start, (CalTime{TimeForm::kUtc, at("2026-03-04T09:00:00Z").ms / 1000, {}}));
  EXPECT_EQ(e.event.last_modified, at("2026-01-03T03:04:05.678Z"));
  EXPECT_EQ(e.event.organizer.address, "olga@example.org");
  EXPECT_TRUE(e.event.organizer.self);
  ASSERT_EQ(e.event.attendees.size(), 4u);
  EXPECT_TRUE(e.event.attendees[0].self);
  EXPECT_EQ(e.event.attendees[0].address, "me@example.org");
  EXPECT_EQ(e.event.attendees[0].partstat, "DECLINED");
  EXPECT_EQ(e.event.attendees[1].cutype, "RESOURCE");
  EXPECT_EQ(e.event.attendees[2].role, "OPT-PARTICIPANT");
  EXPECT_EQ(e.event.attendees[2].partstat, "TENTATIVE");
  EXPECT_EQ(e.event.attendees[3].partstat, "NEEDS-ACTION");
  EXPECT_EQ(e.ends, at("2026-03-04T10:00:00Z"));
}

TEST(GoogleEvents, LinksInTheOrderOfTrust) {
  const std::string head = R"({"id":"e","status":"confirmed","iCalUID":"u","start":{"dateTime":"2026-03-04T10:00:00Z"},
    "end":{"dateTime":"2026-03-04T11:00:00Z"},)";
  const std::string video = R"("conferenceData":{"conferenceSolution":{"key":{"type":"addOn"}},"entryPoints":[
    {"entryPointType":"phone","uri":"tel:+1-555","pin":"999"},{"entryPointType":"more","uri":"https://zoom.us/x"},
    {"entryPointType":"video","uri":"https://us02web.zoom.us/j/81234567890","meetingCode":"81234567890","passcode":"q7T_x","pin":"111"}]},)";
  const std::string meet = R"("hangoutLink":"https://meet.google.com/abc-defg-hij",)";
  const std::string location = R"("location":"https://meet.google.com/loc-atio-nnn",)";
  const std::string description = R"("description":"<p>Join: <a href=\"https://meet.google.com/des-crip-ttt\">here</a></p>")";
  const auto link = [&](const std::string& members) { return find_invite(read(head + members + "}").event); };
  const auto zoom = link(video + meet + location + description);
  EXPECT_EQ(zoom.platform, "zoom");
  EXPECT_EQ(zoom.meeting_id, "81234567890");
  EXPECT_EQ(zoom.passcode, "q7T_x");
  EXPECT_EQ(link(meet + location + description).meeting_id, "abc-defg-hij");
  EXPECT_EQ(link(location + description).meeting_id, "loc-atio-nnn");
  EXPECT_EQ(link(description).meeting_id, "des-crip-ttt");
  EXPECT_FALSE(link(R"("conferenceData":{"createRequest":{"status":{"statusCode":"pending"}}})"));
  // A broken entry is no reason to lose the good link behind it.
  EXPECT_EQ(link(R"("conferenceData":{"entryPoints":[7,{"entryPointType":"video"},{"entryPointType":"video","uri":5}]},)" +
                 location + description)
                .meeting_id,
            "loc-atio-nnn");
  // What the notes say about the same meeting is added.
  EXPECT_EQ(link(R"("conferenceData":{"entryPoints":[{"entryPointType":"video","uri":"https://us02web.zoom.us/j/81234567890"}],
    "notes":"Join Zoom: <a href=\"https://us02web.zoom.us/j/81234567890\">link</a><br>Passcode: 445566"})")
                .passcode,
            "445566");
}

TEST(GoogleEvents, ASeriesRunsOnTheClockOfItsZoneWhateverOffsetIsWritten) {
  // 09:00 in New York, written with the offset of a calendar in Berlin; the clocks change there on 8 March 2026.
  const std::string master = R"({"id":"m","status":"confirmed","iCalUID":"m@google.com","summary":"s",
    "start":{"dateTime":"2026-03-06T15:00:00+01:00","timeZone":"America/New_York"},
    "end":{"dateTime":"2026-03-06T15:30:00+01:00","timeZone":"America/New_York"},
    "recurrence":["RRULE:FREQ=DAILY;COUNT=4","EXDATE;TZID=America/New_York:20260307T090000"]})";
  EXPECT_EQ(
      occurrences({master}, "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"),
      (std::vector<std::string>{"2026-03-06T14:00:00Z 2026-03-06T14:30:00Z s", "2026-03-08T13:00:00Z 2026-03-08T13:30:00Z s",
                                "2026-03-09T13:00:00Z 2026-03-09T13:30:00Z s"}));
  const auto e = read(master);
  EXPECT_EQ(e.event.start.tzid, "America/New_York");
  ASSERT_TRUE(e.ends);
  EXPECT_GT(*e.ends, at("2026-03-09T13:30:00Z"));
  EXPECT_LT(*e.ends, at("2026-03-13T00:00:00Z"));
}

TEST(GoogleEvents, ExceptionsAreMovedOrCancelledInstances) {
  const std::string master = R"({"id":"m","status":"confirmed","iCalUID":"m@google.com","summary":"s","sequence":2,
    "start":{"dateTime":"2026-03-02T09:00:00+01:00","timeZone":"Europe/Berlin"},
    "end":{"dateTime":"2026-03-02T10:00:00+01:00","timeZone":"Europe/Berlin"},"recurrence":["RRULE:FREQ=DAILY;UNTIL=20260306T080000Z"]})";
  const std::string moved = R"({"id":"m_20260303T080000Z","status":"confirmed","iCalUID":"m@google.com","recurringEventId":"m",
    "summary":"moved","sequence":2,"originalStartTime":{"dateTime":"2026-03-03T09:00:00+01:00","timeZone":"Europe/Berlin"},
    "start":{"dateTime":"2026-03-20T15:00:00+01:00"},"end":{"dateTime":"2026-03-20T16:00:00+01:00"}})";
  // Only these members are certain.
  const std::string cancelled = R"({"id":"m_20260304T080000Z","status":"cancelled","recurringEventId":"m",
    "originalStartTime":{"dateTime":"2026-03-04T09:00:00+01:00","timeZone":"Europe/Berlin"}})";
  for (const auto& order : {std::vector<std::string>{master, moved, cancelled}, {cancelled, moved, master}}) {
    EXPECT_EQ(occurrences(order, "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"),
              (std::vector<std::string>{
                  "2026-03-02T08:00:00Z 2026-03-02T09:00:00Z s", "2026-03-04T08:00:00Z 2026-03-04T08:00:00Z  cancelled",
                  "2026-03-05T08:00:00Z 2026-03-05T09:00:00Z s", "2026-03-06T08:00:00Z 2026-03-06T09:00:00Z s",
                  "2026-03-20T14:00:00Z 2026-03-20T15:00:00Z moved"}));
  }
  // Invited to one instance alone: it stands under the UID of the series. Cancelled alone, it is nothing.
  EXPECT_EQ(occurrences({moved}, "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z").size(), 1u);
  EXPECT_TRUE(occurrences({cancelled}, "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z").empty());
}

TEST(GoogleEvents, AllDayEventsAreDates) {
  const auto e = read(R"({"id":"d","status":"confirmed","iCalUID":"d","start":{"date":"2026-03-04"},"end":{"date":"2026-03-05"},
    "recurrence":["RRULE:FREQ=WEEKLY;COUNT=2"]})");
  EXPECT_EQ(e.event.start.form, TimeForm::kDate);
  EXPECT_EQ(e.event.start.wall, at("2026-03-04T00:00:00Z").ms / 1000);
  EXPECT_EQ(occurrences({R"({"id":"d","status":"confirmed","start":{"date":"2026-03-04"},"end":{"date":"2026-03-05"},
    "recurrence":["RRULE:FREQ=WEEKLY;COUNT=2"]})"},
                        "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"),
            (std::vector<std::string>{"2026-03-04 2026-03-05 ", "2026-03-11 2026-03-12 "}));
}

TEST(GoogleEvents, WhatIsNoMeetingIsLeftOut) {
  EXPECT_TRUE(read(R"({"id":"x","status":"cancelled"})").deleted);
  EXPECT_TRUE(read(R"({"id":"x","status":"confirmed","eventType":"workingLocation","start":{"date":"2026-03-04"}})").skipped);
  EXPECT_TRUE(read(R"({"id":"x","status":"confirmed","eventType":"birthday","start":{"date":"2026-03-04"}})").skipped);
  EXPECT_FALSE(read(R"({"id":"x","status":"confirmed","eventType":"fromGmail","start":{"date":"2026-03-04"}})").skipped);
  std::vector<std::string> problems;
  EXPECT_TRUE(read(R"({"id":"x","status":"confirmed","summary":"secret"})", &problems).skipped);
  EXPECT_TRUE(read(R"({"id":"x","status":"confirmed","recurringEventId":"m","start":{"date":"2026-03-04"}})", &problems).skipped);
  ASSERT_FALSE(problems.empty());
  EXPECT_EQ(problems[0].find("secret"), std::string::npos);
  EXPECT_TRUE(read("{}").skipped);
  EXPECT_TRUE(read("[1]").skipped);
  // With the right to see free and busy times alone there is a time and nothing else.
  const auto busy = read(R"({"id":"b","status":"confirmed","visibility":"private","start":{"dateTime":"2026-03-04T10:00:00Z"},
    "end":{"dateTime":"2026-03-04T11:00:00Z"}})");
  EXPECT_FALSE(busy.skipped);
  EXPECT_TRUE(busy.event.summary.empty());
  EXPECT_FALSE(find_invite(busy.event));
}

TEST(GoogleEvents, HostileValuesAreBounded) {
  std::string many = R"({"id":"x","status":"confirmed","start":{"dateTime":"2026-03-04T10:00:00Z","timeZone":"Mars/Olympus"},
    "end":{"dateTime":"1999-03-04T11:00:00Z"},"recurrence":[1,"","nonsense","RRULE:FREQ=NEVER","RRULE:FREQ=SECONDLY","X:1"],"attendees":[)";
  for (int i = 0; i < 3'000; ++i) many += R"({"email":"a@b"},)";
  many += R"({"email":"me@b","self":true}]})";
  std::vector<std::string> problems;
  const auto e = read(many, &problems);
  EXPECT_EQ(e.event.rules.size(), 1u);
  EXPECT_EQ(e.event.start.form, TimeForm::kUtc);  // the zone is not known: the instant holds
  EXPECT_EQ(problems.size(), 2u);
  EXPECT_FALSE(e.ends);
  EXPECT_LE(e.event.attendees.size(), 1'001u);
  EXPECT_TRUE(e.event.attendees.back().self);
}

TEST(GoogleCalendar, TwoEventsWithOneUidAreBothKept) {
  const std::string a = R"({"id":"a","status":"confirmed","iCalUID":"u","summary":"a","start":{"dateTime":"2026-03-04T10:00:00Z"},
    "end":{"dateTime":"2026-03-04T11:00:00Z"}})";
  const std::string b = R"({"id":"b","status":"confirmed","iCalUID":"u","summary":"b","start":{"dateTime":"2026-03-05T10:00:00Z"},
    "end":{"dateTime":"2026-03-05T11:00:00Z"}})";
  EXPECT_EQ(occurrences({a, b}, "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z").size(), 2u);
}

TEST(GoogleCalendar, WhatHasEndedAndWhatIsDeletedIsForgotten) {
  const auto single = [](const char* id, const char* day) {
    return read(std::string(R"({"id":")") + id + R"(","status":"confirmed","iCalUID":")" + id + R"(","start":{"dateTime":")" +
                day + R"(T10:00:00Z"},"end":{"dateTime":")" + day + R"(T11:00:00Z"}})");
  };
  const auto series = [](const char* id, const char* rule) {
    return read(
        std::string(R"({"id":")") + id + R"(","status":"confirmed","iCalUID":")" + id +
        R"(","start":{"dateTime":"2026-01-01T10:00:00Z","timeZone":"Europe/Berlin"},"end":{"dateTime":"2026-01-01T11:00:00Z"},
      "recurrence":["RRULE:)" +
        rule + "\"]}");
  };
  const auto exception = read(R"({"id":"endless_x","recurringEventId":"endless","status":"cancelled",
    "originalStartTime":{"dateTime":"2026-06-01T10:00:00Z"}})");
  GoogleCalendar calendar;
  calendar.apply({single("old", "2026-01-05"), single("new", "2026-05-05"), series("over", "FREQ=DAILY;COUNT=5"),
                  series("until", "FREQ=DAILY;UNTIL=20260201T000000Z"), series("endless", "FREQ=DAILY"), exception},
                 true, at("2026-03-01T00:00:00Z"));
  EXPECT_EQ(calendar.size(), 3u);
  // Time goes on, nothing was changed.
  calendar.apply({}, false, at("2026-05-06T00:00:00Z"));
  EXPECT_EQ(calendar.size(), 2u);
  ASSERT_EQ(calendar.calendar().events.size(), 2u);
  EXPECT_EQ(calendar.calendar().events[1].uid, "endless");
  // The series goes, and its exceptions with it.
  calendar.apply({read(R"({"id":"endless","status":"cancelled"})"), single("next", "2026-07-01")}, false,
                 at("2026-05-06T00:00:00Z"));
  ASSERT_EQ(calendar.calendar().events.size(), 1u);
  EXPECT_EQ(calendar.calendar().events[0].uid, "next");
  calendar.apply({}, true, at("2026-05-06T00:00:00Z"));
  EXPECT_EQ(calendar.size(), 0u);
}

}  // namespace
}  // namespace hansard::calendar
