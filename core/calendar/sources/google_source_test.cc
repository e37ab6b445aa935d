#include "core/calendar/sources/google_testing.h"

namespace hansard::calendar {
namespace {

using namespace google_testing;

TEST(GoogleSource, ListsAllPagesWithTheSameParametersThenOnlyChanges) {
  Talk t;
  EXPECT_TRUE(t.begin().url.starts_with(std::string(kEvents) + "?"));
  EXPECT_EQ(t.authorization(), "Bearer A0");
  EXPECT_EQ(t.query("singleEvents"), "false");
  EXPECT_EQ(t.query("eventTypes"), "default,fromGmail");
  EXPECT_EQ(t.query("timeMin"), "2026-03-02T08:00:00Z");
  EXPECT_EQ(t.query("syncToken"), "");
  const std::string first = t.request().url;
  t.reply(page(event("a"), "p/1"));
  EXPECT_EQ(t.request().url, first + "&pageToken=p%2F1");
  t.reply(page("", "p2"));  // a page may be empty
  EXPECT_EQ(t.request().url, first + "&pageToken=p2");
  EXPECT_TRUE(t.titles().empty());
  t.reply(last_page(event("b", "Other")));
  EXPECT_TRUE(t.done());
  EXPECT_EQ(t.titles(), (Titles{"Plan", "Other"}));

  t.begin(kNow + minutes(5));
  EXPECT_EQ(t.query("syncToken"), "s1");
  EXPECT_EQ(t.query("timeMin"), "");
  EXPECT_EQ(t.query("singleEvents"), "false");
  EXPECT_EQ(t.query("eventTypes"), "default,fromGmail");
  EXPECT_EQ(t.query("maxResults"), "250");
  t.reply(page(event("a", "Renamed"), "p3"));
  EXPECT_EQ(t.query("syncToken"), "s1");
  EXPECT_EQ(t.query("pageToken"), "p3");
  EXPECT_EQ(t.titles(), (Titles{"Plan", "Other"}));
  t.reply(last_page(R"({"id":"b","status":"cancelled"})", "s2"));
  EXPECT_TRUE(t.done());
  EXPECT_EQ(t.titles(), (Titles{"Renamed"}));
  t.begin(kNow + minutes(10));
  EXPECT_EQ(t.query("syncToken"), "s2");
}

TEST(GoogleSource, ARoundThatBreaksOffChangesNothing) {
  Talk t;
  t.begin();
  t.reply(last_page(event("a")));
  t.begin(kNow + minutes(5));
  t.reply(page(event("a", "Half"), "p1"));
  t.reply(answer(503));
  EXPECT_NE(t.failure().detail.find("503"), std::string::npos);
  EXPECT_EQ(t.titles(), (Titles{"Plan"}));
  t.begin(kNow + minutes(6));
  EXPECT_EQ(t.query("syncToken"), "s1");
  EXPECT_EQ(t.query("pageToken"), "");
  t.reply(fail(ErrorClass::kUnavailable, "http", "the network is down"));
  EXPECT_EQ(t.failure().detail, "the network is down");
  t.begin(kNow + minutes(7));
  t.reply(last_page(event("b"), "s2"));
  EXPECT_EQ(t.titles(), (Titles{"Plan", "Plan"}));
}

TEST(GoogleSource, ADeadSyncTokenLeadsToOneFullRound) {
  for (const auto& dead : {refusal(410, "fullSyncRequired"), refusal(410, "updatedMinTooLongAgo"), refusal(400, "invalid")}) {
    Talk t;
    t.begin();
    t.reply(last_page(event("a") + "," + event("b", "Gone")));
    t.begin(kNow + hours(1));
    t.reply(page(event("a", "Half"), "p1"));
    t.reply(dead);
    EXPECT_EQ(t.query("syncToken") + t.query("pageToken"), "");
    EXPECT_EQ(t.query("timeMin"), "2026-03-02T09:00:00Z");
    t.reply(last_page(event("a", "New"), "s9"));
    EXPECT_TRUE(t.done());
    EXPECT_EQ(t.titles(), (Titles{"New"}));  // what is not in the new list is gone
    t.begin(kNow + hours(2));
    EXPECT_EQ(t.query("syncToken"), "s9");
    // Dead for a second time in one sync: not for ever.
    t.reply(refusal(410, "fullSyncRequired"));
    t.reply(refusal(410, "fullSyncRequired"));
    EXPECT_FALSE(t.failure().reconnect);
    EXPECT_EQ(t.titles(), (Titles{"New"}));
    t.begin(kNow + hours(3));
    EXPECT_EQ(t.query("syncToken"), "");
  }
}

TEST(GoogleSource, RenewsTheTokenBeforeItEndsAndKeepsTheRefreshToken) {
  Connection c = user();
  c.credentials.expires = kNow + minutes(1);
  Talk t(c);
  t.begin();
  EXPECT_EQ(t.request().url, "https://oauth2.googleapis.com/token");
  EXPECT_EQ(t.request().body, "grant_type=refresh_token&refresh_token=R0&client_id=client&client_secret=not%20confidential");
  t.reply(token_answer("A1"));
  EXPECT_EQ(t.authorization(), "Bearer A1");
  EXPECT_EQ(t.source->connection().credentials.refresh_token, "R0");
  EXPECT_EQ(t.source->connection().credentials.expires, kNow + seconds(3599));
  t.reply(last_page(""));
  EXPECT_TRUE(t.done());
}

TEST(GoogleSource, ARefusedTokenIsRenewedOnce) {
  Talk t;
  t.begin();
  t.reply(page(event("a"), "p1"));
  t.reply(refusal(401, "authError"));
  EXPECT_EQ(t.request().url, "https://oauth2.googleapis.com/token");
  t.reply(token_answer("A1"));
  EXPECT_EQ(t.query("pageToken"), "p1");  // the round goes on where it was
  EXPECT_EQ(t.authorization(), "Bearer A1");
  t.reply(refusal(401, "authError"));
  EXPECT_TRUE(t.failure().reconnect);
  EXPECT_NE(t.failure().detail.find("`hansard calendar connect google --id work`"), std::string::npos);
}

TEST(GoogleSource, ADeadGrantSaysHowToConnectAgainAndLosesNothing) {
  Talk t;
  t.begin();
  t.reply(last_page(event("a")));
  t.begin(kNow + hours(25));
  t.reply(answer(400, R"({"error":"invalid_grant","error_description":"Token has been expired or revoked."})"));
  EXPECT_TRUE(t.failure().reconnect);
  EXPECT_NE(t.failure().detail.find("Token has been expired or revoked."), std::string::npos);
  EXPECT_NE(t.failure().detail.find("`hansard calendar connect google --id work`"), std::string::npos);
  EXPECT_EQ(t.titles(), (Titles{"Plan"}));
  EXPECT_EQ(t.source->connection().credentials.refresh_token, "R0");
  // A sign-in service in trouble is no dead grant.
  t.begin(kNow + hours(26));
  t.reply(answer(503, "<html>"));
  EXPECT_FALSE(t.failure().reconnect);
}

TEST(GoogleSource, TheReasonDecides) {
  struct Case {
    int status;
    const char* reason;
    Duration least;
    bool reconnect;
    const char* words;
  };
  for (const Case& c :
       {Case{403, "userRateLimitExceeded", minutes(1), false, "slow down"},
        Case{403, "rateLimitExceeded", minutes(1), false, "slow down"},
        Case{429, "rateLimitExceeded", minutes(1), false, "slow down"}, Case{403, "quotaExceeded", minutes(30), false, "limit"},
        Case{403, "insufficientPermissions", {}, true, "connect google --id work"},
        Case{403, "accessNotConfigured", minutes(15), false, "administrator"},
        Case{403, "forbidden", minutes(15), false, "does not let"}, Case{404, "notFound", minutes(15), false, "no such calendar"},
        Case{400, "timeRangeEmpty", {}, false, "timeRangeEmpty"}, Case{500, "backendError", {}, false, "500"},
        Case{302, "", {}, false, "302"}}) {
    Talk t;
    t.begin();
    t.reply(refusal(c.status, c.reason));
    EXPECT_EQ(t.failure().retry_after, c.least) << c.reason;
    EXPECT_EQ(t.failure().reconnect, c.reconnect) << c.reason;
    EXPECT_NE(t.failure().detail.find(c.words), std::string::npos) << t.failure().detail;
    EXPECT_EQ(t.failure().detail.find("secret words"), std::string::npos);
    t.begin();
    t.reply(refusal(c.status, c.reason, {{"retry-after", "7200"}}));
    EXPECT_EQ(t.failure().retry_after, hours(2)) << c.reason;
  }
  // The newer form of an error.
  EXPECT_EQ(google_reason(answer(403, R"({"error":{"code":403,"errors":[{"reason":"forbidden"}],"status":"PERMISSION_DENIED",
    "details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]}})")),
            "ACCESS_TOKEN_SCOPE_INSUFFICIENT");
  EXPECT_EQ(google_reason(answer(403, R"({"error":{"errors":[{"reason":"<b>\n"}]}})")), "");
  EXPECT_EQ(google_reason(answer(403, "<html>")), "");
}

TEST(GoogleSource, AnswersThatAreNoneAndListsWithoutEndFail) {
  for (const char* body : {"", "<html>", "[]", "{}", R"({"items":7})"}) {
    Talk t;
    t.begin();
    t.reply(answer(200, body));
    EXPECT_NE(t.failure().detail.find("not a list of events"), std::string::npos);
  }
  Talk t;
  t.begin();
  int pages = 0;
  while (pages < 10'000 && !t.request().url.empty()) {
    t.reply(page("", "same"));
    ++pages;
  }
  EXPECT_LT(pages, 2'000);
  EXPECT_NE(t.failure().detail.find("never came to an end"), std::string::npos);
  // A list without any token is read whole again.
  t.begin();
  t.reply(answer(200, R"({"items":[]})"));
  EXPECT_TRUE(t.done());
  t.begin();
  EXPECT_EQ(t.query("syncToken"), "");
}

TEST(GoogleSource, AServiceAccountSignsForItsSubject) {
  Connection c = user();
  c.credentials = {};
  c.credentials.grant = "service_account";
  c.credentials.issuer = "robot@project.iam.gserviceaccount.com";
  c.credentials.subject = "me@example.org";
  c.credentials.key_pem = "PEM";
  Talk t(c);
  t.begin();
  const auto* sign = std::get_if<SignRequest>(&t.action);
  ASSERT_NE(sign, nullptr);
  EXPECT_EQ(sign->key_pem, "PEM");
  t.action = t.source->signature(std::string("sig"), kNow);
  EXPECT_EQ(t.request().url, "https://oauth2.googleapis.com/token");
  t.reply(token_answer("A1"));
  EXPECT_EQ(t.authorization(), "Bearer A1");
  t.reply(last_page(""));
  EXPECT_TRUE(t.done());
  // A key that is none is a matter for a person.
  Talk broken(c);
  broken.begin();
  broken.action = broken.source->signature(fail(ErrorClass::kInvalid, "signer", "no RSA key"), kNow);
  EXPECT_TRUE(broken.failure().reconnect);
}

TEST(GoogleSource, TheFactoryKnowsIt) {
  auto made = make_source(user(), {});
  ASSERT_TRUE(made);
  EXPECT_EQ((*made)->connection().kind, "google");
}

}  // namespace
}  // namespace hansard::calendar
