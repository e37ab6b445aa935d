// Subscriptions to changes of a calendar of Microsoft 365, and what reaches our address.
#include "core/calendar/sources/graph_testing.h"

namespace hansard::calendar {
namespace {

using namespace graph_testing;

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
