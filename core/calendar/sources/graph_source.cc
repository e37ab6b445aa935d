#include "core/calendar/sources/graph_source.h"

#include <utility>

#include "core/base/encoding.h"
#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/base/text.h"

namespace hansard::calendar {
namespace {

constexpr int kPageSize = 50;
constexpr int kMaxPages = 1'000;
constexpr int kMaxRestarts = 2;
constexpr int kMaxSubscriptionRequests = 3;
constexpr Duration kBehind = hours(24);            ///< of the window, before what is asked
constexpr Duration kAhead = hours(7LL * 24);       ///< beyond it
constexpr Duration kWindowLife = hours(24);        ///< then the window is asked for anew
constexpr Duration kUnfinishedLife = minutes(60);  ///< of a round that was broken off

std::string mailbox_of(const Connection& connection) {
  const std::string& name = connection.calendar;
  return name.empty() || name == "me" ? "me" : "users/" + percent_encode(name);
}

Grant::Vendor vendor_of(const Connection& connection, const MicrosoftEndpoints& endpoints) {
  Grant::Vendor out;
  out.name = "Microsoft";
  out.token_url = microsoft_oauth_url(endpoints, connection.credentials.tenant, "token");
  const bool app = connection.credentials.grant == "client";
  out.scope = app ? microsoft_app_scope(endpoints) : microsoft_user_scope(endpoints);
  out.refresh_scope = !app;
  return out;
}

/// Graph's error code: letters, digits and dots of it, as it may stand in a sentence.
std::string error_code(const HttpResponse& response) {
  std::string out;
  const auto body = Json::parse(response.body);
  if (!body) return out;
  for (const char c : (*body)["error"].text_or("code")) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
    if (plain && out.size() < 60) out += c;
  }
  return out;
}

bool is_lost_state(const HttpResponse& response, std::string_view code) {
  if (response.status == 410) return true;
  if (response.status != 400 && response.status != 404) return false;
  for (const std::string_view known : {"SyncStateNotFound", "syncStateInvalid", "resyncRequired"}) {
    if (equals_ignore_case(code, known)) return true;
  }
  return false;
}

/// A claims challenge: only a person can meet it.
bool wants_claims(const HttpResponse& response) {
  return find_ignore_case(find_header(response.headers, "www-authenticate"), "claims=") != std::string::npos;
}

/// A GUID-shaped name of a request, which Microsoft's support can find again.
std::string request_name(std::string_view entropy, int count) {
  std::string hex = sha256_hex("graph request " + std::to_string(count) + std::string(entropy), 32);
  for (const std::size_t at : {8u, 13u, 18u, 23u}) hex.insert(at, 1, '-');
  return hex;
}

}  // namespace

std::string microsoft_oauth_url(const MicrosoftEndpoints& endpoints, std::string_view tenant, std::string_view endpoint) {
  return endpoints.login_root + percent_encode(tenant.empty() ? "common" : tenant) + "/oauth2/v2.0/" + std::string(endpoint);
}

std::string_view url_origin(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  return url.substr(0, url.find_first_of("/?#", scheme + 3));
}

std::string microsoft_user_scope(const MicrosoftEndpoints& endpoints) {
  const std::string graph(url_origin(endpoints.graph_root));
  return graph + "/Calendars.Read " + graph + "/User.Read offline_access";
}

std::string microsoft_app_scope(const MicrosoftEndpoints& endpoints) {
  return std::string(url_origin(endpoints.graph_root)) + "/.default";
}

GraphSource::GraphSource(Connection connection, const SourceEnvironment& environment)
    : endpoints_(environment.microsoft),
      connection_(std::move(connection)),
      grant_(connection_.credentials, vendor_of(connection_, endpoints_)),
      subscription_(connection_, environment.push_url, mailbox_of(connection_)),
      calendar_(connection_.account) {}

std::vector<std::string> GraphSource::problems() const {
  std::vector<std::string> out = calendar_.calendar().problems;
  if (!subscription_.problem().empty()) out.push_back(subscription_.problem());
  return out;
}

// ---- one sync --------------------------------------------------------------------------------------------------

SourceAction GraphSource::begin(const SyncWindow& window, Instant now, std::string_view entropy) {
  asked_ = window;
  entropy_ = entropy;
  token_refused_ = false;
  waiting_step_ = Step::kIdle;
  restarts_ = subscription_requests_ = requests_ = 0;
  if (connection_.credentials.grant == "client" && mailbox_of(connection_) == "me") {
    return failed({"an app's own sign-in reads no calendar without naming the mailbox: add --user MAILBOX", {}, true}, true);
  }
  whole_wanted_ = subscription_.take_missed() || whole_wanted_;
  choose_round(now);
  return proceed(now);
}

/// What is left of the round before, a round of changes, or a new window.
void GraphSource::choose_round(Instant now) {
  const auto covers = [&](const SyncWindow& w) { return w.from <= asked_.from && asked_.to <= w.to; };
  const auto young = [&](Instant made, Duration life) { return now - made <= life && made <= now + minutes(5); };
  if (round_.running && covers(round_.window) && now - round_.touched <= kUnfinishedLife && (round_.whole || !whole_wanted_)) {
    if (master_waiting_) waiting_step_ = Step::kMaster;
    return;
  }
  if (delta_.empty() || whole_wanted_ || !covers(window_) || !young(window_made_, kWindowLife)) return begin_whole(now);
  round_ = {true, false, window_, now, now, delta_};
  master_waiting_ = false;
  calendar_.begin_round(false);
}

void GraphSource::begin_whole(Instant now) {
  round_ = {true, true, {asked_.from - kBehind, asked_.to + kAhead}, now, now};
  master_waiting_ = false;
  round_.link = first_link(round_.window);
  calendar_.begin_round(true);
}

std::string GraphSource::first_link(const SyncWindow& window) const {
  // Whole seconds: the addresses stay as short as the documents show them.
  const auto text = [](Instant t) { return format_rfc3339(Instant{t.ms - t.ms % 1000}); };
  return endpoints_.graph_root + mailbox_of(connection_) + "/calendarView/delta?" +
         form_encode({{"startDateTime", text(window.from)}, {"endDateTime", text(window.to)}});
}

SourceAction GraphSource::proceed(Instant now) {
  if (waiting_step_ != Step::kIdle) return send(waiting_step_, std::move(waiting_), now);
  if (subscription_requests_ < kMaxSubscriptionRequests) {
    if (auto request = subscription_.next(now, entropy_)) {
      ++subscription_requests_;
      request->url = endpoints_.graph_root + request->url;
      return send(Step::kSubscription, std::move(*request), now);
    }
  }
  if (round_.link.empty()) return after_pages(now);
  HttpRequest request;
  request.url = round_.link;
  return send(Step::kPage, std::move(request), now);
}

SourceAction GraphSource::send(Step step, HttpRequest request, Instant now) {
  waiting_step_ = step;
  waiting_ = std::move(request);
  return grant_.fresh(now) ? send_waiting() : ask_token(now);
}

/// With the token as it is: one that was just given is used however short its life is.
SourceAction GraphSource::send_waiting() {
  step_ = std::exchange(waiting_step_, Step::kIdle);
  HttpRequest request = waiting_;
  request.headers.push_back(grant_.header());
  request.headers.emplace_back("Accept", "application/json");
  // All of them in every call: immutable ids name an event only where they were asked for.
  request.headers.emplace_back("Prefer", "outlook.timezone=\"UTC\", outlook.body-content-type=\"html\", odata.maxpagesize=" +
                                             std::to_string(kPageSize) + ", IdType=\"ImmutableId\"");
  request.headers.emplace_back("client-request-id", request_name(entropy_, requests_++));
  request.follow_redirects = false;
  return SendRequest{std::move(request)};
}

SourceAction GraphSource::ask_token(Instant now) {
  step_ = Step::kToken;
  auto action = grant_.renew(now, entropy_);
  if (auto* failure = std::get_if<SyncFailed>(&action)) return failed(std::move(*failure), false);
  return action;
}

SourceAction GraphSource::signature(const Result<std::string>& signature, Instant) {
  auto action = grant_.signature(signature);
  if (auto* failure = std::get_if<SyncFailed>(&action)) return failed(std::move(*failure), false);
  return action;
}

SourceAction GraphSource::reply(const Result<HttpResponse>& response, Instant now) {
  const Step step = std::exchange(step_, Step::kIdle);
  if (step == Step::kToken) {
    auto action = grant_.reply(response, now);
    if (auto* failure = std::get_if<SyncFailed>(&action)) return failed(std::move(*failure), false);
    return send_waiting();
  }
  if (response && response->status == 401 && !wants_claims(*response) && !std::exchange(token_refused_, true)) {
    // It ended early: revoked, or by another clock.
    waiting_step_ = step;
    grant_.invalidate();
    return ask_token(now);
  }
  if (step == Step::kSubscription) {
    subscription_.reply(response, now);
    return proceed(now);
  }
  if (!response) return failed({response.error().detail}, response.error().code == ErrorClass::kExhausted);
  if (step == Step::kPage && response->status == 200) return page(*response, now);
  if (step == Step::kMaster && (response->status == 200 || response->status == 404)) {
    master_waiting_ = false;
    if (const auto body = Json::parse(response->body); body && response->status == 200) calendar_.add_master(*body);
    return proceed(now);
  }
  return refused(*response, now);
}

SourceAction GraphSource::page(const HttpResponse& response, Instant now) {
  auto body = Json::parse(response.body);
  const Json answer = body ? std::move(*body) : Json();
  const std::string next = answer.text_or("@odata.nextLink");
  const std::string delta = answer.text_or("@odata.deltaLink");
  if (!answer["value"].is_array() || next.empty() == delta.empty())
    return failed({"Microsoft's answer is not the page of a calendar: something between here and there may have changed it"},
                  true);
  if (!is_own(next.empty() ? delta : next))
    return failed({"Microsoft's answer goes on at another host, where the sign-in must not be sent"}, true);
  if (++round_.pages > kMaxPages) return failed({"Microsoft's answer never came to an end"}, true);
  if (auto added = calendar_.add_page(answer["value"], response.body.size()); !added) return failed({added.error().detail}, true);
  round_.touched = now;
  round_.link = next;
  round_.delta = delta;
  return proceed(now);
}

/// The pages are read. What is left to ask is the masters that were not told; then the round is the calendar.
SourceAction GraphSource::after_pages(Instant now) {
  if (const std::string id = calendar_.next_missing_master(); !id.empty()) {
    HttpRequest request;
    request.url = endpoints_.graph_root + mailbox_of(connection_) + "/events/" + percent_encode(id);
    master_waiting_ = true;
    return send(Step::kMaster, std::move(request), now);
  }
  const bool series_removed = calendar_.commit();
  round_.running = false;
  delta_ = std::exchange(round_.delta, {});
  window_ = round_.window;
  if (round_.whole) window_made_ = round_.began;
  whole_wanted_ = series_removed && !round_.whole;
  if (!whole_wanted_) return SyncDone{};
  begin_whole(now);
  return proceed(now);
}

// ---- refusals --------------------------------------------------------------------------------------------------

SourceAction GraphSource::restart(const HttpResponse& response, Instant now) {
  if (++restarts_ > kMaxRestarts)
    return failed({"Microsoft forgets the state of this calendar again and again", minutes(5)}, true);
  const Round lost = round_;
  delta_.clear();
  begin_whole(now);
  // It may say itself where to begin again: with the window of the round that was lost.
  const std::string location(find_header(response.headers, "location"));
  if (!location.empty() && is_own(location)) {
    round_.link = location;
    round_.window = lost.window;
    round_.began = lost.whole ? lost.began : window_made_;
  }
  return proceed(now);
}

SourceAction GraphSource::refused(const HttpResponse& response, Instant now) {
  const std::string code = error_code(response);
  const std::string shown = "status " + std::to_string(response.status) + (code.empty() ? "" : ", " + code);
  const Duration wait = retry_after(response);
  if (is_lost_state(response, code)) return restart(response, now);
  switch (response.status) {
    case 401:
      if (wants_claims(response)) return failed({"Microsoft wants a new sign-in (conditional access)", {}, true}, false);
      return failed({"Microsoft refuses the access token that it has just given (" + shown + ")", wait}, false);
    case 403:
      return failed({"Microsoft does not allow reading this calendar (" + shown +
                         "): the app needs the permission Calendars.Read, and for an app's own sign-in access to this mailbox",
                     wait},
                    true);
    case 404:
      if (code == "MailboxNotEnabledForRESTAPI" || code == "MailboxNotSupportedForRESTAPI")
        return failed({"this account has no mailbox in Exchange Online, so Microsoft has no calendar for it (" + code + ")"},
                      true);
      return failed({"Microsoft knows no such mailbox (" + shown + "): check the name given with --user"}, true);
    case 429: return failed({"Microsoft asks to wait: too many requests for this mailbox", wait}, false);
    case 500:
    case 502:
    case 503:
    case 504: return failed({"Microsoft's service is not available now (" + shown + ")", wait}, false);
    default: return failed({"Microsoft answered with " + shown, wait}, true);
  }
}

/// A round that the answer itself has broken begins anew; one that was only interrupted goes on.
SourceAction GraphSource::failed(SyncFailed failure, bool drop_round) {
  if (drop_round) round_.running = false;
  if (failure.reconnect) failure.detail += ": run `hansard calendar connect microsoft --id " + connection_.id + "`";
  return failure;
}

bool GraphSource::is_own(std::string_view link) const {
  const std::string_view own = url_origin(endpoints_.graph_root);
  std::string_view origin = url_origin(link);
  if (origin.ends_with(":443") && starts_with_ignore_case(origin, "https://")) origin.remove_suffix(4);
  return !own.empty() && (equals_ignore_case(origin, own) || equals_ignore_case(url_origin(link), own)) &&
         link.size() > own.size();
}

}  // namespace hansard::calendar
