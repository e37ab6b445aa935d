#include "core/calendar/sources/feed_source.h"

#include <gtest/gtest.h>

namespace hansard::calendar {
namespace {

std::string event(const std::string& uid, const std::string& day, const std::string& more = {}) {
  return "BEGIN:VEVENT\r\nUID:" + uid + "\r\nDTSTART:" + day + "T100000Z\r\nDTEND:" + day + "T110000Z\r\n" + more +
         "END:VEVENT\r\n";
}

class FeedSourcePast : public testing::Test {
 protected:
  static Instant day(const char* text) { return *parse_rfc3339(std::string(text) + "T00:00:00Z"); }

  HttpRequest ask(Instant from) { return std::get<SendRequest>(source_.begin({from, from + hours(24)}, from, {})).request; }
  std::string uids() const {
    std::string out;
    for (const VEvent& e : source_.documents().front()->events) out += e.uid + " ";
    return out;
  }
  FeedSource source_{[] {
    Connection c;
    c.kind = "ics";
    c.calendar = "https://calendar.example/work.ics";
    return c;
  }()};
  const std::string feed_ = "BEGIN:VCALENDAR\r\n" + event("old", "20240304") + event("yesterday", "20250303") +
                            event("series", "20200101", "RRULE:FREQ=DAILY\r\n") + event("moved", "20250304") +
                            event("moved", "20240301", "SEQUENCE:2\r\n") + event("soon", "20250304") + "END:VCALENDAR\r\n";
};

TEST_F(FeedSourcePast, EventsThatAreLongOverAreNotKept) {
  ask(day("2025-03-04"));
  ASSERT_TRUE(std::holds_alternative<SyncDone>(source_.reply(HttpResponse{200, {{"etag", "\"1\""}}, feed_}, {})));
  // Of a UID with two versions the newer one may be the past one: it says that the other does not hold any more.
  EXPECT_EQ(uids(), "yesterday series moved moved soon ");
  EXPECT_EQ(find_header(ask(day("2025-03-05")).headers, "if-none-match"), "\"1\"");
}

TEST_F(FeedSourcePast, AClockSetBackAsksForTheWholeAgain) {
  ask(day("2025-03-04"));
  ASSERT_TRUE(std::holds_alternative<SyncDone>(source_.reply(HttpResponse{200, {{"etag", "\"1\""}}, feed_}, {})));
  EXPECT_EQ(find_header(ask(day("2024-03-04")).headers, "if-none-match"), "");
  ASSERT_TRUE(std::holds_alternative<SyncDone>(source_.reply(HttpResponse{200, {{"etag", "\"1\""}}, feed_}, {})));
  EXPECT_EQ(uids(), "old yesterday series moved moved soon ");
}

TEST_F(FeedSourcePast, WhatLastsUntilNowIsKept) {
  ask(day("2025-03-04"));
  const std::string feed =
      "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:month\r\nDTSTART:20250210T100000Z\r\nDURATION:P30D\r\nEND:VEVENT\r\n"
      "BEGIN:VEVENT\r\nUID:hour\r\nDTSTART:20250210T100000Z\r\nDURATION:PT1H\r\nEND:VEVENT\r\n"
      "BEGIN:VEVENT\r\nUID:dates\r\nDTSTART:20240210T100000Z\r\nRDATE:20250304T100000Z\r\nEND:VEVENT\r\n"
      "BEGIN:VEVENT\r\nUID:moved\r\nRECURRENCE-ID:20240210T100000Z\r\nDTSTART:20240210T110000Z\r\nEND:VEVENT\r\n"
      "BEGIN:VEVENT\r\nDTSTART:20240210T100000Z\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nDTSTART:20240211T100000Z\r\nEND:VEVENT\r\n"
      "END:VCALENDAR\r\n";
  ASSERT_TRUE(std::holds_alternative<SyncDone>(source_.reply(HttpResponse{200, {}, feed}, {})));
  EXPECT_EQ(uids(), "month dates moved ") << "two without a name are no versions of each other";
}

}  // namespace
}  // namespace hansard::calendar
