// Google's answers at their edges: items that lack what they should have, refusals of channels, calendars beyond the limits.
#include "core/calendar/sources/google_calendar.h"
#include "core/calendar/sources/google_testing.h"

namespace hansard::calendar {
namespace {

using namespace google_testing;

GoogleEvent read(std::string_view text, const std::string& zone = "UTC", std::vector<std::string>* problems = nullptr) {
  const auto json = Json::parse(text);
  EXPECT_TRUE(json) << text;
  ZoneCache zones(testing::system_zone);
  std::vector<std::string> said;
  return read_google_event(json.value_or(Json()), zone, zones, problems != nullptr ? *problems : said);
}
constexpr const char* kTimes = R"("start":{"dateTime":"2026-03-04T09:00:00Z"},"end":{"dateTime":"2026-03-04T10:00:00Z"})";

TEST(GoogleAnswers, TheKindsOfEntryPoints) {
  const auto links = [](const std::string& points) {
    std::string out;
    for (const auto& link :
         read(R"({"id":"e",)" + std::string(kTimes) + R"(,"conferenceData":{"entryPoints":[)" + points + "]}}").event.links)
      out += link.value + "|";
    return out;
  };
  EXPECT_EQ(
      links(
          R"({"entryPointType":"phone","uri":"tel:+1"},{"entryPointType":"video"},{"entryPointType":"video","uri":"https://a"})"),
      "https://a|");
  EXPECT_EQ(links(R"({"entryPointType":"video","uri":"https://a","meetingCode":"12 34","password":"pw"})"),
            "https://a\nMeeting ID: 12 34\nPasscode: pw|");
  EXPECT_EQ(links(R"({"entryPointType":"video","uri":"https://a","passcode":"pc","password":"pw"})"), "https://a\nPasscode: pc|");
  // What could be a line of its own is none of a code.
  EXPECT_EQ(links(R"({"entryPointType":"video","uri":"https://a","passcode":"1\nhttps://evil","meetingCode":")" +
                  std::string(65, '1') + R"("})"),
            "https://a|");
  const std::string one = R"({"entryPointType":"video","uri":"https://a"},)";
  EXPECT_EQ(links(one + one + one + one + one + R"({"entryPointType":"video","uri":"https://b"})").find('b'), std::string::npos);
}

TEST(GoogleAnswers, RecurrenceLinesThatAreNone) {
  std::vector<std::string> problems;
  const auto e = read(R"({"id":"e",)" + std::string(kTimes) +
                          R"(,"recurrence":["RRULE:FREQ=DAILY;COUNT=3","EXDATE:20260305T090000Z","RDATE:20260320T090000Z",
                          "EXRULE:FREQ=WEEKLY;COUNT=1","SUMMARY:no","nonsense",7]})",
                      "UTC", &problems);
  EXPECT_EQ(e.event.rules.size(), 1u);
  EXPECT_EQ(e.event.exclusion_rules.size(), 1u);
  EXPECT_EQ(e.event.rdates.size(), 1u);
  EXPECT_EQ(e.event.summary, "");
  EXPECT_GE(*e.ends, testing::at("2026-03-20T09:00:00Z"));
}

TEST(GoogleAnswers, WhenASeriesIsOver) {
  const auto ends = [](const char* rule) {
    const auto e = read(R"({"id":"e",)" + std::string(kTimes) + R"(,"recurrence":["RRULE:)" + rule + R"("]})");
    return e.ends ? format_rfc3339(*e.ends).substr(0, 10) : "never";
  };
  EXPECT_EQ(ends("FREQ=DAILY"), "never");
  EXPECT_EQ(ends("FREQ=DAILY;COUNT=10"), "2026-03-15");
  EXPECT_EQ(ends("FREQ=DAILY;UNTIL=20260313T090000Z"), "2026-03-16");
  EXPECT_EQ(ends("FREQ=SECONDLY;COUNT=1000000000"), "never") << "too much work to tell";
}

TEST(GoogleAnswers, AZoneThatIsNotKnownIsSaid) {
  std::vector<std::string> problems;
  const std::string series = R"({"id":"e","start":{"dateTime":"2026-03-04T09:00:00Z","timeZone":"ZONE"},"end":{"dateTime":
      "2026-03-04T10:00:00Z","timeZone":"ZONE"},"recurrence":["RRULE:FREQ=DAILY"]})";
  const auto in = [&](const std::string& zone) {
    std::string text = series;
    for (std::size_t at = 0; (at = text.find("ZONE", at)) != std::string::npos;) text.replace(at, 4, zone);
    problems.clear();
    return read(text, "Europe/Berlin", &problems).event.start;
  };
  EXPECT_EQ(in("Mars/Olympus").form, TimeForm::kUtc);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_NE(problems[0].find("time zone that is not known"), std::string::npos);
  EXPECT_EQ(in("GMT+02:00").form, TimeForm::kZoned) << "an offset is a zone";
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(in("").tzid, "Europe/Berlin") << "the calendar's own";
}

TEST(GoogleAnswers, EventsWithoutWhatTheyNeed) {
  std::vector<std::string> problems;
  EXPECT_TRUE(read(R"({"status":"confirmed"})").skipped);
  EXPECT_TRUE(read(R"({"id":"e","eventType":"workingLocation"})").skipped);
  EXPECT_TRUE(read(R"({"id":"e"})", "UTC", &problems).skipped);
  EXPECT_TRUE(read(R"({"id":"e","recurringEventId":"m",)" + std::string(kTimes) + "}", "UTC", &problems).skipped);
  EXPECT_EQ(problems.size(), 2u);
  // A cancelled instance of a series stands where it would have been, whatever start it still shows.
  const auto gone =
      read(R"({"id":"e_1","recurringEventId":"e","status":"cancelled","originalStartTime":{"dateTime":"2026-03-04T09:00:00Z"},
      "start":{"dateTime":"2020-01-01T09:00:00Z"}})");
  EXPECT_FALSE(gone.skipped || gone.deleted);
  EXPECT_EQ(gone.event.start, gone.event.recurrence_id);
  EXPECT_EQ(read(R"({"id":"e","start":{"dateTime":"1960-01-01T00:00:00.500Z"}})").event.start.wall,
            testing::at("1960-01-01T00:00:00Z").ms / 1000);
}

TEST(GoogleAnswers, AnEventThatBecomesAnotherKindIsGone) {
  GoogleCalendar calendar;
  const auto apply = [&](const std::string& text, bool whole = false) {
    calendar.apply({read(text)}, whole, Instant{INT64_MIN});
    return calendar.calendar().events.size();
  };
  EXPECT_EQ(apply(event("a"), true), 1u);
  EXPECT_EQ(apply(R"({"id":"a","eventType":"focusTime"})"), 0u);
  EXPECT_EQ(apply(R"({"id":"never seen","status":"cancelled"})"), 0u);
  // A cancelled instance of an unknown series names nothing that could be shown.
  EXPECT_EQ(
      apply(
          R"({"id":"x_1","recurringEventId":"x","status":"cancelled","originalStartTime":{"dateTime":"2026-03-04T09:00:00Z"}})"),
      0u);
  // An exception that comes back without its UID keeps the one it had.
  EXPECT_EQ(apply(R"({"id":"y_1","iCalUID":"y@g","recurringEventId":"y",)" + std::string(kTimes) +
                  R"(,"originalStartTime":{"dateTime":"2026-03-04T09:00:00Z"}})"),
            1u);
  EXPECT_EQ(
      apply(
          R"({"id":"y_1","recurringEventId":"y","status":"cancelled","originalStartTime":{"dateTime":"2026-03-04T09:00:00Z"}})"),
      1u);
  EXPECT_EQ(calendar.calendar().events[0].uid, "y@g");
}

TEST(GoogleAnswers, BeyondTheLimitTheFarthestEventsAreLeftOut) {
  GoogleCalendar calendar;
  std::vector<GoogleEvent> changes;
  const GoogleEvent proto = read(event("a"));
  const std::size_t limit = ReadLimits{}.max_events;
  for (std::size_t i = 0; i < limit + 2; ++i) {
    GoogleEvent e = proto;
    e.id = e.event.uid = "e" + std::to_string(i);
    e.event.start.wall += static_cast<WallSeconds>(i);
    changes.push_back(std::move(e));
  }
  GoogleEvent series = read(R"({"id":"s",)" + std::string(kTimes) + R"(,"recurrence":["RRULE:FREQ=DAILY"]})");
  series.event.start.wall += 1'000'000'000;
  changes.push_back(std::move(series));
  calendar.apply(std::move(changes), true, Instant{INT64_MIN});
  EXPECT_EQ(calendar.calendar().events.size(), limit);
  ASSERT_EQ(calendar.problems().size(), 1u);
  WallSeconds last = 0;
  bool series_there = false;
  for (const VEvent& e : calendar.calendar().events) {
    if (e.rules.empty()) last = std::max(last, e.start.wall);
    series_there = series_there || !e.rules.empty();
  }
  EXPECT_TRUE(series_there) << "nobody knows how far a series reaches";
  EXPECT_EQ(last, proto.event.start.wall + static_cast<WallSeconds>(limit) - 2);
}

TEST(GoogleAnswers, WhichRefusalsOfAChannelAreWorthAnotherTry) {
  struct Case {
    Result<HttpResponse> answer;
    Duration wait;
    const char* words;
  };
  const Case cases[] = {{refusal(401, "authError"), minutes(5), "(authError)"},
                        {refusal(400, "channelIdNotUnique"), minutes(5), "(channelIdNotUnique)"},
                        {refusal(403, "userRateLimitExceeded"), minutes(5), "(userRateLimitExceeded)"},
                        {refusal(403, "rateLimitExceeded"), minutes(5), "(rateLimitExceeded)"},
                        {answer(429, ""), minutes(5), "(status 429)"},
                        {answer(500, "<html>"), minutes(5), "(status 500)"},
                        {answer(200, "{}"), minutes(5), "(status 200)"},
                        {answer(200, "<html>"), minutes(5), "(status 200)"},
                        {fail(ErrorClass::kUnavailable, "http", "down"), minutes(5), "to this daemon:"},
                        {refusal(401, "webCallbackUnauthorized"), hours(6), "check `url` in [push]"},
                        {answer(404, ""), hours(6), "check `url` in [push]"}};
  for (const Case& c : cases) {
    Connection made = user();
    Talk t(made, "https://h.example");
    t.begin();
    t.reply(last_page(""));
    t.reply(c.answer);
    EXPECT_TRUE(t.done()) << c.words;
    ASSERT_EQ(t.source->problems().size(), 1u);
    EXPECT_NE(t.source->problems()[0].find(c.words), std::string::npos) << t.source->problems()[0];
    t.begin(kNow + c.wait - seconds(1));
    t.reply(last_page("", "s2"));
    EXPECT_TRUE(t.done()) << c.words << ": too early";
    t.begin(kNow + c.wait);
    EXPECT_TRUE(t.reply(last_page("", "s3")).url.ends_with("/watch")) << c.words;
  }
}

TEST(GoogleAnswers, AChannelWhoseEndIsNotToldOrMakesNoSense) {
  const auto expires = [](const std::string& member) {
    Talk t(user(), "https://h.example");
    t.begin();
    const HttpRequest watch = t.reply(last_page(""));
    t.reply(answer(200, R"({"id":")" + Json::parse(watch.body)->text_or("id") + R"(","resourceId":"r")" + member + "}"));
    EXPECT_TRUE(t.done());
    return t.source->connection().channel.expires - kNow;
  };
  EXPECT_EQ(expires(""), hours(24));
  EXPECT_EQ(expires(R"(,"expiration":"soon")"), hours(24));
  EXPECT_EQ(expires(R"(,"expiration":-5)"), hours(24));
  EXPECT_EQ(expires(R"(,"expiration":)" + std::to_string((kNow + hours(48)).ms)), hours(48)) << "as a number";
  // Else it would never be renewed.
  EXPECT_EQ(expires(R"(,"expiration":9223372036854775807)"), hours(24 * 31));
  EXPECT_EQ(expires(R"(,"expiration":"999999999999999999")"), hours(24 * 31));
}

TEST(GoogleAnswers, AnOldChannelThatEndedByItselfIsNotStopped) {
  Connection c = user();
  c.channel = {"id", "r", "token", kNow + hours(30)};
  c.old_channel = {"old", "r", "token2", kNow - minutes(1)};
  Talk t(c, "https://h.example");
  const PushRequest late{"POST", "/", {{"x-goog-channel-id", "old"}, {"x-goog-channel-token", "token2"}}, ""};
  EXPECT_TRUE(t.source->push(late, kNow).scan) << "its last messages may be on their way";
  PushRequest get = late;
  get.method = "GET";
  EXPECT_EQ(t.source->push(get, kNow).status, 405);
  t.begin();
  t.reply(last_page(""));
  EXPECT_TRUE(t.done());
  EXPECT_TRUE(t.source->connection().old_channel.id.empty());
  EXPECT_EQ(t.source->push(late, kNow).status, 404);
  // The current one has ended too: another is made.
  c.channel.expires = kNow;
  Talk u(c, "https://h.example");
  u.begin();
  EXPECT_TRUE(u.reply(last_page("")).url.ends_with("/watch"));
  EXPECT_TRUE(u.source->connection().channel.id.empty());
}

TEST(GoogleAnswers, MoreReasonsOfRefusals) {
  const auto failed = [](int status, const char* body) {
    Talk t;
    t.begin();
    t.reply(answer(status, body));
    return t.failure();
  };
  const auto reason = [&](const char* text) {
    return failed(403,
                  (R"({"error":{"details":[{"x":1},{"reason":")" + std::string(text) + R"("},{"reason":"second"}]}})").c_str());
  };
  EXPECT_EQ(reason("RATE_LIMIT_EXCEEDED").retry_after, minutes(1));
  EXPECT_EQ(reason("dailyLimitExceeded").retry_after, minutes(30));
  EXPECT_TRUE(reason("ACCESS_TOKEN_SCOPE_INSUFFICIENT").reconnect);
  EXPECT_NE(reason("SERVICE_DISABLED").detail.find("not switched on"), std::string::npos);
  EXPECT_NE(failed(403, "").detail.find("does not let this account read the calendar: its owner"), std::string::npos);
  EXPECT_NE(failed(403, R"({"error":{"errors":[{"reason":"other_one"}]}})").detail.find("(other_one)"), std::string::npos);
  EXPECT_EQ(failed(400, R"({"error":{"errors":[{"reason":"9lives"}]}})").detail, "Google refused the request for this calendar");
}

TEST(GoogleAnswers, AnAnswerThatNobodyAskedForIsAFailure) {
  Talk t;
  t.reply(answer(200));
  EXPECT_EQ(t.failure().detail, "an answer came that nobody asked for");
  t.begin();
  t.reply(page("", std::string(9'000, 't')));
  EXPECT_NE(t.failure().detail.find("never came to an end"), std::string::npos);
  // A token too long to keep: the next round reads all.
  t.begin();
  t.reply(last_page("", std::string(9'000, 's')));
  EXPECT_TRUE(t.done());
  t.begin();
  EXPECT_EQ(t.query("syncToken"), "");
  EXPECT_NE(t.query("timeMin"), "");
}

TEST(GoogleAnswers, WhatWasWrongIsSaidUntilAllIsReadAnew) {
  Talk t;
  t.begin();
  t.reply(last_page(R"({"id":"bad"})"));
  ASSERT_EQ(t.source->problems().size(), 1u);
  t.begin(kNow + minutes(5));
  t.reply(last_page(R"({"id":"bad"},{"id":"bad2"})", "s2"));
  EXPECT_EQ(t.source->problems().size(), 1u) << "once";
  t.begin(kNow + minutes(10));
  t.reply(refusal(410, "fullSyncRequired"));
  t.reply(last_page("", "s3"));
  EXPECT_TRUE(t.source->problems().empty());
}

TEST(GoogleAnswers, WithoutANameItIsThePrimaryCalendar) {
  Connection c = user();
  c.calendar.clear();
  EXPECT_NE(Talk(c).begin().url.find("/calendars/primary/events?"), std::string::npos);
}

}  // namespace
}  // namespace hansard::calendar
