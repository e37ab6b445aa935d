#include "core/calendar/event.h"

#include <gtest/gtest.h>

#include "core/calendar/test_support.h"

namespace hansard::calendar {
namespace {

using testing::calendar_of;
using testing::event_of;

TEST(ReadCalendar, UnfoldsBytesBeforeDecoding) {
  // The fold splits the two bytes of "ü"; tabs fold too, and lone CR and LF end lines.
  const auto c = read_calendar(
      "\xEF\xBB\xBF"
      "begin:vcalendar\rBEGIN:VEVENT\nUID:a\nSUMMARY:\xC3\r\n \xBC\r\n\tber\\, x\\; \\n\\y\nDTSTART:20250101T000000Z\r\n");
  ASSERT_TRUE(c);
  ASSERT_EQ(c->events.size(), 1u);  // the missing END is no reason to lose it
  EXPECT_EQ(c->events[0].summary, "über, x; \ny");
}

TEST(ReadCalendar, KeepsGoodEventsBesideBrokenOnes) {
  const auto c = read_calendar(calendar_of(event_of("UID:1\r\nDTSTART:20250101T100000Z\r\n") +
                                           "BEGIN:VEVENT\r\nUID:2\r\nDTSTART:garbage\r\nEND:VEVENT\r\n" +
                                           "BEGIN:VEVENT\r\nUID:3\r\nDTSTART:20250102T100000Z\r\n" +  // no END
                                           event_of("UID:4\r\nDTSTART:20250103T100000Z\r\n\xFF\xFE;;;:::\r\nnot a line\r\n")));
  ASSERT_TRUE(c);
  ASSERT_EQ(c->events.size(), 3u);
  EXPECT_EQ(c->events[0].uid, "1");
  EXPECT_EQ(c->events[1].uid, "3");
  EXPECT_EQ(c->events[2].uid, "4");
  EXPECT_FALSE(c->problems.empty());
}

TEST(ReadCalendar, SaysWhatIsWrongWithThingsThatAreNoCalendar) {
  EXPECT_EQ(read_calendar("").error().code, ErrorClass::kInvalid);
  EXPECT_NE(read_calendar("<!DOCTYPE html><html>").error().detail.find("web page"), std::string::npos);
  EXPECT_EQ(read_calendar("hello").error().code, ErrorClass::kInvalid);
  EXPECT_EQ(read_calendar(std::string(2000, 'x'), ReadLimits{.max_bytes = 1000}).error().code, ErrorClass::kExhausted);
  EXPECT_TRUE(read_calendar("BEGIN:VCALENDAR\nEND:VCALENDAR\n"));
}

TEST(ReadCalendar, BoundsLinesAndEvents) {
  ReadLimits limits;
  limits.max_line = 100;
  limits.max_events = 2;
  std::string many;
  for (int i = 0; i < 5; ++i)
    many += event_of("UID:" + std::to_string(i) + "\r\nSUMMARY:" + std::string(200, 'x') + "\r\nDTSTART:20250101\r\n");
  const auto c = read_calendar(calendar_of(many), limits);
  ASSERT_TRUE(c);
  EXPECT_EQ(c->events.size(), 2u);
  EXPECT_EQ(c->events[0].summary, "");
}

TEST(ReadCalendar, ReadsPeopleLinksAndMethod) {
  const auto c = read_calendar(calendar_of(
      "METHOD:request\r\nX-WR-CALNAME:Team\r\nREFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n" +
      event_of("UID:p\r\nDTSTART;TZID=\"Europe/Berlin\":20250101T100000\r\nORGANIZER;CN=\"Weber, Ada\":MAILTO:Ada@Example.org\r\n"
               "ATTENDEE;PARTSTAT=DECLINED;ROLE=REQ-PARTICIPANT;CN=Cy ^'the^' Doe:mailto:cy@example.com\r\n"
               "CONFERENCE;VALUE=URI;FEATURE=AUDIO,VIDEO;LABEL=\"a:b;c\":https://meet.jit.si/x\r\nX-ALT-DESC;FMTTYPE=text/"
               "html:<b>hi</b>\r\n")));
  ASSERT_TRUE(c);
  ASSERT_EQ(c->events.size(), 1u);
  const VEvent& e = c->events[0];
  EXPECT_EQ(e.method, "REQUEST");
  EXPECT_EQ(c->name, "Team");
  EXPECT_EQ(c->refresh->seconds, 3600);
  EXPECT_EQ(e.start.tzid, "Europe/Berlin");
  EXPECT_EQ(e.organizer.address, "ada@example.org");
  EXPECT_EQ(e.organizer.name, "Weber, Ada");
  const Attendee* cy = find_attendee(e, "mailto:CY@example.com");
  ASSERT_NE(cy, nullptr);
  EXPECT_EQ(cy->partstat, "DECLINED");
  EXPECT_EQ(cy->name, "Cy \"the\" Doe");
  ASSERT_EQ(e.links.size(), 1u);
  EXPECT_EQ(e.links[0].features, "AUDIO,VIDEO");
  EXPECT_EQ(e.html, "<b>hi</b>");
}

TEST(ReadCalendar, KeepsZonesOfDifferentObjectsApart) {
  const auto object = [](const std::string& offset) {
    return "BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nTZID:Customized Time Zone\r\nBEGIN:STANDARD\r\nDTSTART:16010101T000000\r\n"
           "TZOFFSETFROM:" +
           offset + "\r\nTZOFFSETTO:" + offset +
           "\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
           "BEGIN:VEVENT\r\nUID:" +
           offset + "\r\nDTSTART;TZID=Customized Time Zone:20250101T120000\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
  };
  EXPECT_EQ(testing::starts(object("+0100") + object("-0500"), "2025-01-01T00:00:00Z", "2025-01-02T00:00:00Z"),
            (std::vector<std::string>{"2025-01-01T11:00:00Z", "2025-01-01T17:00:00Z"}));
}

TEST(Values, ReadsTimesAndDurations) {
  EXPECT_EQ(parse_cal_time("20250304T100000Z")->form, TimeForm::kUtc);
  EXPECT_EQ(parse_cal_time("2025-03-04T10:00:00")->wall, parse_cal_time("20250304T100000")->wall);
  EXPECT_EQ(parse_cal_time("20250304")->form, TimeForm::kDate);
  for (const std::string bad :
       {"", "2025", "20250230", "20251301", "20250101T250000", "20250101T106000", "x20250101", "00000101"}) {
    EXPECT_FALSE(parse_cal_time(bad)) << bad;
  }
  EXPECT_EQ(parse_cal_duration("P1DT2H")->days, 1);
  EXPECT_EQ(parse_cal_duration("P1DT2H")->seconds, 7200);
  EXPECT_EQ(parse_cal_duration("-PT15M")->seconds, -900);
  EXPECT_EQ(parse_cal_duration("P2W")->days, 14);
  for (const std::string bad : {"", "P", "1D", "PT", "P1M", "P99999999999D", "P999999D"})
    EXPECT_FALSE(parse_cal_duration(bad)) << bad;
  EXPECT_EQ(parse_utc_offset("-0530"), -19800);
  EXPECT_FALSE(parse_utc_offset("+2500"));
}

}  // namespace
}  // namespace hansard::calendar
