#include "core/calendar/sources/google_source.h"

#include <gtest/gtest.h>

#include "core/base/encoding.h"
#include "core/base/json.h"
#include "core/calendar/sources/google_errors.h"
#include "core/calendar/test_support.h"

namespace hansard::calendar {
namespace {

const Instant kNow = testing::at("2026-03-04T08:00:00Z");
constexpr const char* kEvents = "https://www.googleapis.com/calendar/v3/calendars/team%23a%40group.calendar.google.com/events";

Connection user() {
  Connection c;
  c.id = "work";
  c.kind = "google";
  c.account = "me@example.org";
  c.calendar = "team#a@group.calendar.google.com";
  c.credentials.grant = "user";
  c.credentials.client_id = "client";
  c.credentials.client_secret = "not confidential";
  c.credentials.refresh_token = "R0";
  c.credentials.access_token = "A0";
  c.credentials.expires = kNow + hours(24);
  return c;
}

HttpResponse answer(int status, std::string body = "{}", HttpHeaders headers = {}) {
  return {status, std::move(headers), std::move(body)};
}
HttpResponse refusal(int status, const std::string& reason, HttpHeaders headers = {}) {
  return answer(status,
                R"({"error":{"errors":[{"domain":"global","reason":")" + reason + R"(","message":"secret words"}],"code":)" +
                    std::to_string(status) + R"(,"message":"secret words"}})",
                std::move(headers));
}
std::string event(const std::string& id, const std::string& summary = "Plan") {
  return R"({"id":")" + id + R"(","iCalUID":")" + id + R"(@google.com","status":"confirmed","summary":")" + summary +
         R"(","start":{"dateTime":"2026-03-04T09:00:00Z"},"end":{"dateTime":"2026-03-04T10:00:00Z"}})";
}
HttpResponse last_page(const std::string& items, const std::string& token = "s1") {
  return answer(200,
                R"({"kind":"calendar#events","timeZone":"UTC","items":[)" + items + R"(],"nextSyncToken":")" + token + "\"}");
}
HttpResponse page(const std::string& items, const std::string& token) {
  return answer(200,
                R"({"kind":"calendar#events","timeZone":"UTC","items":[)" + items + R"(],"nextPageToken":")" + token + "\"}");
}
HttpResponse token_answer(const std::string& access) {
  return answer(200, R"({"access_token":")" + access + R"(","expires_in":3599,"token_type":"Bearer"})");
}

/// One source and what it says to each scripted answer.
struct Talk {
  explicit Talk(Connection connection = user(), std::string push_url = {}) {
    environment.push_url = std::move(push_url);
    environment.read_zone = testing::system_zone;
    source = std::make_unique<GoogleSource>(std::move(connection), environment);
  }
  const HttpRequest& begin(Instant at = kNow) {
    now = at;
    action = source->begin({now, now + hours(24)}, now, std::string(31, 'e') + static_cast<char>(at.ms / 60'000));
    return request();
  }
  const HttpRequest& reply(const Result<HttpResponse>& response) {
    action = source->reply(response, now);
    return request();
  }
  /// Empty when nothing is to be sent.
  const HttpRequest& request() const {
    static const HttpRequest none;
    const auto* send = std::get_if<SendRequest>(&action);
    return send != nullptr ? send->request : none;
  }
  bool done() const { return std::holds_alternative<SyncDone>(action); }
  SyncFailed failed() const {
    const auto* f = std::get_if<SyncFailed>(&action);
    EXPECT_NE(f, nullptr);
    return f != nullptr ? *f : SyncFailed{};
  }
  std::string query(const std::string& name) const {
    const std::string& url = request().url;
    std::string out;
    for (std::size_t at = url.find('?'); at != std::string::npos; at = url.find('&', at + 1)) {
      const std::size_t eq = url.find('=', at);
      if (url.substr(at + 1, eq - at - 1) != name) continue;
      out += (out.empty() ? "" : ",") + percent_decode(url.substr(eq + 1, url.find('&', at + 1) - eq - 1));
    }
    return out;
  }
  std::string authorization() const { return std::string(find_header(request().headers, "authorization")); }
  std::vector<std::string> summaries() const {
    std::vector<std::string> out;
    for (const VEvent& e : source->documents()[0]->events) out.push_back(e.summary);
    return out;
  }

  SourceEnvironment environment;
  std::unique_ptr<GoogleSource> source;
  SourceAction action;
  Instant now;
};
using Names = std::vector<std::string>;

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
  EXPECT_TRUE(t.summaries().empty());
  t.reply(last_page(event("b", "Other")));
  EXPECT_TRUE(t.done());
  EXPECT_EQ(t.summaries(), (Names{"Plan", "Other"}));

  t.begin(kNow + minutes(5));
  EXPECT_EQ(t.query("syncToken"), "s1");
  EXPECT_EQ(t.query("timeMin"), "");
  EXPECT_EQ(t.query("singleEvents"), "false");
  EXPECT_EQ(t.query("eventTypes"), "default,fromGmail");
  EXPECT_EQ(t.query("maxResults"), "250");
  t.reply(page(event("a", "Renamed"), "p3"));
  EXPECT_EQ(t.query("syncToken"), "s1");
  EXPECT_EQ(t.query("pageToken"), "p3");
  EXPECT_EQ(t.summaries(), (Names{"Plan", "Other"}));
  t.reply(last_page(R"({"id":"b","status":"cancelled"})", "s2"));
  EXPECT_TRUE(t.done());
  EXPECT_EQ(t.summaries(), (Names{"Renamed"}));
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
  EXPECT_NE(t.failed().detail.find("503"), std::string::npos);
  EXPECT_EQ(t.summaries(), (Names{"Plan"}));
  t.begin(kNow + minutes(6));
  EXPECT_EQ(t.query("syncToken"), "s1");
  EXPECT_EQ(t.query("pageToken"), "");
  t.reply(fail(ErrorClass::kUnavailable, "http", "the network is down"));
  EXPECT_EQ(t.failed().detail, "the network is down");
  t.begin(kNow + minutes(7));
  t.reply(last_page(event("b"), "s2"));
  EXPECT_EQ(t.summaries(), (Names{"Plan", "Plan"}));
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
    EXPECT_EQ(t.summaries(), (Names{"New"}));  // what is not in the new list is gone
    t.begin(kNow + hours(2));
    EXPECT_EQ(t.query("syncToken"), "s9");
    // Dead for a second time in one sync: not for ever.
    t.reply(refusal(410, "fullSyncRequired"));
    t.reply(refusal(410, "fullSyncRequired"));
    EXPECT_FALSE(t.failed().reconnect);
    EXPECT_EQ(t.summaries(), (Names{"New"}));
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
  EXPECT_TRUE(t.failed().reconnect);
  EXPECT_NE(t.failed().detail.find("`hansard calendar connect google --id work`"), std::string::npos);
}

TEST(GoogleSource, ADeadGrantSaysHowToConnectAgainAndLosesNothing) {
  Talk t;
  t.begin();
  t.reply(last_page(event("a")));
  t.begin(kNow + hours(25));
  t.reply(answer(400, R"({"error":"invalid_grant","error_description":"Token has been expired or revoked."})"));
  EXPECT_TRUE(t.failed().reconnect);
  EXPECT_NE(t.failed().detail.find("Token has been expired or revoked."), std::string::npos);
  EXPECT_NE(t.failed().detail.find("`hansard calendar connect google --id work`"), std::string::npos);
  EXPECT_EQ(t.summaries(), (Names{"Plan"}));
  EXPECT_EQ(t.source->connection().credentials.refresh_token, "R0");
  // A sign-in service in trouble is no dead grant.
  t.begin(kNow + hours(26));
  t.reply(answer(503, "<html>"));
  EXPECT_FALSE(t.failed().reconnect);
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
    EXPECT_EQ(t.failed().retry_after, c.least) << c.reason;
    EXPECT_EQ(t.failed().reconnect, c.reconnect) << c.reason;
    EXPECT_NE(t.failed().detail.find(c.words), std::string::npos) << t.failed().detail;
    EXPECT_EQ(t.failed().detail.find("secret words"), std::string::npos);
    t.begin();
    t.reply(refusal(c.status, c.reason, {{"retry-after", "7200"}}));
    EXPECT_EQ(t.failed().retry_after, hours(2)) << c.reason;
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
    EXPECT_NE(t.failed().detail.find("not a list of events"), std::string::npos);
  }
  Talk t;
  t.begin();
  int pages = 0;
  while (pages < 10'000 && !t.request().url.empty()) {
    t.reply(page("", "same"));
    ++pages;
  }
  EXPECT_LT(pages, 2'000);
  EXPECT_NE(t.failed().detail.find("never came to an end"), std::string::npos);
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
  EXPECT_TRUE(broken.failed().reconnect);
}

// ---- push ------------------------------------------------------------------------------------------------------

PushRequest hint(const std::string& id, const std::string& token, const std::string& state = "exists") {
  return {"POST",
          "/hooks/calendar/work",
          {{"X-Goog-Channel-ID", id}, {"X-Goog-Channel-Token", token}, {"X-Goog-Resource-State", state}},
          ""};
}
HttpResponse granted(const HttpRequest& watch, Instant until, const std::string& resource = "r1") {
  return answer(200, R"({"kind":"api#channel","id":")" + Json::parse(watch.body)->text_or("id") + R"(","resourceId":")" +
                         resource + R"(","expiration":")" + std::to_string(until.ms) + "\"}");
}

TEST(GoogleSource, MakesAChannelAfterASyncAndAcceptsWhatProvesItself) {
  Talk t(user(), "https://hansard.example.org");
  t.begin();
  const HttpRequest watch = t.reply(last_page(event("a")));
  EXPECT_EQ(watch.method, "POST");
  EXPECT_EQ(watch.url, std::string(kEvents) + "/watch");
  EXPECT_EQ(t.authorization(), "Bearer A0");
  const auto body = Json::parse(watch.body);
  ASSERT_TRUE(body);
  EXPECT_EQ(body->text_or("type"), "web_hook");
  EXPECT_EQ(body->text_or("address"), "https://hansard.example.org/hooks/calendar/work");
  const std::string id = body->text_or("id");
  const std::string token = body->text_or("token");
  EXPECT_EQ(id.size(), 36u);
  EXPECT_EQ(token.size(), 43u);
  // "sync" may come before the answer.
  EXPECT_EQ(t.source->push(hint(id, token, "sync"), kNow).status, 200);
  EXPECT_FALSE(t.source->push(hint(id, token, "sync"), kNow).scan);
  t.reply(granted(watch, kNow + hours(7 * 24)));
  EXPECT_TRUE(t.done());
  EXPECT_EQ(t.source->connection().channel, (PushChannel{id, "r1", token, kNow + hours(7 * 24)}));
  EXPECT_TRUE(t.source->push(hint(id, token), kNow).scan);
  EXPECT_TRUE(t.source->push(hint(id, token, "not_exists"), kNow).scan);
  for (const auto& [i, k] : {std::pair(id, std::string("wrong")),
                             {std::string("wrong"), token},
                             {id, std::string()},
                             {std::string(), token},
                             {std::string(), std::string()},
                             {id, token + "x"}}) {
    EXPECT_EQ(t.source->push(hint(i, k), kNow).status, 404);
    EXPECT_FALSE(t.source->push(hint(i, k), kNow).scan);
  }
  // After a restart the stored channel still counts, and no other one is made.
  Talk again(t.source->connection(), "https://hansard.example.org");
  EXPECT_TRUE(again.source->push(hint(id, token), kNow + hours(1)).scan);
  EXPECT_EQ(again.source->push(hint(id, token), kNow + hours(8 * 24)).status, 404);
  again.begin(kNow + minutes(30));
  again.reply(last_page(""));
  EXPECT_TRUE(again.done());
}

TEST(GoogleSource, RenewsAChannelWithOverlapAndStopsTheOldOne) {
  Talk t(user(), "https://h.example");
  t.begin();
  const HttpRequest first = t.reply(last_page(""));
  t.reply(granted(first, kNow + hours(2)));  // shorter than asked
  const PushChannel old = t.source->connection().channel;
  t.begin(kNow + minutes(55));
  t.reply(last_page("", "s2"));
  EXPECT_TRUE(t.done());  // more than a quarter is left
  t.begin(kNow + minutes(58) - seconds(1));
  t.reply(last_page("", "s2"));
  EXPECT_TRUE(t.done());

  Connection c = t.source->connection();
  c.credentials.expires = kNow + hours(5);
  Talk u(c, "https://h.example");
  u.begin(kNow + minutes(91));
  const HttpRequest second = u.reply(last_page(""));
  EXPECT_TRUE(second.url.ends_with("/watch"));
  EXPECT_NE(Json::parse(second.body)->text_or("id"), old.id);
  u.reply(granted(second, kNow + hours(48), "r2"));
  EXPECT_TRUE(u.done());
  const PushChannel made = u.source->connection().channel;
  EXPECT_EQ(u.source->connection().old_channel, old);
  EXPECT_TRUE(u.source->push(hint(old.id, old.token), u.now).scan);  // both overlap
  EXPECT_TRUE(u.source->push(hint(made.id, made.token), u.now).scan);

  u.begin(kNow + minutes(95));
  const HttpRequest stop = u.reply(last_page(""));
  EXPECT_EQ(stop.url, "https://www.googleapis.com/calendar/v3/channels/stop");
  EXPECT_EQ(stop.body, R"({"id":")" + old.id + R"(","resourceId":"r1"})");
  u.reply(answer(503));
  EXPECT_TRUE(u.done());
  u.begin(kNow + minutes(100));
  EXPECT_TRUE(u.reply(last_page("")).url.ends_with("/stop"));  // not stopped yet: once more
  u.reply(answer(204, ""));
  EXPECT_TRUE(u.done());
  EXPECT_TRUE(u.source->connection().old_channel.id.empty());
  EXPECT_EQ(u.source->push(hint(old.id, old.token), u.now).status, 404);
  EXPECT_EQ(u.source->connection().channel, made);
}

TEST(GoogleSource, ARefusedChannelIsAProblemAndNoFailure) {
  Talk t(user(), "https://h.example");
  t.begin();
  t.reply(last_page(event("a")));
  t.reply(refusal(400, "webhookUrlNotHttps"));
  EXPECT_TRUE(t.done());
  ASSERT_EQ(t.source->problems().size(), 1u);
  EXPECT_NE(t.source->problems()[0].find("webhookUrlNotHttps"), std::string::npos);
  EXPECT_NE(t.source->problems()[0].find("at its interval"), std::string::npos);
  t.begin(kNow + minutes(10));
  t.reply(last_page(""));
  EXPECT_TRUE(t.done());  // not asked at every sync
  Connection c = t.source->connection();
  Talk u(c, "https://h.example");
  u.begin();
  u.reply(last_page(""));
  u.reply(fail(ErrorClass::kUnavailable, "http", "down"));
  EXPECT_TRUE(u.done());
  u.begin(kNow + minutes(6));
  const HttpRequest watch = u.reply(last_page(""));
  EXPECT_TRUE(watch.url.ends_with("/watch"));
  u.reply(granted(watch, kNow + hours(24)));
  EXPECT_TRUE(u.done());
  EXPECT_TRUE(u.source->problems().empty());
}

TEST(GoogleSource, PushesSwitchedOffStopTheChannel) {
  Connection c = user();
  c.channel = {"id", "r", "token", kNow + hours(24)};
  Talk t(c);
  t.begin();
  EXPECT_TRUE(t.reply(last_page("")).url.ends_with("/channels/stop"));
  t.reply(answer(204, ""));
  EXPECT_TRUE(t.done());
  EXPECT_TRUE(t.source->connection().channel.id.empty());
  EXPECT_EQ(t.source->push(hint("id", "token"), kNow).status, 404);
}

TEST(GoogleSource, TheFactoryKnowsIt) {
  auto made = make_source(user(), {});
  ASSERT_TRUE(made);
  EXPECT_EQ((*made)->connection().kind, "google");
}

}  // namespace
}  // namespace hansard::calendar
