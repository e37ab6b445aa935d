#include "core/calendar/sources/graph_subscription.h"

#include <algorithm>
#include <utility>

#include "core/base/encoding.h"
#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/base/secret.h"
#include "core/base/text.h"

namespace hansard::calendar {
namespace {

/// Below the 4,230 minutes that Outlook's resources may be subscribed for.
constexpr Duration kLifetime = minutes(4'200);
constexpr Duration kRetry = hours(1);
constexpr Duration kShortest = minutes(5);
constexpr std::size_t kMaxBody = 1u << 20;
constexpr std::size_t kMaxItems = 1'000;
constexpr std::size_t kMaxToken = 4'096;

/// A member of the query, decoded as a form is ('+' is a blank). Nothing when it is not there.
std::optional<std::string> query_member(std::string_view target, std::string_view name) {
  const auto question = target.find('?');
  if (question == std::string_view::npos) return std::nullopt;
  for (const std::string_view pair : split(target.substr(question + 1), '&')) {
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos || pair.substr(0, equals) != name) continue;
    std::string value(pair.substr(equals + 1));
    std::replace(value.begin(), value.end(), '+', ' ');
    return percent_decode(value);
  }
  return std::nullopt;
}

HttpRequest json_request(std::string method, std::string url, const Json& body) {
  HttpRequest out;
  out.method = std::move(method);
  out.url = std::move(url);
  if (!body.is_null()) {
    out.headers.emplace_back("Content-Type", "application/json");
    out.body = body.dump();
  }
  return out;
}

}  // namespace

GraphSubscription::GraphSubscription(Connection& connection, const std::string& push_url, std::string mailbox)
    : connection_(connection), mailbox_(std::move(mailbox)) {
  if (!push_url.empty()) address_ = push_url + "/hooks/calendar/" + percent_encode(connection.id);
  renew_at_ = connection.channel.expires - Duration{kLifetime.ms / 2};
}

std::optional<HttpRequest> GraphSubscription::next(Instant now, std::string_view entropy) {
  if (address_.empty() || now < retry_at_) return std::nullopt;
  PushChannel& channel = connection_.channel;
  if (!channel.id.empty() && channel.resource != address_) connection_.old_channel = std::exchange(channel, {});
  if (!connection_.old_channel.id.empty()) {
    step_ = Step::kRemove;
    return json_request("DELETE", "subscriptions/" + percent_encode(connection_.old_channel.id), Json());
  }
  asked_expiry_ = now + kLifetime;
  Json body = Json::object();
  if (!channel.id.empty()) {
    if (now < renew_at_) return std::nullopt;
    step_ = Step::kRenew;
    body.set("expirationDateTime", format_rfc3339(asked_expiry_));
    return json_request("PATCH", "subscriptions/" + percent_encode(channel.id), body);
  }
  step_ = Step::kCreate;
  const auto digest = sha256("graph clientState " + std::string(entropy));
  waiting_token_ = base64url_encode(std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
  body.set("changeType", "created,updated,deleted").set("notificationUrl", address_).set("lifecycleNotificationUrl", address_);
  body.set("resource", "/" + mailbox_ + "/events").set("expirationDateTime", format_rfc3339(asked_expiry_));
  body.set("clientState", waiting_token_).set("latestSupportedTlsVersion", "v1_2");
  return json_request("POST", "subscriptions", body);
}

void GraphSubscription::reply(const Result<HttpResponse>& response, Instant now) {
  const Step step = std::exchange(step_, Step::kNone);
  if (step == Step::kRemove) {
    // Gone, or gone by itself within three days.
    connection_.old_channel = {};
    return;
  }
  if (step == Step::kRenew && response && response->status == 404) {
    connection_.channel = {};
    return;
  }
  if (!response || (response->status != 200 && response->status != 201)) return refused(response, now);
  // Meanwhile told that it was removed: the next sync makes another.
  if (step == Step::kRenew && connection_.channel.id.empty()) return;
  granted(Json::parse(response->body).value_or(Json()), now);
  if (step == Step::kCreate && connection_.channel.id.empty()) refused(response, now);
}

void GraphSubscription::granted(const Json& answer, Instant now) {
  PushChannel& channel = connection_.channel;
  if (channel.id.empty()) {
    channel.id = answer.text_or("id");
    channel.resource = address_;
    channel.token = std::exchange(waiting_token_, {});
  }
  channel.expires = parse_rfc3339(answer.text_or("expirationDateTime")).value_or(asked_expiry_);
  renew_at_ = now + Duration{std::max(kShortest.ms, (channel.expires - now).ms / 2)};
  problem_.clear();
}

void GraphSubscription::refused(const Result<HttpResponse>& response, Instant now) {
  waiting_token_.clear();
  retry_at_ = now + std::max(kRetry, response ? retry_after(*response) : Duration{});
  problem_ = "Microsoft sends no notifications of changes, so they are seen at the next scan: ";
  if (!response) {
    problem_ += response.error().detail;
  } else if (response->status == 400) {
    problem_ += "it could not reach the address in [push] url, or refused it (status 400)";
  } else {
    problem_ += "it answered with status " + std::to_string(response->status);
  }
}

bool GraphSubscription::is_ours(std::string_view client_state) const {
  const std::string& token = connection_.channel.token;
  const bool held = !token.empty() && same_secret(client_state, token);
  const bool waiting = !waiting_token_.empty() && same_secret(client_state, waiting_token_);
  return held || waiting;
}

/// True when the calendar is to be read.
bool GraphSubscription::lifecycle(const Json& item, const std::string& event, Instant now) {
  PushChannel& channel = connection_.channel;
  const bool current = item.text_or("subscriptionId") == channel.id;
  if (event == "missed") {
    missed_ = true;
  } else if (event == "subscriptionRemoved" && current) {
    channel = {};
    retry_at_ = now;
  } else if (event == "reauthorizationRequired" && current) {
    renew_at_ = now;  // a PATCH with a new expiry authorizes again
    retry_at_ = now;
  }
  return true;
}

PushAnswer GraphSubscription::push(const PushRequest& request, Instant now) {
  if (address_.empty()) return {};
  if (request.method != "POST") return {405};
  if (const auto token = query_member(request.target, "validationToken")) {
    if (token->size() > kMaxToken) return {400};
    return {200, "text/plain; charset=utf-8", *token};
  }
  if (request.body.size() > kMaxBody) return {413};
  const auto body = Json::parse(request.body);
  if (!body || !(*body)["value"].is_array()) return {400};
  PushAnswer answer{202};
  std::size_t count = 0;
  for (const Json& item : (*body)["value"].items()) {
    if (++count > kMaxItems) break;
    // Somebody else's, or of a subscription that is no more: accepted, so that it is not sent again, and nothing else.
    if (!is_ours(item.text_or("clientState"))) continue;
    const std::string event = item.text_or("lifecycleEvent");
    answer.scan = (event.empty() || lifecycle(item, event, now)) || answer.scan;
  }
  return answer;
}

bool GraphSubscription::take_missed() { return std::exchange(missed_, false); }

}  // namespace hansard::calendar
