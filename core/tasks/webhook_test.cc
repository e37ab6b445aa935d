#include "core/tasks/webhook.h"

#include <gtest/gtest.h>

#include "core/base/encoding.h"
#include "core/base/hash.h"

namespace hansard::tasks {
namespace {

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    out += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    out += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

// RFC 4231, test cases 1, 2 and 6.
TEST(Hmac, Sha256Vectors) {
  EXPECT_EQ(hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

// The vector of Standard Webhooks 1.0.0.
TEST(Webhook, SignatureVector) {
  const auto key = webhook_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  ASSERT_TRUE(key);
  EXPECT_EQ(webhook_signature(*key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, R"({"test": 2432232314})"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(Webhook, RefusesSecretsThatAreNone) {
  EXPECT_FALSE(webhook_key("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
  EXPECT_FALSE(webhook_key("whsec_c2hvcnQ="));
  EXPECT_FALSE(webhook_key(""));
}

Task a_task() {
  Task task;
  task.key = "0123456789abcdef0123456789abcdef";
  task.meeting = "m1";
  task.title = "Planning \"Q3\"";
  task.item.text = "Send the draft";
  task.item.owner = "Ada Weber";
  task.item.due = "2026-03-06";
  task.item.quote = "I'll send the draft by Friday";
  task.item.utterance_ids = {"u7"};
  return task;
}

TEST(Webhook, SameIdAndBodyAtEveryAttempt) {
  const Webhook hook{"https://tasks.example/hook", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"};
  const Instant created{1'700'000'000'000};
  const auto first = webhook_request(hook, a_task(), created, created);
  const auto second = webhook_request(hook, a_task(), created, created + hours(3));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->body, second->body);
  EXPECT_EQ(find_header(first->headers, "webhook-id"), a_task().key);
  EXPECT_EQ(find_header(second->headers, "webhook-id"), a_task().key);
  EXPECT_NE(find_header(first->headers, "webhook-signature"), find_header(second->headers, "webhook-signature"));
  const auto body = Json::parse(first->body);
  ASSERT_TRUE(body);
  EXPECT_EQ(body->text_or("type"), "task.created");
  EXPECT_EQ((*body)["data"]["assignee"].text_or("name"), "Ada Weber");
  EXPECT_EQ((*body)["data"]["due"].text_or("date"), "2026-03-06");
  EXPECT_FALSE(first->follow_redirects);
}

TEST(Webhook, ATaskWithoutOwnerOrDateNamesNone) {
  Task task = a_task();
  task.item.owner.reset();
  task.item.due.reset();
  const auto request =
      webhook_request({"https://tasks.example/hook", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, task, Instant{0}, Instant{0});
  ASSERT_TRUE(request);
  const auto body = Json::parse(request->body);
  ASSERT_TRUE(body);
  EXPECT_FALSE((*body)["data"].has("assignee"));
  EXPECT_FALSE((*body)["data"].has("due"));
}

TEST(Webhook, NothingIsSentUnsigned) {
  const auto request = webhook_request({"https://tasks.example/hook", "whsec_short"}, a_task(), Instant{0}, Instant{0});
  ASSERT_FALSE(request);
  EXPECT_EQ(request.error().code, ErrorClass::kInvalid);
  EXPECT_EQ(request.error().detail.find("short"), std::string::npos);
  EXPECT_FALSE(webhook_key("whsec_" + base64_encode(std::string(65, 'k'))));
  EXPECT_TRUE(webhook_key("whsec_" + base64_encode(std::string(64, 'k'))));
}

TEST(Webhook, AnswersByStatus) {
  const auto outcome = [](int status) { return read_http_answer(HttpResponse{status, {}, {}}, "the webhook").outcome; };
  EXPECT_EQ(outcome(200), Outcome::kAccepted);
  EXPECT_EQ(outcome(204), Outcome::kAccepted);
  EXPECT_EQ(outcome(302), Outcome::kRefused);
  EXPECT_EQ(outcome(410), Outcome::kRefused);
  EXPECT_EQ(outcome(408), Outcome::kUnknown);
  EXPECT_EQ(outcome(502), Outcome::kUnknown);
  EXPECT_EQ(outcome(429), Outcome::kBusy);
  EXPECT_EQ(outcome(503), Outcome::kUnknown) << "without a time to wait";
  EXPECT_EQ(outcome(199), Outcome::kRefused);
  EXPECT_EQ(read_http_answer(fail(ErrorClass::kInvalid, "http", "no URL"), "x").outcome, Outcome::kRefused);
  const Answer busy = read_http_answer(HttpResponse{503, {{"retry-after", "7"}}, {}}, "the webhook");
  EXPECT_EQ(busy.outcome, Outcome::kBusy);
  EXPECT_EQ(busy.retry_after, seconds(7));
  EXPECT_EQ(read_http_answer(fail(ErrorClass::kDenied, "http", "private"), "x").outcome, Outcome::kRefused);
  EXPECT_EQ(read_http_answer(fail(ErrorClass::kUnavailable, "http", "no answer"), "x").outcome, Outcome::kUnknown);
}

}  // namespace
}  // namespace hansard::tasks
