// Microsoft Graph's answers at their edges: events that lack what they should have, pushes that are none, rounds that break.
#include "core/calendar/sources/graph_events.h"
#include "core/calendar/sources/graph_testing.h"

namespace hansard::calendar {
namespace {

using namespace graph_testing;

constexpr const char* kTimes =
    R"("start":{"dateTime":"2025-03-04T09:00:00","timeZone":"UTC"},"end":{"dateTime":"2025-03-04T10:00:00","timeZone":"UTC"})";

VEvent read(const std::string& members, const std::string& account = "me@example.org") {
  const auto json = Json::parse("{" + members + "}");
  EXPECT_TRUE(json) << members;
  const auto event = read_graph_event(json.value_or(Json()), account);
  EXPECT_TRUE(event) << members;
  return event.value_or(VEvent{});
}
std::string whole(const std::string& members) { return std::string(kTimes) + ',' + members; }

TEST(GraphAnswers, TextsAreCutBetweenCharacters) {
  std::string long_title;
  for (int i = 0; i < 5'000; ++i) long_title += "\u00e9";
  const VEvent e = read(whole(R"("id":"1","subject":"x)" + long_title + "\""));
  EXPECT_EQ(e.summary.size(), 8'191u) << "a character of two bytes is not cut in half";
  EXPECT_EQ(e.summary.substr(e.summary.size() - 2), "\u00e9");
}

TEST(GraphAnswers, ABodyInTextAndAPreviewInItsPlace) {
  EXPECT_EQ(read(whole(R"("id":"1","body":{"contentType":"text","content":"plain"},"bodyPreview":"p")")).description, "plain");
  EXPECT_EQ(read(whole(R"("id":"1","body":{"contentType":"HTML","content":"<p>"},"bodyPreview":"p")")).html, "<p>");
  EXPECT_EQ(read(whole(R"("id":"1","body":{"contentType":"html","content":""},"bodyPreview":"p")")).description, "p");
}

TEST(GraphAnswers, PlacesCategoriesAndPeopleAreBounded) {
  std::string places = R"({"displayName":"Room 1","locationUri":"https://a"})";
  std::string categories = R"(7,"c")";
  std::string people = R"({"type":"optional","emailAddress":{"address":"x@y"}})";
  for (int i = 0; i < 40; ++i) {
    places += R"(,{"displayName":"Hall )" + std::to_string(100 + i) + R"(","locationUri":"https://h"})";
    categories += R"(,"c")";
  }
  for (int i = 0; i < 2'100; ++i) people += R"(,{"emailAddress":{"address":"p@y"}})";
  const VEvent e = read(whole(R"("id":"1","location":{"displayName":"Room 1"},"locations":[)" + places + R"(],"categories":[)" +
                              categories + R"(],"attendees":[)" + people + "]"));
  EXPECT_EQ(e.location.substr(0, 17), "Room 1; Hall 100;") << "each place once";
  EXPECT_EQ(e.links.size(), 32u);
  EXPECT_EQ(e.categories.size(), 32u);
  EXPECT_EQ(e.attendees.size(), 2'000u);
  EXPECT_EQ(e.attendees[0].role, "OPT-PARTICIPANT");
}

TEST(GraphAnswers, WhoTheOwnerIs) {
  const auto self = [](const std::string& members, const std::string& account = "me@example.org") {
    std::string out;
    for (const Attendee& a : read(whole(members), account).attendees) {
      if (a.self) out += a.address + " " + a.partstat + " " + a.role;
    }
    return out;
  };
  EXPECT_EQ(self(R"("id":"1")"), "") << "nothing is said of the owner";
  EXPECT_EQ(self(R"("id":"1","isOrganizer":true)"), "me@example.org ACCEPTED CHAIR") << "an organizer without an address";
  EXPECT_EQ(self(R"("id":"1","isOrganizer":true,"organizer":{"emailAddress":{"address":"Boss@X"}})"), "boss@x ACCEPTED CHAIR");
  EXPECT_EQ(self(R"("id":"1","responseStatus":{"response":"none"},
      "attendees":[{"status":{"response":"accepted"},"emailAddress":{"address":"me@example.org"}}])"),
            "me@example.org ACCEPTED REQ-PARTICIPANT")
      << "the list knows more";
  EXPECT_EQ(self(R"("id":"1","responseStatus":{"response":"declined"},"attendees":[{"emailAddress":{"address":""}}])", ""),
            " DECLINED REQ-PARTICIPANT")
      << "nobody is taken for an owner without an address";
}

TEST(GraphAnswers, NamesAndTimesOfAnEvent) {
  EXPECT_EQ(read(whole(R"("id":"1","uid":"U")")).uid, "U");
  EXPECT_EQ(read(whole(R"("id":"1")")).uid, "1");
  EXPECT_EQ(read(whole(R"("id":"1","type":"exception","seriesMasterId":"M")")).uid, "1")
      << "no place in the series: it stands alone";
  const VEvent e =
      read(whole(R"("id":"1","lastModifiedDateTime":"2025-03-01T00:00:00Z","createdDateTime":"2025-02-01T00:00:00Z")"));
  EXPECT_EQ(e.last_modified, parse_rfc3339("2025-03-01T00:00:00Z").value());
  EXPECT_EQ(e.created, parse_rfc3339("2025-02-01T00:00:00Z").value());
  const VEvent day =
      read(R"("id":"1","type":"exception","seriesMasterId":"M","uid":"S","isAllDay":true,"originalStart":"2025-03-03T23:00:00Z",
      "start":{"dateTime":"2025-03-04T23:00:00","timeZone":"UTC"},"end":{"dateTime":"?"})");
  EXPECT_EQ(day.recurrence_id.form, TimeForm::kDate);
  EXPECT_EQ(format_wall(day.recurrence_id.wall, true), "2025-03-04");
  EXPECT_FALSE(day.end);
  // Fractions of a second in any length, also before an offset.
  const auto time = [](const char* text) {
    return read_graph_time(Json::object().set("dateTime", text).set("timeZone", "UTC"), false);
  };
  EXPECT_EQ(format_wall(time("2025-03-04T09:00:00.")->wall), "2025-03-04T09:00:00");
  EXPECT_EQ(format_wall(time("2025-03-04T09:00:00.5+01:00")->wall), "2025-03-04T08:00:00");
}

TEST(GraphAnswers, WhatAnOccurrenceTakesFromItsSeries) {
  const Json master =
      *Json::parse(R"({"id":"M","uid":"S","subject":"Weekly","location":{"displayName":"A"},"locations":[{"displayName":"A"}],
      "onlineMeeting":{"joinUrl":"https://j"},"isOnlineMeeting":true})");
  const auto with = [&](const char* text) { return with_master(*Json::parse(text), master); };
  EXPECT_EQ(with(R"({"id":"O"})").text_or("id"), "O");
  EXPECT_EQ(with(R"({"id":"O"})").text_or("subject"), "Weekly");
  EXPECT_FALSE(with(R"({"location":{"displayName":"B"}})").has("locations")) << "it is elsewhere";
  EXPECT_TRUE(with(R"({"location":{"displayName":"B"},"locations":[]})")["locations"].items().empty());
  EXPECT_EQ(with(R"({"onlineMeeting":null})")["onlineMeeting"].text_or("joinUrl"), "https://j") << "not made yet";
  EXPECT_TRUE(with(R"({"onlineMeeting":null,"isOnlineMeeting":false})")["onlineMeeting"].is_null()) << "this one has none";
  EXPECT_FALSE(is_short(*Json::parse(R"({"type":"singleInstance"})")));
  EXPECT_TRUE(is_short(*Json::parse(R"({"type":"occurrence","subject":"x"})")));
  const std::string all =
      R"("subject":"x","body":{},"isCancelled":false,"responseStatus":{},"attendees":[],"organizer":{},"location":{})";
  EXPECT_FALSE(is_short(*Json::parse("{\"type\":\"exception\"," + all + R"(,"onlineMeeting":null,"isOnlineMeeting":false})")));
  EXPECT_TRUE(is_short(*Json::parse("{\"type\":\"exception\"," + all + R"(,"onlineMeeting":null,"isOnlineMeeting":true})")));
}

// ---- rounds and pushes -----------------------------------------------------------------------------------------

/// One whose token does not run out in these tests.
Connection patient() { return user(hours(100)); }

TEST(GraphAnswers, APageWithBothLinksOrNeitherIsNone) {
  for (const char* links :
       {"",
        R"(,"@odata.nextLink":"https://graph.microsoft.com/v1.0/a","@odata.deltaLink":"https://graph.microsoft.com/v1.0/b")"}) {
    Talk t(patient());
    t.begin();
    t.reply(answer(200, R"({"value":[])" + std::string(links) + "}"));
    EXPECT_NE(t.why().find("not the page of a calendar"), std::string::npos);
  }
  for (const char* link : {"https://graph.microsoft.com", "graph.microsoft.com/v1.0/x", ""}) {
    Talk t(patient());
    t.begin();
    t.reply(answer(200, R"({"value":[],"@odata.nextLink":")" + std::string(link) + "\"}"));
    EXPECT_NE(t.why(), "goes on") << link;
  }
}

TEST(GraphAnswers, PagesWithoutEndFail) {
  Talk t(patient());
  t.begin();
  for (int i = 0; i < 1'100 && t.why() == "goes on"; ++i) t.reply(page(""));
  EXPECT_EQ(t.why(), "Microsoft's answer never came to an end");
}

TEST(GraphAnswers, ARoundThatWasBrokenOffIsNotTakenUpForEver) {
  Talk t(patient());
  t.begin();
  const std::string next = t.reply(page("")).url;
  t.reply(fail(ErrorClass::kUnavailable, "http", "no route"));
  EXPECT_EQ(t.why(), "no route");
  EXPECT_EQ(t.begin(kNow + minutes(59)).url, next);
  t.reply(fail(ErrorClass::kUnavailable, "http", "no route"));
  EXPECT_NE(t.begin(kNow + minutes(62)).url.find("startDateTime"), std::string::npos) << "an hour later it begins anew";
  t.reply(page(""));
  t.reply(fail(ErrorClass::kExhausted, "http", "too large"));
  EXPECT_NE(t.begin(kNow + minutes(63)).url.find("startDateTime"), std::string::npos) << "an answer that cannot be read";
  t.reply(last_page(""));
  EXPECT_EQ(t.why(), "done");
  // The clock was set back, or a wider window is wanted.
  EXPECT_NE(t.begin(kNow - hours(30)).url.find("startDateTime"), std::string::npos);
}

TEST(GraphAnswers, AMasterThatCannotBeHadLeavesItsOccurrencesAsTheyAre) {
  const std::string occurrence = R"({"id":"O","type":"occurrence","seriesMasterId":"M",)" + std::string(kTimes) + "}";
  for (const auto& reply : {answer(404), answer(200, "<html>"), answer(200, "{}")}) {
    Talk t(patient());
    t.begin();
    EXPECT_TRUE(t.reply(last_page(occurrence)).url.ends_with("me/events/M"));
    t.reply(reply);
    EXPECT_EQ(t.why(), "done");
    EXPECT_EQ(t.source->documents()[0]->events.size(), 1u);
  }
}

TEST(GraphAnswers, ASecond401IsNotAskedForAgain) {
  Talk t(patient());
  t.begin();
  t.reply(answer(401));
  t.reply(answer(200, R"({"access_token":"A1","expires_in":3600})"));
  t.reply(answer(401, R"({"error":{"code":"Invalid.Token_1 <x>"}})"));
  EXPECT_EQ(t.why(), "Microsoft refuses the access token that it has just given (status 401, Invalid.Token_1x)");
  t.begin();
  t.reply(answer(418, R"({"error":{"code":")" + std::string(100, 'c') + "\"}}"));
  EXPECT_EQ(t.why(), "Microsoft answered with status 418, " + std::string(60, 'c'));
}

TEST(GraphAnswers, ASignInThatFails) {
  Connection c = patient();
  c.credentials.expires = kNow;
  Talk t(c);
  t.begin();
  t.reply(fail(ErrorClass::kUnavailable, "http", "no route"));
  EXPECT_EQ(t.why(), "no route");
  c.credentials.grant = "none";
  Talk none(c);
  none.begin();
  EXPECT_EQ(none.why(), "there is no sign-in for this calendar: run `hansard calendar connect microsoft --id work`");
  c.credentials.grant = "client";
  c.calendar = "room@example.org";
  Talk app(c);
  app.begin();
  app.action = app.source->signature(fail(ErrorClass::kInvalid, "signer", "no RSA key"), kNow);
  EXPECT_NE(app.why().find("the private key cannot sign: no RSA key"), std::string::npos);
}

const std::string kHook = "/hooks/calendar/work";

TEST(GraphAnswers, PushesThatAreNone) {
  Talk t(patient(), "https://h.example");
  const auto push = [&](const std::string& query, const std::string& body) {
    return t.source->push({"POST", kHook + query, {}, body}, kNow);
  };
  EXPECT_EQ(push("?validationToken=" + std::string(5'000, 'x'), "").status, 400);
  EXPECT_EQ(push("?x=1&validationToken&validationToken=a+b%21", "").body, "a b!");
  EXPECT_EQ(push("?other=1", "[]").status, 400);
  EXPECT_EQ(push("", R"({"value":{}})").status, 400);
  EXPECT_EQ(push("", R"({"value":[]})").status, 202);
  EXPECT_FALSE(push("", R"({"value":[]})").scan);
  EXPECT_FALSE(push("", R"({"value":[7,{"clientState":""},{"clientState":null}]})").scan) << "no secret is no secret";
}

TEST(GraphAnswers, OfANotificationOnlySoManyItemsAreLookedAt) {
  Connection c = patient();
  c.channel = {"S1", "https://h.example" + kHook, "token", kNow + hours(60)};
  Talk t(c, "https://h.example");
  const auto with = [&](int others) {
    std::string items;
    for (int i = 0; i < others; ++i) items += R"({"clientState":"x"},)";
    return t.source->push({"POST", kHook, {}, R"({"value":[)" + items + R"({"clientState":"token"}]})"}, kNow).scan;
  };
  EXPECT_TRUE(with(999));
  EXPECT_FALSE(with(1'000));
}

TEST(GraphAnswers, ASubscriptionThatIsNotGranted) {
  for (const auto& [reply, words] : {std::pair<Result<HttpResponse>, const char*>{answer(201, "{}"), "status 201"},
                                     {answer(503, "", {{"retry-after", "7200"}}), "status 503"},
                                     {fail(ErrorClass::kUnavailable, "http", "no route"), "no route"}}) {
    Talk t(patient(), "https://h.example");
    EXPECT_TRUE(t.begin().url.ends_with("subscriptions"));
    t.reply(reply);
    t.reply(last_page(""));
    EXPECT_EQ(t.why(), "done");
    ASSERT_EQ(t.source->problems().size(), 1u);
    EXPECT_NE(t.source->problems()[0].find(words), std::string::npos) << t.source->problems()[0];
    EXPECT_TRUE(t.source->connection().channel.id.empty());
    const bool told = std::string(words) == "status 503";
    EXPECT_EQ(t.begin(kNow + minutes(61)).url.ends_with("subscriptions"), !told) << "Retry-After is obeyed";
  }
}

TEST(GraphAnswers, ASubscriptionRemovedWhileItIsRenewedIsMadeAnew) {
  Connection c = patient();
  c.channel = {"S1", "https://h.example" + kHook, "token", kNow + hours(1)};
  Talk t(c, "https://h.example");
  EXPECT_EQ(t.begin().method, "PATCH");
  t.source->push(
      {"POST", kHook, {}, R"({"value":[{"subscriptionId":"S1","clientState":"token","lifecycleEvent":"subscriptionRemoved"}]})"},
      kNow);
  const HttpRequest anew = t.reply(answer(200, R"({"id":"S1","expirationDateTime":"2025-03-07T06:00:00Z"})"));
  EXPECT_EQ(anew.method, "POST");
  t.reply(answer(201, R"({"id":"S2"})"));
  EXPECT_EQ(t.source->connection().channel.id, "S2");
  EXPECT_EQ(t.source->connection().channel.expires, kNow + minutes(4'200)) << "as asked for";
}

TEST(MakeSource, OneOfEachKindAndNoOther) {
  for (const char* kind : {"ics", "caldav", "google", "microsoft"}) {
    Connection c;
    c.kind = kind;
    const auto source = make_source(c, {});
    ASSERT_TRUE(source) << kind;
    EXPECT_EQ((*source)->connection().kind, kind);
  }
  Connection c;
  c.kind = "exchange";
  const auto none = make_source(c, {});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().detail, "there is no calendar kind 'exchange'");
  c.kind = "ics";
  const auto feed = make_source(c, {});
  EXPECT_EQ(std::get<SyncFailed>((*feed)->signature(std::string("s"), kNow)).detail, "a signature came that nobody asked for");
  EXPECT_EQ((*feed)->push({"POST", kHook, {}, ""}, kNow).status, 404);
}

}  // namespace
}  // namespace hansard::calendar
