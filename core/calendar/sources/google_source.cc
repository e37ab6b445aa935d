#include "core/calendar/sources/google_source.h"

#include <algorithm>
#include <utility>

#include "core/base/encoding.h"
#include "core/base/json.h"
#include "core/calendar/event_reader.h"
#include "core/calendar/sources/google_errors.h"

namespace hansard::calendar {
namespace {

constexpr const char* kPageSize = "250";
/// Pages may be short or empty; beyond this a server never comes to an end.
constexpr int kMaxPages = 1'500;
constexpr std::size_t kMaxChanges = 200'000;
constexpr std::size_t kMaxPageBytes = 32u << 20;
constexpr std::size_t kMaxToken = 8u << 10;
/// All-day events end by the calendar's own zone, and clocks differ.
constexpr Duration kPast = hours(48);

Grant::Vendor vendor(const SourceEnvironment& environment) {
  return {"Google", environment.google.token_url, std::string(kGoogleEventsScope), false};
}

std::string events_url(const Connection& connection, const SourceEnvironment& environment) {
  const std::string calendar = connection.calendar.empty() ? "primary" : connection.calendar;
  return environment.google.api_root + "calendars/" + percent_encode(calendar) + "/events";
}

}  // namespace

GoogleSource::GoogleSource(Connection connection, const SourceEnvironment& environment)
    : connection_(std::move(connection)),
      grant_(connection_.credentials, vendor(environment)),
      events_url_(events_url(connection_, environment)),
      channel_(connection_, events_url_, environment),
      zones_(environment.read_zone) {}

SourceAction GoogleSource::begin(const SyncWindow& window, Instant now, std::string_view entropy) {
  window_ = window;
  entropy_ = entropy;
  resynced_ = token_renewed_ = false;
  channel_.begin();
  whole_ = sync_token_.empty();
  page_token_.clear();
  pages_ = 0;
  changes_.clear();
  round_problems_.clear();
  return grant_.fresh(now) ? send_page() : renew_token(now);
}

SourceAction GoogleSource::renew_token(Instant now) {
  step_ = Step::kToken;
  SourceAction action = grant_.renew(now, entropy_);
  if (auto* f = std::get_if<SyncFailed>(&action)) return failed(google_sign_in_failure(std::move(*f), connection_));
  return action;
}

SourceAction GoogleSource::signature(const Result<std::string>& signature, Instant) {
  SourceAction action = grant_.signature(signature);
  if (auto* f = std::get_if<SyncFailed>(&action)) return failed(google_sign_in_failure(std::move(*f), connection_));
  return action;
}

/// One page. All parameters but the tokens are the same in every call, as the vendor demands for both kinds of token.
SourceAction GoogleSource::send_page() {
  step_ = Step::kPage;
  FormFields query{{"singleEvents", "false"}, {"maxResults", kPageSize}, {"eventTypes", "default"}, {"eventTypes", "fromGmail"}};
  if (whole_) {
    query.emplace_back("timeMin", format_rfc3339(window_.from - kPast));
  } else {
    query.emplace_back("syncToken", sync_token_);
  }
  if (!page_token_.empty()) query.emplace_back("pageToken", page_token_);
  HttpRequest request;
  request.url = events_url_ + "?" + form_encode(query);
  request.headers = {grant_.header(), {"Accept", "application/json"}};
  request.max_bytes = kMaxPageBytes;
  request.follow_redirects = false;
  return SendRequest{std::move(request)};
}

SourceAction GoogleSource::reply(const Result<HttpResponse>& response, Instant now) {
  switch (step_) {
    case Step::kToken: {
      SourceAction action = grant_.reply(response, now);
      if (auto* f = std::get_if<SyncFailed>(&action)) return failed(google_sign_in_failure(std::move(*f), connection_));
      return send_page();
    }
    case Step::kPage:
      if (!response) return failed({response.error().detail});
      return response->status == 200 ? page(*response, now) : refused(*response, now);
    case Step::kChannel: channel_.reply(response, now); return tend_channel(now);
    case Step::kIdle: break;
  }
  return failed({"an answer came that nobody asked for"});
}

SourceAction GoogleSource::page(const HttpResponse& response, Instant now) {
  const auto body = Json::parse(response.body);
  if (!body || !(*body)["items"].is_array()) {
    return failed(
        {"Google's answer is not a list of events: is there a proxy or a sign-in page in between?", retry_after(response)});
  }
  const std::string zone = body->text_or("timeZone");
  for (const Json& item : (*body)["items"].items()) {
    GoogleEvent event = read_google_event(item, zone, zones_, round_problems_);
    if (!event.id.empty()) changes_.push_back(std::move(event));
  }
  const std::string next = body->text_or("nextPageToken");
  if (next.empty()) return finish_round(body->text_or("nextSyncToken"), now);
  if (++pages_ >= kMaxPages || changes_.size() > kMaxChanges || next.size() > kMaxToken) {
    return failed({"Google's list of events never came to an end"});
  }
  page_token_ = next;
  return send_page();
}

SourceAction GoogleSource::refused(const HttpResponse& response, Instant now) {
  if (response.status == 401 && !std::exchange(token_renewed_, true)) {
    grant_.invalidate();
    return renew_token(now);
  }
  // A sync token dies by age and by changes of access; a damaged one is refused as a bad request.
  const bool token_dead = response.status == 410 || (response.status == 400 && !whole_);
  if (token_dead && !std::exchange(resynced_, true)) return read_all();
  return failed(google_failure(response, connection_));
}

/// Begins anew without the token and without what was read with it.
SourceAction GoogleSource::read_all() {
  sync_token_.clear();
  whole_ = true;
  page_token_.clear();
  pages_ = 0;
  changes_.clear();
  round_problems_.clear();
  return send_page();
}

/// Token and data change together, and only here.
SourceAction GoogleSource::finish_round(std::string sync_token, Instant now) {
  calendar_.apply(std::exchange(changes_, {}), whole_, window_.from - kPast);
  if (whole_) read_problems_.clear();
  for (std::string& problem : round_problems_) {
    if (std::find(read_problems_.begin(), read_problems_.end(), problem) == read_problems_.end()) {
      note_problem(read_problems_, std::move(problem));
    }
  }
  sync_token_ = sync_token.size() <= kMaxToken ? std::move(sync_token) : "";
  return tend_channel(now);
}

SourceAction GoogleSource::tend_channel(Instant now) {
  if (auto request = channel_.next(now, entropy_)) {
    step_ = Step::kChannel;
    request->headers.push_back(grant_.header());
    return SendRequest{std::move(*request)};
  }
  step_ = Step::kIdle;
  return SyncDone{};
}

SourceAction GoogleSource::failed(SyncFailed failure) {
  step_ = Step::kIdle;
  changes_.clear();
  return failure;
}

std::vector<std::string> GoogleSource::problems() const {
  std::vector<std::string> out;
  if (!channel_.problem().empty()) out.push_back(channel_.problem());
  for (const auto* list : {&calendar_.problems(), &read_problems_}) out.insert(out.end(), list->begin(), list->end());
  if (out.size() > 10) out.resize(10);
  return out;
}

}  // namespace hansard::calendar
