#include "core/calendar/sources/google_channel.h"

#include <algorithm>
#include <utility>

#include "core/base/encoding.h"
#include "core/base/json.h"
#include "core/base/secret.h"
#include "core/calendar/sources/google_errors.h"

namespace hansard::calendar {
namespace {

/// Renewal begins this long before the end, or at the last quarter of a channel that was granted for a shorter time.
constexpr Duration kRenewBefore = hours(6);
/// Google's clock and ours may differ, and its last messages may be on their way.
constexpr Duration kLate = hours(1);
constexpr Duration kUnknownLifetime = hours(24);
/// Longer than Google grants. One that seems to live longer is renewed all the same.
constexpr Duration kLongestLifetime = hours(24LL * 31);
constexpr Duration kRetry = minutes(5);
constexpr Duration kRefusedRetry = hours(6);

bool matches(const PushChannel& channel, std::string_view id, std::string_view token) {
  const bool same_id = same_secret(id, channel.id);
  const bool same_token = same_secret(token, channel.token);
  return !channel.id.empty() && !channel.token.empty() && same_id && same_token;
}

/// The form of a UUID (version 4), which is what Google asks for.
std::string channel_id(std::string_view entropy) {
  std::string hex = sha256_hex("google channel id " + std::string(entropy), 32);
  hex[12] = '4';
  hex[16] = "89ab"[hex_value(hex[16]) & 3];
  for (const std::size_t at : {20, 16, 12, 8}) hex.insert(at, "-");
  return hex;
}

HttpRequest post(std::string url, const Json& body) {
  HttpRequest request;
  request.method = "POST";
  request.url = std::move(url);
  request.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}};
  request.body = body.dump();
  request.max_bytes = 1 << 20;
  request.follow_redirects = false;
  return request;
}

}  // namespace

GoogleChannel::GoogleChannel(Connection& connection, std::string events_url, const SourceEnvironment& environment)
    : connection_(connection),
      events_url_(std::move(events_url)),
      stop_url_(environment.google.api_root + "channels/stop"),
      address_(environment.push_url.empty() ? "" : environment.push_url + "/hooks/calendar/" + percent_encode(connection.id)),
      renew_before_(kRenewBefore) {}

std::optional<HttpRequest> GoogleChannel::next(Instant now, std::string_view entropy) {
  PushChannel& channel = connection_.channel;
  PushChannel& old = connection_.old_channel;
  if (!channel.id.empty() && channel.expires <= now) channel = {};
  if (!old.id.empty() && old.expires <= now) old = {};
  if (address_.empty() && !channel.id.empty()) old = std::exchange(channel, {});  // pushes were switched off
  if (!old.id.empty() && !watch_tried_ && !std::exchange(stop_tried_, true)) return stop(old);
  if (address_.empty() || now < next_watch_ || std::exchange(watch_tried_, true)) return std::nullopt;
  if (!channel.id.empty() && channel.expires - now > renew_before_) return std::nullopt;
  return watch(entropy);
}

HttpRequest GoogleChannel::watch(std::string_view entropy) {
  const auto digest = sha256("google channel token " + std::string(entropy));
  pending_ = {};
  pending_.id = channel_id(entropy);
  pending_.token = base64url_encode(std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
  waiting_ = true;
  Json body = Json::object();
  body.set("id", pending_.id).set("type", "web_hook").set("address", address_).set("token", pending_.token);
  return post(events_url_ + "/watch", body);
}

HttpRequest GoogleChannel::stop(const PushChannel& channel) {
  Json body = Json::object();
  body.set("id", channel.id).set("resourceId", channel.resource);
  return post(stop_url_, body);
}

void GoogleChannel::reply(const Result<HttpResponse>& response, Instant now) {
  if (std::exchange(waiting_, false)) return watched(response, now);
  stopped(response);
}

void GoogleChannel::watched(const Result<HttpResponse>& response, Instant now) {
  PushChannel made = std::exchange(pending_, {});
  const auto body = response ? Json::parse(response->body) : Result<Json>(Json());
  if (response && response->status == 200 && body && body->text_or("id") == made.id) {
    made.resource = body->text_or("resourceId");
    std::int64_t ms = 0;  // written as a text
    const bool told = parse_digits(body->text_or("expiration"), ms) || (ms = body->int_or("expiration", 0)) > 0;
    made.expires = told ? std::min(Instant{ms}, now + kLongestLifetime) : now + kUnknownLifetime;
    renew_before_ = std::clamp(Duration{(made.expires - now).ms / 4}, Duration{0}, kRenewBefore);
    if (!connection_.channel.id.empty()) connection_.old_channel = std::move(connection_.channel);
    connection_.channel = std::move(made);
    problem_.clear();
    return;
  }
  const std::string reason = response ? google_reason(*response) : "";
  const bool refused = response && response->status >= 400 && response->status < 500 && response->status != 429 &&
                       reason != "channelIdNotUnique" && reason != "authError" && !reason.ends_with("RateLimitExceeded") &&
                       reason != "rateLimitExceeded";
  next_watch_ = now + std::max(refused ? kRefusedRetry : kRetry, response ? retry_after(*response) : Duration{});
  const std::string why = !reason.empty() ? " (" + reason + ")"
                          : response      ? " (status " + std::to_string(response->status) + ")"
                                          : "";
  problem_ = "Google does not push changes to this daemon" + why + ": the calendar is asked at its interval instead" +
             (refused ? "; check `url` in [push]" : "");
}

void GoogleChannel::stopped(const Result<HttpResponse>& response) {
  // One that cannot be stopped now is stopped by the next sync; one that Google does not know any more is gone.
  if (!response || response->status == 429 || response->status >= 500) return;
  connection_.old_channel = {};
}

PushAnswer GoogleChannel::push(const PushRequest& request, Instant now) const {
  const std::string_view id = find_header(request.headers, "x-goog-channel-id");
  const std::string_view token = find_header(request.headers, "x-goog-channel-token");
  bool known = matches(pending_, id, token);
  for (const PushChannel* channel : {&connection_.channel, &connection_.old_channel}) {
    known = (matches(*channel, id, token) && now < channel->expires + kLate) || known;
  }
  if (!known) return {};
  if (request.method != "POST") return {405};
  PushAnswer answer;
  answer.status = 200;
  answer.scan = find_header(request.headers, "x-goog-resource-state") != "sync";
  return answer;
}

}  // namespace hansard::calendar
