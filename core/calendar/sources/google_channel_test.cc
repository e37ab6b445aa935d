#include "core/calendar/sources/google_testing.h"

namespace hansard::calendar {
namespace {

using namespace google_testing;

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

}  // namespace
}  // namespace hansard::calendar
