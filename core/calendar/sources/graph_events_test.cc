#include "core/calendar/sources/graph_events.h"

#include <gtest/gtest.h>

#include "core/calendar/expand.h"
#include "core/calendar/invite.h"
#include "core/calendar/sources/graph_calendar.h"

namespace hansard::calendar {
namespace {

constexpr const char* kJoin =
    "https://teams.microsoft.com/l/meetup-join/19%3ameeting_NjQ1%40thread.v2/"
    "0?context=%7b%22Tid%22%3a%22f5a1%22%2c%22Oid%22%3a%22a9%22%7d";

Json json(std::string_view text) {
  auto parsed = Json::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed ? *parsed : Json();
}

/// A whole event; `more` is added to it, or replaces members.
Json event(std::string_view more = "{}") {
  Json out = json(R"({"id":"E1","iCalUId":"040000","type":"singleInstance","subject":"Plan",
    "body":{"contentType":"html","content":"<p>Agenda</p>"},"isCancelled":false,"isAllDay":false,"isOrganizer":false,
    "responseStatus":{"response":"accepted"},"showAs":"busy","categories":[],
    "start":{"dateTime":"2025-03-04T09:00:00.0000000","timeZone":"UTC"},
    "end":{"dateTime":"2025-03-04T09:30:00.0000000","timeZone":"UTC"},
    "organizer":{"emailAddress":{"name":"Olga","address":"Olga@Example.org"}},
    "attendees":[{"type":"required","status":{"response":"none"},"emailAddress":{"name":"Me","address":"me@example.org"}}],
    "location":{"displayName":""},"locations":[],"isOnlineMeeting":false,"onlineMeeting":null})");
  const Json added = json(more);
  for (const auto& [key, value] : added.members()) out.set(key, value);
  return out;
}

VEvent read(const Json& e) {
  auto out = read_graph_event(e, "me@example.org");
  EXPECT_TRUE(out);
  return out.value_or(VEvent{});
}

Attendee self(const VEvent& e) {
  for (const Attendee& a : e.attendees) {
    if (a.self) return a;
  }
  ADD_FAILURE() << "nobody is the owner";
  return {};
}

TEST(GraphTime, ReadsSevenDigitsAndZoneNames) {
  const auto time = [](const char* text, const char* zone, bool all_day = false) {
    return read_graph_time(Json::object().set("dateTime", text).set("timeZone", zone), all_day).value_or(CalTime{});
  };
  EXPECT_EQ(time("2025-03-04T09:00:00.0000000", "UTC").form, TimeForm::kUtc);
  EXPECT_EQ(format_wall(time("2025-03-04T09:00:00.1234567", "tzone://Microsoft/Utc").wall), "2025-03-04T09:00:00");
  EXPECT_EQ(time("2025-03-04T09:00:00.0000000", "W. Europe Standard Time").tzid, "W. Europe Standard Time");
  EXPECT_EQ(time("2025-03-04T09:00:00", "Europe/Berlin").form, TimeForm::kZoned);
  EXPECT_EQ(format_wall(time("2025-03-04T09:00:00.0000000+02:00", "UTC").wall), "2025-03-04T07:00:00");
  EXPECT_EQ(time("2025-03-04T09:00:00.0000000", "").form, TimeForm::kFloating);
  EXPECT_EQ(time("tomorrow", "UTC").form, TimeForm::kNone);
  // Midnight of Berlin, Tokyo, Auckland (summer), New York and Honolulu as UTC shows it.
  for (const char* shown : {"2025-03-03T23:00:00", "2025-03-03T15:00:00", "2025-03-03T11:00:00", "2025-03-04T05:00:00",
                            "2025-03-04T10:00:00", "2025-03-04T00:00:00"}) {
    EXPECT_EQ(time(shown, "UTC", true).form, TimeForm::kDate);
    EXPECT_EQ(format_wall(time(shown, "UTC", true).wall, true), "2025-03-04") << shown;
  }
}

TEST(GraphEvents, TheOwnersAnswerComesFromResponseStatus) {
  const VEvent accepted = read(event());
  EXPECT_EQ(self(accepted).address, "me@example.org");
  EXPECT_EQ(self(accepted).partstat, "ACCEPTED");
  EXPECT_EQ(accepted.attendees.size(), 1u) << "the owner was in the list already";
  EXPECT_EQ(accepted.organizer.address, "olga@example.org");
  EXPECT_FALSE(accepted.organizer.self);

  EXPECT_EQ(self(read(event(R"({"responseStatus":{"response":"declined"}})"))).partstat, "DECLINED");
  EXPECT_EQ(self(read(event(R"({"responseStatus":{"response":"tentativelyAccepted"}})"))).partstat, "TENTATIVE");
  // Invited as member of a group: not in the list by name.
  const VEvent group = read(event(R"({"responseStatus":{"response":"notResponded"},"attendees":[
    {"type":"required","status":{"response":"none"},"emailAddress":{"address":"all@example.org"}},
    {"type":"resource","status":{"response":"accepted"},"emailAddress":{"address":"room@example.org"}}]})"));
  EXPECT_EQ(group.attendees.size(), 3u);
  EXPECT_EQ(self(group).partstat, "NEEDS-ACTION");
  EXPECT_EQ(group.attendees[1].cutype, "RESOURCE");

  const VEvent own = read(event(R"({"responseStatus":{"response":"organizer"},"isOrganizer":true})"));
  EXPECT_TRUE(own.organizer.self);
  EXPECT_EQ(self(own).address, "olga@example.org");
  EXPECT_EQ(self(own).partstat, "ACCEPTED");
}

TEST(GraphEvents, TheJoinUrlComesFirstAndByteForByte) {
  Json e = event(R"({"isOnlineMeeting":true,
    "body":{"contentType":"html","content":"<a href=\"https://us02web.zoom.us/j/81234567890\">other</a>"},
    "location":{"displayName":"Room 3","locationUri":"https://meet.google.com/abc-defg-hij"}})");
  for (const char* url :
       {kJoin, "https://teams.microsoft.com/meet/2233445566778?p=QwErTy",
        "https://teams.cloud.microsoft/l/meetup-join/19%3Ameeting_a%40thread.v2/0?context=%7B%22Tid%22%3A%221%22%7D"}) {
    e.set("onlineMeeting", Json::object().set("joinUrl", url));
    const InviteLink link = find_invite(read(e));
    EXPECT_EQ(link.platform, "teams");
    EXPECT_EQ(link.url.value_or(""), url);
  }
  e.set("onlineMeeting", Json());
  EXPECT_EQ(find_invite(read(e)).platform, "meet") << "the location goes before the body";
  EXPECT_EQ(read(e).location, "Room 3");
  e.set("location", Json::object().set("displayName", "Room 3"));
  EXPECT_EQ(find_invite(read(e)).platform, "zoom");
}

TEST(GraphEvents, StateAndNames) {
  EXPECT_TRUE(read(event(R"({"isCancelled":true})")).cancelled());
  EXPECT_FALSE(read(event()).cancelled());
  EXPECT_EQ(read(event()).uid, "040000");
  EXPECT_EQ(read(event(R"({"showAs":"free"})")).transparency, "TRANSPARENT");
  EXPECT_EQ(read(event(R"({"categories":["Record"]})")).categories, std::vector<std::string>{"Record"});
  EXPECT_FALSE(read_graph_event(event(R"({"start":null})"), ""));
  const VEvent moved = read(event(R"({"type":"exception","seriesMasterId":"M","originalStart":"2025-03-04T09:00:00Z","uid":"S",
    "start":{"dateTime":"2025-03-05T11:00:00.0000000","timeZone":"UTC"}})"));
  EXPECT_EQ(moved.uid, "S");
  EXPECT_EQ(format_wall(moved.recurrence_id.wall), "2025-03-04T09:00:00");
  EXPECT_EQ(read(event(R"({"type":"occurrence","seriesMasterId":"M"})")).uid, "M")
      << "without uid the series is named by its master";
}

// ---- rounds ----------------------------------------------------------------------------------------------------

Json occurrence(const char* id, const char* day) {
  return Json::object()
      .set("id", id)
      .set("type", "occurrence")
      .set("seriesMasterId", "M")
      .set("start", Json::object().set("dateTime", std::string(day) + "T09:00:00.0000000").set("timeZone", "UTC"))
      .set("end", Json::object().set("dateTime", std::string(day) + "T09:15:00.0000000").set("timeZone", "UTC"));
}
Json master(const char* subject = "Daily") {
  Json out = event(R"({"id":"M","type":"seriesMaster","uid":"S","isOnlineMeeting":true})");
  return out.set("subject", subject).set("onlineMeeting", Json::object().set("joinUrl", kJoin));
}
Json removed(const char* id) { return Json::object().set("id", id).set("@removed", json(R"({"reason":"deleted"})")); }

void round(GraphCalendar& calendar, bool whole, const Json& page, bool series_removed = false) {
  calendar.begin_round(whole);
  ASSERT_TRUE(calendar.add_page(page, 1));
  EXPECT_EQ(calendar.next_missing_master(), "");
  EXPECT_EQ(calendar.commit(), series_removed);
}

/// "key start title" of all occurrences of March 2025.
std::vector<std::string> shown(const GraphCalendar& calendar) {
  const auto expansion = expand(calendar.calendar(), parse_rfc3339("2025-03-01T00:00:00Z").value(),
                                parse_rfc3339("2025-04-01T00:00:00Z").value(), load_zones(calendar.calendar(), nullptr));
  std::vector<std::string> out;
  for (const auto& o : expansion->occurrences) out.push_back(o.key + " " + format_rfc3339(o.start) + " " + o.summary);
  return out;
}
using Lines = std::vector<std::string>;

TEST(GraphCalendar, ShortOccurrencesTakeWhatTheyLackFromTheirMaster) {
  GraphCalendar calendar("me@example.org");
  // The master comes after one of them, as its place in the pages is nowhere promised.
  round(calendar, true, Json::array().push(occurrence("O1", "2025-03-04")).push(master()).push(occurrence("O2", "2025-03-05")));
  EXPECT_EQ(shown(calendar),
            (Lines{"S|2025-03-04T09:00:00Z 2025-03-04T09:00:00Z Daily", "S|2025-03-05T09:00:00Z 2025-03-05T09:00:00Z Daily"}));
  for (const VEvent& e : calendar.calendar().events) EXPECT_EQ(find_invite(e).url.value_or(""), kJoin);
  // A change of the master alone reaches them.
  round(calendar, false, Json::array().push(master("Stand-up")));
  EXPECT_EQ(shown(calendar)[1], "S|2025-03-05T09:00:00Z 2025-03-05T09:00:00Z Stand-up");
  // What it says itself it keeps.
  Json own = occurrence("O2", "2025-03-05");
  round(calendar, false, Json::array().push(own.set("subject", "Retro").set("isCancelled", true)));
  EXPECT_EQ(shown(calendar)[1], "S|2025-03-05T09:00:00Z 2025-03-05T09:00:00Z Retro");
  EXPECT_TRUE(calendar.calendar().events[1].cancelled());
}

TEST(GraphCalendar, AsksForAMasterThatNobodyTold) {
  GraphCalendar calendar("");
  calendar.begin_round(true);
  ASSERT_TRUE(calendar.add_page(Json::array().push(occurrence("O1", "2025-03-04")).push(occurrence("O2", "2025-03-05")), 1));
  EXPECT_EQ(calendar.next_missing_master(), "M");
  EXPECT_EQ(calendar.next_missing_master(), "");
  calendar.add_master(master());
  EXPECT_FALSE(calendar.commit());
  EXPECT_EQ(calendar.calendar().events[0].summary, "Daily");
}

TEST(GraphCalendar, AMovedOccurrenceKeepsItsNameEvenWithoutOriginalStart) {
  GraphCalendar calendar("");
  round(calendar, true, Json::array().push(master()).push(occurrence("O1", "2025-03-04")));
  Json moved = event(R"({"id":"O1","type":"exception","seriesMasterId":"M",
    "start":{"dateTime":"2025-03-06T15:00:00.0000000","timeZone":"UTC"},"end":{"dateTime":"2025-03-06T16:00:00.0000000","timeZone":"UTC"}})");
  const Lines expected{"S|2025-03-04T09:00:00Z 2025-03-06T15:00:00Z Plan"};
  round(calendar, false, Json::array().push(moved));
  EXPECT_EQ(shown(calendar), expected);
  round(calendar, true, Json::array().push(master()).push(moved));
  EXPECT_EQ(shown(calendar), expected) << "a new window knows what the old one knew";
  // Never seen before: it stands alone rather than on the place of another occurrence.
  GraphCalendar fresh("");
  round(fresh, true, Json::array().push(master()).push(moved).push(occurrence("O2", "2025-03-06").set("id", "O2")));
  EXPECT_EQ(shown(fresh).size(), 2u);
}

TEST(GraphCalendar, RemovalsAndUnknownOnes) {
  GraphCalendar calendar("");
  round(calendar, true,
        Json::array().push(event()).push(event(R"({"id":"E2","iCalUId":"u2"})")).push(event(R"({"id":"E3","iCalUId":"u3"})")));
  round(
      calendar, false,
      Json::array().push(removed("never seen")).push(removed("E1")).push(event(R"({"id":"E3","iCalUId":"u3","subject":"New"})")));
  EXPECT_EQ(shown(calendar),
            (Lines{"u2|2025-03-04T09:00:00Z 2025-03-04T09:00:00Z Plan", "u3|2025-03-04T09:00:00Z 2025-03-04T09:00:00Z New"}));
  // The end of a series is no proof that its occurrences are told as removed too: the caller asks for the whole window.
  round(calendar, false, Json::array().push(master()).push(occurrence("O1", "2025-03-07")));
  round(calendar, false, Json::array().push(removed("M")), true);
  EXPECT_EQ(shown(calendar).back(), "S|2025-03-07T09:00:00Z 2025-03-07T09:00:00Z Daily") << "until then nothing is lost";
  round(calendar, true, Json::array().push(event(R"({"id":"E2","iCalUId":"u2"})")));
  EXPECT_EQ(shown(calendar).size(), 1u);
}

TEST(GraphCalendar, TwoCopiesOfOneInvitationAreTwoMeetings) {
  GraphCalendar calendar("");
  round(calendar, true, Json::array().push(event()).push(event(R"({"id":"E2","subject":"Copy"})")));
  EXPECT_EQ(shown(calendar).size(), 2u);
  round(calendar, false, Json::array().push(removed("E1")));
  EXPECT_EQ(shown(calendar), (Lines{"040000|2025-03-04T09:00:00Z 2025-03-04T09:00:00Z Copy"}));
}

TEST(GraphCalendar, NothingIsSeenOfARoundThatIsNotComplete) {
  GraphCalendar calendar("", {3, 1'000, 5});
  round(calendar, true, Json::array().push(event()));
  calendar.begin_round(true);
  ASSERT_TRUE(calendar.add_page(Json::array(), 10));
  EXPECT_EQ(shown(calendar).size(), 1u);
  EXPECT_FALSE(calendar.add_page(Json::array(), 1'000)) << "the bytes are bounded";
  calendar.begin_round(true);
  EXPECT_FALSE(calendar.add_page(Json::array().push(event()).push(event()).push(event()).push(event()), 1))
      << "the events are bounded";
  round(calendar, true, Json::array().push(event(R"({"start":{"dateTime":"?"}})")));
  EXPECT_EQ(calendar.calendar().problems.size(), 1u);
}

}  // namespace
}  // namespace hansard::calendar
