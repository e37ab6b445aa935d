#include "core/calendar/expand.h"

#include <ctime>

#include <gtest/gtest.h>

#include "core/calendar/test_support.h"

namespace hansard::calendar {
namespace {

using testing::at;
using testing::calendar_of;
using testing::event_of;
using testing::starts;
using Strings = std::vector<std::string>;

TEST(Expand, TakesWhatOverlapsTheWindow) {
  const std::string ics = calendar_of(event_of("UID:a\r\nSUMMARY:a\r\nDTSTART:20250101T090000Z\r\nDTEND:20250101T100000Z\r\n") +
                                      event_of("UID:b\r\nSUMMARY:b\r\nDTSTART:20250101T100000Z\r\n") +
                                      event_of("UID:c\r\nSUMMARY:c\r\nDTSTART:20250101T110000Z\r\nDURATION:PT1H\r\n"));
  EXPECT_EQ(starts(ics, "2025-01-01T10:00:00Z", "2025-01-01T11:00:00Z"), (Strings{"2025-01-01T10:00:00Z b"}));
  EXPECT_EQ(starts(ics, "2025-01-01T09:59:59Z", "2025-01-01T11:00:01Z").size(), 3u);
  EXPECT_EQ(starts(ics, "2025-01-01T10:00:01Z", "2025-01-01T10:30:00Z").size(), 0u);
}

TEST(Expand, MovesOverridesIntoAndOutOfTheWindow) {
  const std::string ics =
      calendar_of(event_of("UID:s\r\nSUMMARY:s\r\nDTSTART:20250106T100000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=WEEKLY;COUNT=10\r\n") +
                  event_of("UID:s\r\nSUMMARY:moved\r\nRECURRENCE-ID:20250210T100000Z\r\nDTSTART:20250108T120000Z\r\n") +
                  event_of("UID:s\r\nSUMMARY:away\r\nRECURRENCE-ID:20250113T100000Z\r\nDTSTART:20250601T120000Z\r\n"));
  EXPECT_EQ(starts(ics, "2025-01-06T00:00:00Z", "2025-01-20T00:00:00Z"),
            (Strings{"2025-01-06T10:00:00Z s", "2025-01-08T12:00:00Z moved"}));
}

TEST(Expand, KeepsTheKeyOfAnInstanceThatMoves) {
  const auto key = [](const std::string& start) {
    const auto c =
        read_calendar(calendar_of(event_of("UID:s\r\nDTSTART:20250106T100000Z\r\nRRULE:FREQ=DAILY;COUNT=2\r\n") +
                                  event_of("UID:s\r\nSUMMARY:x\r\nRECURRENCE-ID:20250107T100000Z\r\nDTSTART:" + start + "\r\n")));
    const auto e = expand(*c, at("2025-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z"), {});
    for (const Occurrence& o : e->occurrences) {
      if (o.summary == "x") return o.key;
    }
    return std::string();
  };
  EXPECT_EQ(key("20250107T100000Z"), "s|2025-01-07T10:00:00Z");
  EXPECT_EQ(key("20250909T100000Z"), "s|2025-01-07T10:00:00Z");
}

TEST(Expand, TakesAnOverrideWithoutMasterAsAnEvent) {
  EXPECT_EQ(
      starts(calendar_of(event_of("UID:o\r\nSUMMARY:only\r\nRECURRENCE-ID:20250107T100000Z\r\nDTSTART:20250107T110000Z\r\n")),
             "2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z"),
      (Strings{"2025-01-07T11:00:00Z only"}));
}

TEST(Expand, ShiftsTheRestOfASeriesAndLetsSingleOverridesWin) {
  const std::string ics =
      calendar_of(event_of("UID:t\r\nSUMMARY:old\r\nDTSTART:20250401T090000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY;COUNT=5\r\n") +
                  event_of("UID:t\r\nSUMMARY:new\r\nRECURRENCE-ID;RANGE=THISANDFUTURE:20250403T090000Z\r\nDTSTART:"
                           "20250403T113000Z\r\nDURATION:PT2H\r\n") +
                  event_of("UID:t\r\nSUMMARY:single\r\nRECURRENCE-ID:20250404T090000Z\r\nDTSTART:20250404T200000Z\r\n"));
  EXPECT_EQ(starts(ics, "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
            (Strings{"2025-04-01T09:00:00Z old", "2025-04-02T09:00:00Z old", "2025-04-03T11:30:00Z new",
                     "2025-04-04T20:00:00Z single", "2025-04-05T11:30:00Z new"}));
}

TEST(Expand, DropsOverridesThatTheNewerMasterNoLongerHas) {
  const std::string ics = calendar_of(
      event_of("UID:m\r\nSEQUENCE:2\r\nDTSTART:20250101T090000Z\r\nRRULE:FREQ=DAILY;COUNT=2\r\n") +
      event_of("UID:m\r\nSEQUENCE:1\r\nRECURRENCE-ID:20250103T090000Z\r\nDTSTART:20250103T100000Z\r\n") +
      event_of("UID:m\r\nSEQUENCE:1\r\nSUMMARY:kept\r\nRECURRENCE-ID:20250102T090000Z\r\nDTSTART:20250102T100000Z\r\n"));
  EXPECT_EQ(starts(ics, "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
            (Strings{"2025-01-01T09:00:00Z", "2025-01-02T10:00:00Z kept"}));
}

TEST(Expand, MarksCancelledMeetings) {
  EXPECT_EQ(starts(calendar_of("METHOD:CANCEL\r\n" + event_of("UID:c\r\nSUMMARY:x\r\nDTSTART:20250107T110000Z\r\n")),
                   "2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z"),
            (Strings{"2025-01-07T11:00:00Z x cancelled"}));
}

TEST(Expand, NeverEndsBeforeItStarts) {
  const auto c = read_calendar(calendar_of(event_of("UID:e\r\nDTSTART:20250107T110000Z\r\nDTEND:20250107T100000Z\r\n") +
                                           event_of("UID:d\r\nDTSTART:20250107T110000Z\r\nDURATION:-PT5H\r\n")));
  const auto e = expand(*c, at("2025-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z"), {});
  ASSERT_EQ(e->occurrences.size(), 2u);
  for (const Occurrence& o : e->occurrences) EXPECT_EQ(o.start, o.end);
}

TEST(Expand, ReadsFloatingTimesInTheReadersZoneWhenAsked) {
  if (!testing::has_zones()) GTEST_SKIP() << "no zone files on this machine";
  const auto zone = TimeZone::from_tzif(*testing::system_zone("Asia/Tokyo"));
  const auto c = read_calendar(calendar_of(event_of("UID:f\r\nDTSTART:20250107T090000\r\nDURATION:PT1H\r\n")));
  ExpandLimits limits;
  limits.local_zone = &*zone;
  const auto e = expand(*c, at("2025-01-06T23:30:00Z"), at("2025-01-07T00:30:00Z"), {}, limits);
  ASSERT_EQ(e->occurrences.size(), 1u);
  EXPECT_EQ(format_rfc3339(e->occurrences[0].start), "2025-01-07T00:00:00Z");
  EXPECT_EQ(e->occurrences[0].kind, TimeKind::kFloating);
}

TEST(Expand, BoundsAHostileCalendarAndKeepsTheOthersMeetings) {
  std::string body = event_of("UID:good\r\nSUMMARY:good\r\nDTSTART:20250107T110000Z\r\n");
  for (int i = 0; i < 20; ++i) {
    body += event_of("UID:x" + std::to_string(i) +
                     "\r\nDTSTART:19700101T000000Z\r\nRRULE:FREQ=SECONDLY;COUNT=2000000000;BYSECOND=1,2,3\r\n");
    body += event_of("UID:y" + std::to_string(i) + "\r\nDTSTART:19700101T000000Z\r\nRRULE:FREQ=SECONDLY\r\n");
  }
  const std::clock_t before = std::clock();  // of this process: other work on the machine does not count
  const auto c = read_calendar(calendar_of(body));
  const auto e = expand(*c, at("2025-01-07T00:00:00Z"), at("2025-01-08T00:00:00Z"), {});
  ASSERT_TRUE(e);
  EXPECT_LT((std::clock() - before) / CLOCKS_PER_SEC, 10);
  EXPECT_FALSE(e->problems.empty());
  EXPECT_LE(e->occurrences.size(), ExpandLimits{}.max_occurrences);
  const auto alone = expand(*c, at("2025-01-07T11:00:00Z"), at("2025-01-07T11:00:01Z"), {});
  EXPECT_TRUE(
      std::any_of(alone->occurrences.begin(), alone->occurrences.end(), [](const Occurrence& o) { return o.uid == "good"; }));
}

}  // namespace
}  // namespace hansard::calendar
