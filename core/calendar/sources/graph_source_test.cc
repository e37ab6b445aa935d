#include "core/calendar/sources/graph_source.h"

#include <gtest/gtest.h>

#include "core/base/encoding.h"

namespace hansard::calendar {
namespace {

constexpr const char* kRoot = "https://graph.microsoft.com/v1.0/";
const Instant kNow = parse_rfc3339("2025-03-04T08:00:00Z").value();

Connection user() {
  Connection c;
  c.id = "work";
  c.kind = "microsoft";
  c.account = "me@example.org";
  c.calendar = "me";
  c.credentials.grant = "user";
  c.credentials.client_id = "client";
  c.credentials.tenant = "common";
  c.credentials.refresh_token = "R0";
  c.credentials.access_token = "A0";
  c.credentials.expires = kNow + hours(1);
  return c;
}

HttpResponse answer(int status, std::string body = "{}", HttpHeaders headers = {}) {
  return {status, std::move(headers), std::move(body)};
}
HttpResponse error(int status, const char* code, HttpHeaders headers = {}) {
  return answer(status, std::string(R"({"error":{"code":")") + code + R"(","message":"m"}})", std::move(headers));
}

std::string event(const std::string& id, const std::string& subject = "Plan") {
  return R"({"id":")" + id + R"(","iCalUId":"u-)" + id + R"(","type":"singleInstance","subject":")" + subject +
         R"(","start":{"dateTime":"2025-03-04T09:00:00.0000000","timeZone":"UTC"},"end":{"dateTime":"2025-03-04T10:00:00.0000000","timeZone":"UTC"}})";
}
HttpResponse last_page(const std::string& events, const std::string& token = "d1") {
  return answer(
      200, R"({"value":[)" + events + R"(],"@odata.deltaLink":")" + kRoot + "me/calendarView/delta?$deltatoken=" + token + "\"}");
}
HttpResponse page(const std::string& events, const std::string& link) {
  return answer(200, R"({"value":[)" + events + R"(],"@odata.nextLink":")" + link + "\"}");
}

/// One source and what it says to each scripted answer.
struct Talk {
  explicit Talk(Connection connection, std::string push_url = {}) {
    SourceEnvironment environment;
    environment.push_url = std::move(push_url);
    source = std::make_unique<GraphSource>(std::move(connection), environment);
  }
  const HttpRequest& begin(Instant at = kNow) {
    now = at;
    action = source->begin({now, now + hours(24)}, now, std::string(32, '\x5a'));
    return request();
  }
  const HttpRequest& reply(const Result<HttpResponse>& response) {
    action = source->reply(response, now);
    return request();
  }
  /// The request that is waiting, or an empty one.
  const HttpRequest& request() const {
    static const HttpRequest none{"", "", {}, "", {}, 0, false};
    const auto* send = std::get_if<SendRequest>(&action);
    return send != nullptr ? send->request : none;
  }
  bool done() const { return std::holds_alternative<SyncDone>(action); }
  SyncFailed failure() const {
    const auto* f = std::get_if<SyncFailed>(&action);
    return f != nullptr ? *f : SyncFailed{"it did not fail"};
  }
  std::vector<std::string> titles() const {
    std::vector<std::string> out;
    for (const VEvent& e : source->documents()[0]->events) out.push_back(e.summary);
    return out;
  }
  std::unique_ptr<GraphSource> source;
  SourceAction action = SyncDone{};
  Instant now = kNow;
};
using Titles = std::vector<std::string>;

TEST(GraphSource, ReadsAWindowLargerThanAskedAndThenItsChanges) {
  Talk talk(user());
  const HttpRequest first = talk.begin();
  EXPECT_EQ(first.method, "GET");
  EXPECT_EQ(first.url, std::string(kRoot) +
                           "me/calendarView/delta?startDateTime=2025-03-03T08%3A00%3A00Z&endDateTime=2025-03-12T08%3A00%3A00Z");
  EXPECT_EQ(find_header(first.headers, "Authorization"), "Bearer A0");
  EXPECT_FALSE(first.follow_redirects);
  const std::string prefer(find_header(first.headers, "Prefer"));
  for (const char* part :
       {"outlook.timezone=\"UTC\"", "odata.maxpagesize=50", "IdType=\"ImmutableId\"", "outlook.body-content-type=\"html\""})
    EXPECT_NE(prefer.find(part), std::string::npos) << part;

  const std::string next = std::string(kRoot) + "me/calendarView/delta?$skiptoken=a%2Bb%3d%3d";
  const HttpRequest second = talk.reply(page(event("1"), next));
  EXPECT_EQ(second.url, next) << "used as it is";
  EXPECT_EQ(find_header(second.headers, "Prefer"), prefer);
  EXPECT_TRUE(talk.titles().empty()) << "not before the round is complete";
  talk.reply(last_page(event("2")));
  ASSERT_TRUE(talk.done());
  EXPECT_EQ(talk.titles(), (Titles{"Plan", "Plan"}));

  const HttpRequest changes = talk.begin(kNow + minutes(5));
  EXPECT_EQ(changes.url, std::string(kRoot) + "me/calendarView/delta?$deltatoken=d1");
  EXPECT_EQ(find_header(changes.headers, "Prefer"), prefer);
  talk.reply(last_page(
      R"({"id":"1","@removed":{"reason":"deleted"}},{"id":"x","@removed":{"reason":"deleted"}},)" + event("2", "New"), "d2"));
  EXPECT_EQ(talk.titles(), Titles{"New"});

  // A day later the window is asked for anew; the old data stand until it has come.
  talk.begin(kNow + hours(25));
  EXPECT_NE(talk.reply(answer(200, R"({"access_token":"A1","expires_in":3600})")).url.find("startDateTime=2025-03-04T09"),
            std::string::npos);
  EXPECT_EQ(talk.titles(), Titles{"New"});
  talk.reply(last_page(event("3", "Later"), "d3"));
  EXPECT_EQ(talk.titles(), Titles{"Later"});
}

TEST(GraphSource, RenewsTheTokenAndKeepsTheNewRefreshToken) {
  Connection c = user();
  c.credentials.expires = kNow + seconds(30);
  Talk talk(c);
  const HttpRequest renew = talk.begin();
  EXPECT_EQ(renew.url, "https://login.microsoftonline.com/common/oauth2/v2.0/token");
  EXPECT_NE(renew.body.find("refresh_token=R0"), std::string::npos);
  EXPECT_NE(renew.body.find("Calendars.Read"), std::string::npos);
  // A life shorter than our margin must not be asked for again and again.
  const HttpRequest read = talk.reply(answer(200, R"({"access_token":"A1","refresh_token":"R1","expires_in":60})"));
  EXPECT_EQ(talk.source->connection().credentials.refresh_token, "R1");
  EXPECT_EQ(find_header(read.headers, "Authorization"), "Bearer A1");
  talk.reply(last_page(""));
  EXPECT_TRUE(talk.done());
}

TEST(GraphSource, A401RenewsOnceAndGoesOnWhereItWas) {
  Talk talk(user());
  talk.begin();
  const std::string next = std::string(kRoot) + "me/calendarView/delta?$skiptoken=2";
  talk.reply(page(event("1"), next));
  EXPECT_NE(talk.reply(error(401, "InvalidAuthenticationToken")).body.find("refresh_token=R0"), std::string::npos);
  const HttpRequest again = talk.reply(answer(200, R"({"access_token":"A1","refresh_token":"R1","expires_in":3600})"));
  EXPECT_EQ(again.url, next);
  EXPECT_EQ(find_header(again.headers, "Authorization"), "Bearer A1");
  talk.reply(error(401, "InvalidAuthenticationToken"));
  EXPECT_NE(talk.failure().detail.find("refuses the access token"), std::string::npos);
  // The next sync goes on with the round.
  EXPECT_EQ(talk.begin(kNow + minutes(1)).url, next);
  talk.reply(last_page(event("2")));
  EXPECT_EQ(talk.titles().size(), 2u);
}

TEST(GraphSource, ADeadGrantSaysHowToReconnectAndLosesNothing) {
  Talk talk(user());
  talk.begin();
  talk.reply(last_page(event("1")));
  talk.begin(kNow + hours(2));
  talk.reply(answer(400, R"({"error":"invalid_grant","error_description":"AADSTS50173: revoked.\r\nTrace ID: x"})"));
  EXPECT_TRUE(talk.failure().reconnect);
  EXPECT_NE(talk.failure().detail.find("hansard calendar connect microsoft --id work"), std::string::npos);
  EXPECT_EQ(talk.titles(), Titles{"Plan"});
  EXPECT_EQ(talk.source->connection().credentials.refresh_token, "R0");

  Talk challenged(user());
  challenged.begin();
  challenged.reply(error(401, "InvalidAuthenticationToken",
                         {{"www-authenticate", R"(Bearer realm="", error="insufficient_claims", claims="eyJ9")"}}));
  EXPECT_TRUE(challenged.failure().reconnect);
}

TEST(GraphSource, NeverFollowsALinkToAnotherHost) {
  for (const char* link : {"https://evil.example/v1.0/me/x", "https://graph.microsoft.com.evil.example/v1.0/x",
                           "https://graph.microsoft.com@evil.example/x", "http://graph.microsoft.com/v1.0/x", "//evil.example/x",
                           "https://graph.microsoft.com:8443/x", "https://graph.microsoft.com\\\\@evil.example/x"}) {
    Talk talk(user());
    talk.begin();
    talk.reply(page("", link));
    EXPECT_NE(talk.failure().detail.find("another host"), std::string::npos) << link;
  }
  Talk talk(user());
  talk.begin();
  EXPECT_EQ(talk.reply(page("", "https://GRAPH.microsoft.com:443/v1.0/x")).url, "https://GRAPH.microsoft.com:443/v1.0/x");
}

TEST(GraphSource, BeginsAgainWhenTheStateIsLost) {
  for (const bool with_location : {false, true}) {
    Talk talk(user());
    talk.begin();
    talk.reply(last_page(event("1")));
    talk.begin(kNow + minutes(5));
    const std::string location = std::string(kRoot) + "me/calendarView/delta?startDateTime=x&fresh=1";
    const HttpRequest again =
        talk.reply(error(410, "SyncStateNotFound", with_location ? HttpHeaders{{"location", location}} : HttpHeaders{}));
    EXPECT_EQ(again.url == location, with_location);
    EXPECT_NE(again.url.find("startDateTime="), std::string::npos);
    EXPECT_EQ(talk.titles(), Titles{"Plan"});
    talk.reply(last_page(event("2", "Fresh"), "d9"));
    EXPECT_EQ(talk.titles(), Titles{"Fresh"});
    EXPECT_NE(talk.begin(kNow + minutes(10)).url.find("$deltatoken=d9"), std::string::npos);
  }
  Talk talk(user());
  talk.begin();
  EXPECT_EQ(talk.reply(error(410, "resyncRequired", {{"location", "https://evil.example/x"}})).url.find(kRoot), 0u);
  talk.reply(error(400, "syncStateNotFound"));
  talk.reply(error(410, ""));
  EXPECT_NE(talk.failure().detail.find("again and again"), std::string::npos);
}

TEST(GraphSource, SaysWhatIsWrongInWords) {
  const auto refused = [](const HttpResponse& response) {
    Talk talk(user());
    talk.begin();
    talk.reply(response);
    return talk.failure();
  };
  EXPECT_NE(refused(error(404, "MailboxNotEnabledForRESTAPI")).detail.find("no mailbox in Exchange Online"), std::string::npos);
  EXPECT_NE(refused(error(404, "ErrorItemNotFound")).detail.find("--user"), std::string::npos);
  EXPECT_NE(refused(error(403, "ErrorAccessDenied")).detail.find("Calendars.Read"), std::string::npos);
  EXPECT_EQ(refused(error(429, "ApplicationThrottled", {{"retry-after", "37"}})).retry_after, seconds(37));
  EXPECT_EQ(refused(error(503, "x", {{"retry-after", "5"}})).retry_after, seconds(5));
  EXPECT_NE(refused(error(504, "UnknownError")).detail.find("not available"), std::string::npos);
  EXPECT_NE(refused(answer(200, "<html>")).detail.find("not the page of a calendar"), std::string::npos);
  EXPECT_NE(refused(answer(200, "{}")).detail.find("not the page of a calendar"), std::string::npos);
  EXPECT_NE(refused(answer(302)).detail.find("302"), std::string::npos);
  EXPECT_EQ(refused(error(400, "bad\\n<b>")).detail.find('<'), std::string::npos);
}

TEST(GraphSource, AsksAgainForAMasterWhoseAnswerFailed) {
  Talk talk(user());
  talk.begin();
  const HttpRequest asked = talk.reply(last_page(R"({"id":"O","type":"occurrence","seriesMasterId":"M/1",
    "start":{"dateTime":"2025-03-04T09:00:00.0000000","timeZone":"UTC"},"end":{"dateTime":"2025-03-04T10:00:00.0000000","timeZone":"UTC"}})"));
  EXPECT_EQ(asked.url, std::string(kRoot) + "me/events/M%2F1");
  talk.reply(error(503, ""));
  EXPECT_FALSE(talk.done());
  EXPECT_EQ(talk.begin(kNow + minutes(1)).url, asked.url);
  talk.reply(answer(200, R"({"id":"M/1","type":"seriesMaster","subject":"Weekly"})"));
  EXPECT_TRUE(talk.done());
  EXPECT_EQ(talk.titles(), Titles{"Weekly"});
}

TEST(GraphSource, ARemovedSeriesIsReadAnew) {
  Talk talk(user());
  talk.begin();
  const std::string occurrence = R"({"id":"O","type":"occurrence","seriesMasterId":"M",
    "start":{"dateTime":"2025-03-04T09:00:00.0000000","timeZone":"UTC"},"end":{"dateTime":"2025-03-04T10:00:00.0000000","timeZone":"UTC"}})";
  talk.reply(last_page(occurrence + R"(,{"id":"M","type":"seriesMaster","subject":"Weekly"})"));
  talk.begin(kNow + minutes(5));
  EXPECT_NE(talk.reply(last_page(R"({"id":"M","@removed":{"reason":"deleted"}})")).url.find("startDateTime"), std::string::npos);
  talk.reply(last_page("", "d3"));
  EXPECT_TRUE(talk.done());
  EXPECT_TRUE(talk.titles().empty());
}

TEST(GraphSource, AnAppReadsAMailboxByName) {
  Connection c = user();
  c.credentials = {};
  c.credentials.grant = "client";
  c.credentials.client_id = "app";
  c.credentials.tenant = "contoso.example";
  c.credentials.key_pem = "PEM";
  c.credentials.thumbprint = "TP";
  Talk wrong(c);
  wrong.begin();
  EXPECT_NE(wrong.failure().detail.find("--user"), std::string::npos);

  c.calendar = "room one@contoso.example";
  Talk talk(c);
  talk.begin();
  const auto* sign = std::get_if<SignRequest>(&talk.action);
  ASSERT_NE(sign, nullptr);
  EXPECT_NE(base64_decode(sign->bytes.substr(sign->bytes.find('.') + 1))
                .find("login.microsoftonline.com/contoso.example/oauth2/v2.0/token"),
            std::string::npos);
  talk.action = talk.source->signature(std::string("signature"), kNow);
  EXPECT_NE(talk.request().body.find("client_assertion="), std::string::npos);
  EXPECT_NE(talk.request().body.find("scope=https%3A%2F%2Fgraph.microsoft.com%2F.default"), std::string::npos);
  EXPECT_NE(talk.reply(answer(200, R"({"access_token":"A","expires_in":3600})"))
                .url.find("/users/room%20one%40contoso.example/calendarView/delta"),
            std::string::npos);
}

// ---- push ------------------------------------------------------------------------------------------------------

constexpr const char* kPush = "https://bot.example.org";

PushRequest notification(const std::string& item, const std::string& query = "") {
  return {"POST", "/hooks/calendar/work" + query, {}, R"({"value":[)" + item + "]}"};
}

/// A talk whose subscription "S1" is made and whose calendar is read; its clientState.
std::string subscribe(Talk& talk, const char* expires = "2025-03-07T06:00:00Z") {
  talk.begin();
  EXPECT_EQ(talk.request().url, std::string(kRoot) + "subscriptions");
  const std::string state = Json::parse(talk.request().body)->text_or("clientState");
  talk.reply(answer(201, std::string(R"({"id":"S1","expirationDateTime":")") + expires + "\"}"));
  talk.reply(last_page(event("1")));
  EXPECT_TRUE(talk.done());
  return state;
}

TEST(GraphPush, SubscribesAndAnswersTheHandshakeWhileItWaits) {
  Talk talk(user(), kPush);
  const HttpRequest create = talk.begin();
  ASSERT_EQ(create.method, "POST");
  const Json body = *Json::parse(create.body);
  EXPECT_EQ(body.text_or("notificationUrl"), "https://bot.example.org/hooks/calendar/work");
  EXPECT_EQ(body.text_or("lifecycleNotificationUrl"), body.text_or("notificationUrl"));
  EXPECT_EQ(body.text_or("resource"), "/me/events");
  EXPECT_EQ(body.text_or("expirationDateTime"), "2025-03-07T06:00:00Z");
  EXPECT_EQ(body.text_or("clientState").size(), 43u);
  const PushAnswer shake =
      talk.source->push({"POST", "/hooks/calendar/work?validationToken=Validation%3A+a%2Bb%3Cscript%3E", {}, ""}, kNow);
  EXPECT_EQ(shake.status, 200);
  EXPECT_EQ(shake.content_type, "text/plain; charset=utf-8");
  EXPECT_EQ(shake.body, "Validation: a+b<script>");
  EXPECT_FALSE(shake.scan);
  // A notification can overtake the answer to our own call.
  const PushAnswer early =
      talk.source->push(notification(R"({"subscriptionId":"S1","clientState":")" + body.text_or("clientState") + "\"}"), kNow);
  EXPECT_TRUE(early.scan);
  talk.reply(answer(201, R"({"id":"S1","expirationDateTime":"2025-03-07T06:00:00.0000000Z"})"));
  EXPECT_EQ(talk.source->connection().channel.id, "S1");
  talk.reply(last_page(""));
  EXPECT_TRUE(talk.done());
}

TEST(GraphPush, OnlyTheRightClientStateCausesAScan) {
  Talk talk(user(), kPush);
  const std::string state = subscribe(talk);
  const PushAnswer right =
      talk.source->push(notification(R"({"clientState":"no"},{"subscriptionId":"S1","clientState":")" + state + "\"}"), kNow);
  EXPECT_EQ(right.status, 202);
  EXPECT_TRUE(right.scan);
  for (const std::string& wrong : {std::string("no"), std::string(), state + "x", state.substr(1)}) {
    const PushAnswer a = talk.source->push(notification(R"({"subscriptionId":"S1","clientState":")" + wrong + "\"}"), kNow);
    EXPECT_EQ(a.status, 202);
    EXPECT_FALSE(a.scan) << wrong;
  }
  EXPECT_EQ(talk.source->push({"GET", "/hooks/calendar/work", {}, ""}, kNow).status, 405);
  EXPECT_EQ(talk.source->push({"POST", "/hooks/calendar/work", {}, "no json"}, kNow).status, 400);
  EXPECT_EQ(talk.source->push({"POST", "/hooks/calendar/work", {}, std::string(2 << 20, ' ')}, kNow).status, 413);
  Talk polling(user());
  EXPECT_EQ(polling.source->push(notification("{}", "?validationToken=x"), kNow).status, 404);
}

TEST(GraphPush, RenewsAtHalfLifeAndMakesALostOneAnew) {
  Talk talk(user(), kPush);
  subscribe(talk);
  EXPECT_EQ(talk.begin(kNow + minutes(30)).method, "GET") << "nothing to renew yet";
  talk.reply(last_page("", "d2"));
  // An hour's token is over by then.
  talk.begin(kNow + hours(36));
  const HttpRequest renew = talk.reply(answer(200, R"({"access_token":"A1","refresh_token":"R1","expires_in":3600})"));
  EXPECT_EQ(renew.method, "PATCH");
  EXPECT_EQ(renew.url, std::string(kRoot) + "subscriptions/S1");
  EXPECT_EQ(Json::parse(renew.body)->text_or("expirationDateTime"), "2025-03-08T18:00:00Z");
  const HttpRequest anew = talk.reply(error(404, "ResourceNotFound"));
  EXPECT_EQ(anew.method, "POST");
  EXPECT_EQ(talk.reply(answer(201, R"({"id":"S2","expirationDateTime":"2025-03-08T18:00:00Z"})")).method, "GET");
  EXPECT_EQ(talk.source->connection().channel.id, "S2");
}

TEST(GraphPush, ARefusalIsAProblemAndNoFailure) {
  Talk talk(user(), kPush);
  talk.begin();
  talk.reply(error(400, "InvalidRequest"));
  talk.reply(last_page(event("1")));
  EXPECT_TRUE(talk.done());
  ASSERT_EQ(talk.source->problems().size(), 1u);
  EXPECT_NE(talk.source->problems()[0].find("[push] url"), std::string::npos);
  EXPECT_EQ(talk.begin(kNow + minutes(5)).method, "GET") << "not tried at every scan";
  talk.reply(fail(ErrorClass::kUnavailable, "http", "no answer"));
  EXPECT_EQ(talk.failure().detail, "no answer");
}

TEST(GraphPush, LifecycleEvents) {
  Talk talk(user(), kPush);
  const std::string state = subscribe(talk);
  const auto lifecycle = [&](const char* event_name, const char* id = "S1") {
    return talk.source->push(notification(std::string(R"({"subscriptionId":")") + id + R"(","clientState":")" + state +
                                          R"(","lifecycleEvent":")" + event_name + "\"}"),
                             talk.now);
  };
  EXPECT_TRUE(lifecycle("reauthorizationRequired").scan);
  EXPECT_EQ(talk.begin(kNow + minutes(1)).method, "PATCH");
  EXPECT_EQ(talk.reply(answer(200, R"({"id":"S1","expirationDateTime":"2025-03-07T06:00:00Z"})")).method, "GET");
  talk.reply(last_page("", "d2"));

  EXPECT_TRUE(lifecycle("missed").scan);
  EXPECT_NE(talk.begin(kNow + minutes(2)).url.find("startDateTime"), std::string::npos) << "a whole round";
  talk.reply(last_page("", "d3"));

  EXPECT_TRUE(lifecycle("subscriptionRemoved", "another").scan);
  EXPECT_EQ(talk.begin(kNow + minutes(3)).method, "GET");
  talk.reply(last_page("", "d4"));
  EXPECT_TRUE(lifecycle("subscriptionRemoved").scan);
  EXPECT_EQ(talk.begin(kNow + minutes(4)).method, "POST");
}

TEST(GraphPush, AnotherAddressReplacesTheSubscription) {
  Connection c = user();
  c.channel = {"old", "https://before.example.org/hooks/calendar/work", "token", kNow + hours(60)};
  Talk talk(c, kPush);
  const HttpRequest stop = talk.begin();
  EXPECT_EQ(stop.method + " " + stop.url, std::string("DELETE ") + kRoot + "subscriptions/old");
  EXPECT_EQ(talk.reply(answer(204)).method, "POST");
  EXPECT_TRUE(talk.source->connection().old_channel.id.empty());
}

}  // namespace
}  // namespace hansard::calendar
