#include "core/tasks/webhook.h"

#include "core/base/encoding.h"
#include "core/base/hash.h"

namespace hansard::tasks {
namespace {

constexpr std::string_view kPrefix = "whsec_";
constexpr std::size_t kLeastKey = 24;
constexpr std::size_t kLongestKey = 64;

Json body_of(const Task& task, Instant created) {
  const AnalysisItem& item = task.item;
  Json data = Json::object();
  data.set("id", task.key).set("meeting_id", task.meeting).set("meeting_title", task.title).set("title", item.text);
  Json assignee = Json::object();
  if (item.owner) data.set("assignee", assignee.set("name", *item.owner));
  Json due = Json::object();
  if (item.due) data.set("due", due.set("date", *item.due));
  Json source = Json::object();
  source.set("quote", item.quote).set("utterance_ids", to_json(item.utterance_ids));
  data.set("source", std::move(source));
  Json out = Json::object();
  out.set("type", "task.created").set("timestamp", format_rfc3339(created)).set("data", std::move(data));
  return out;
}

}  // namespace

Result<std::string> webhook_key(std::string_view secret) {
  std::string key = secret.starts_with(kPrefix) ? base64_decode(secret.substr(kPrefix.size())) : std::string();
  if (key.size() >= kLeastKey && key.size() <= kLongestKey) return key;
  return fail(ErrorClass::kInvalid, "tasks", "a webhook's secret is 'whsec_' and the base64 form of 24 to 64 bytes");
}

std::string webhook_signature(std::string_view key, std::string_view id, std::int64_t timestamp_s, std::string_view body) {
  const std::string content = std::string(id) + "." + std::to_string(timestamp_s) + "." + std::string(body);
  return "v1," + base64_encode(hmac_sha256(key, content));
}

Result<HttpRequest> webhook_request(const Webhook& hook, const Task& task, Instant created, Instant now) {
  const auto key = webhook_key(hook.secret);
  if (!key) return std::unexpected(key.error());
  const std::int64_t timestamp = now.ms / 1000;
  HttpRequest request;
  request.method = "POST";
  request.url = hook.url;
  request.body = body_of(task, created).dump();
  request.headers = {{"Content-Type", "application/json"},
                     {"webhook-id", task.key},
                     {"webhook-timestamp", std::to_string(timestamp)},
                     {"webhook-signature", webhook_signature(*key, task.key, timestamp, request.body)}};
  request.max_bytes = 64 << 10;
  request.follow_redirects = false;
  return request;
}

}  // namespace hansard::tasks
