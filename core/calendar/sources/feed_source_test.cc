#include "core/calendar/sources/feed_source.h"

#include <gtest/gtest.h>

#include "core/calendar/sources/talk_testing.h"

namespace hansard::calendar {
namespace {

using testing::event_file;

constexpr Instant kNow{1'760'000'000'000};  // 2025-10-09

std::string event(const std::string& uid, const std::string& day, const std::string& more = {}) {
  return "BEGIN:VEVENT\r\nUID:" + uid + "\r\nDTSTART:" + day + "T100000Z\r\nDTEND:" + day + "T110000Z\r\n" + more +
         "END:VEVENT\r\n";
}

class FeedSourcePast : public ::testing::Test {
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

class Feed : public ::testing::Test {
 protected:
  Feed()
      : source_([] {
          Connection c;
          c.kind = "ics";
          c.calendar = "webcal://x/y.ics";
          return c;
        }()) {}
  std::string get(const Result<HttpResponse>& response) {
    const SourceAction sent = source_.begin({kNow, kNow + hours(24)}, kNow, "");
    request_ = std::get<SendRequest>(sent).request;
    const SourceAction action = source_.reply(response, kNow);
    const auto* f = std::get_if<SyncFailed>(&action);
    return f == nullptr ? "" : f->detail;
  }
  std::size_t events() const { return source_.documents()[0]->events.size(); }
  FeedSource source_;
  HttpRequest request_;
};

TEST_F(Feed, WhatIsNoWholeCalendarDeletesNothing) {
  const std::string good = event_file("a");
  ASSERT_EQ(get(HttpResponse{200, {}, good}), "");
  EXPECT_EQ(request_.url, "https://x/y.ics");
  EXPECT_NE(get(HttpResponse{200, {}, "<!DOCTYPE html><html>log in</html>"}).find("web page"), std::string::npos);
  EXPECT_NE(get(HttpResponse{200, {}, ""}).find("empty"), std::string::npos);
  EXPECT_NE(get(HttpResponse{200, {}, "hello"}).find("no iCalendar data"), std::string::npos);
  EXPECT_NE(get(HttpResponse{200, {}, event_file("b").substr(0, 60)}).find("ends in the middle"), std::string::npos);
  EXPECT_NE(get(HttpResponse{404, {}, ""}).find("status 404"), std::string::npos);
  EXPECT_NE(get(HttpResponse{403, {}, ""}).find("private address"), std::string::npos);
  EXPECT_EQ(events(), 1u);
  EXPECT_EQ(source_.documents()[0]->events[0].uid, "a");
}

TEST_F(Feed, AnotherDtstampIsNoChange) {
  const auto stamped = [](const std::string& stamp, const std::string& uid) {
    return event_file(uid, "20251009T120000Z", "DTSTAMP:" + stamp + "\r\n");
  };
  ASSERT_EQ(get(HttpResponse{200, {}, stamped("20251001T000000Z", "a")}), "");
  const auto first = source_.documents()[0]->events[0].stamp;
  ASSERT_EQ(get(HttpResponse{200, {}, stamped("20251002T000000Z", "a")}), "");
  EXPECT_EQ(source_.documents()[0]->events[0].stamp, first);  // not read again
  ASSERT_EQ(get(HttpResponse{200, {}, stamped("20251003T000000Z", "b")}), "");
  EXPECT_EQ(source_.documents()[0]->events[0].uid, "b");
}

TEST_F(Feed, SaysWhatEachRefusalMeans) {
  for (const auto& [status, words] : {std::pair(401, "private address"),
                                      {410, "no feed at this address"},
                                      {429, "fewer requests"},
                                      {500, "has a fault"},
                                      {503, "has a fault"},
                                      {204, "gave no calendar"},
                                      {302, "gave no calendar"}}) {
    const std::string why = get(HttpResponse{status, {}, ""});
    EXPECT_NE(why.find(words), std::string::npos) << why;
    EXPECT_NE(why.find("(status " + std::to_string(status) + ")"), std::string::npos) << why;
  }
  EXPECT_NE(get(HttpResponse{304, {}, ""}).find("status 304"), std::string::npos) << "nothing was read before";
  EXPECT_EQ(get(fail(ErrorClass::kUnavailable, "http", "no route")), "no route");
}

TEST_F(Feed, ATagThatChangesWithEachDownloadIsNotCompared) {
  ASSERT_EQ(get(HttpResponse{200, {}, event_file("a", "20251009T120000Z", "DTSTAMP;X=1:20251001T000000Z\r\n")}), "");
  const auto first = source_.documents()[0];
  ASSERT_EQ(get(HttpResponse{200, {{"last-modified", "Fri"}}, event_file("b")}), "");
  EXPECT_EQ(source_.documents()[0]->events[0].uid, "b");
  EXPECT_EQ(source_.documents()[0], first) << "the same place, with what is there now";
  ASSERT_EQ(get(HttpResponse{200, {}, "BEGIN:VCALENDAR\nEND:VCALENDAR\n"}), "");
  EXPECT_EQ(events(), 0u) << "an empty calendar is one";
}

TEST_F(Feed, AsksWithTheServersTags) {
  ASSERT_EQ(get(HttpResponse{200, {{"etag", "\"1\""}, {"last-modified", "Thu"}}, event_file("a")}), "");
  ASSERT_EQ(get(HttpResponse{304, {}, ""}), "");
  EXPECT_EQ(find_header(request_.headers, "if-none-match"), "\"1\"");
  EXPECT_EQ(find_header(request_.headers, "if-modified-since"), "Thu");
  EXPECT_EQ(events(), 1u);
}

}  // namespace
}  // namespace hansard::calendar
