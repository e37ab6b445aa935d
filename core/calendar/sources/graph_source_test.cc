// How a calendar of Microsoft 365 is read.
#include "core/calendar/sources/graph_testing.h"

namespace hansard::calendar {
namespace {

using namespace graph_testing;

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

}  // namespace
}  // namespace hansard::calendar
