#include "core/calendar/sources/caldav_source.h"

#include <algorithm>

namespace hansard::calendar {
namespace {

constexpr std::size_t kBatch = 50;
constexpr int kMaxRedirects = 5;
constexpr int kMaxRounds = 1'000;
constexpr int kMaxRestarts = 3;
constexpr std::size_t kMaxResources = 200'000;
/// Wall times are compared without their zone: zones are at most 14 hours off, and days may be long.
constexpr WallSeconds kZoneMargin = 2 * kDaySeconds;
constexpr WallSeconds kDay = kDaySeconds;

WallSeconds last_second(const VEvent& e) {
  if (e.end) return std::max(e.end.wall, e.start.wall);
  if (e.duration) return e.start.wall + std::max<std::int64_t>(0, e.duration->days * kDay + e.duration->seconds);
  return e.start.wall + kDay;
}

/// Can anything of it lie at or after `from`?
bool matters(const Calendar& calendar, Instant from) {
  return std::any_of(calendar.events.begin(), calendar.events.end(), [&](const VEvent& e) {
    return !e.rules.empty() || !e.rdates.empty() || last_second(e) + kZoneMargin >= from.ms / 1000;
  });
}

bool is_redirect(int status) { return status == 301 || status == 302 || status == 303 || status == 307 || status == 308; }

}  // namespace

std::string CalDavSource::reconnect_advice() const { return "run `hansard calendar connect caldav --id " + connection_.id + "`"; }

SourceAction CalDavSource::begin(const SyncWindow& window, Instant, std::string_view) {
  if (window.from < window_.from - hours(24)) {
    // The clock was set back: what was over, and so dropped, may lie ahead again.
    token_.clear();
    ctag_.clear();
    std::erase_if(resources_, [](const auto& r) { return !r.second.calendar; });
  }
  window_ = window;
  auto url = read_dav_url(connection_.calendar);
  if (!url) return SyncFailed{url.error().detail + "; " + reconnect_advice(), {}, true};
  url_ = std::move(*url);
  redirects_ = 0;
  rounds_ = 0;
  restarts_ = 0;
  batch_ = kBatch;
  full_ = foreign_ = false;
  next_token_.clear();
  seen_.clear();
  gone_.clear();
  next_missed_.clear();
  wanted_ = missed_;
  if (!token_.empty()) {
    next_token_ = token_;
    return changes();
  }
  return look();
}

SourceAction CalDavSource::send(Step step, std::string method, int depth, std::string body) {
  step_ = step;
  sent_ = dav_request(std::move(method), url_, depth, std::move(body), connection_.credentials);
  return SendRequest{sent_};
}

SourceAction CalDavSource::look() {
  return send(
      Step::kLook, "PROPFIND", 0,
      propfind_body(
          {{kDavNs, "resourcetype"}, {kDavNs, "supported-report-set"}, {kDavNs, "sync-token"}, {kCalendarServerNs, "getctag"}}));
}

SourceAction CalDavSource::changes() { return send(Step::kChanges, "REPORT", 0, sync_collection_body(next_token_)); }

SourceAction CalDavSource::list() {
  return send(Step::kList, "PROPFIND", 1, propfind_body({{kDavNs, "getetag"}, {kDavNs, "resourcetype"}}));
}

SourceAction CalDavSource::fetch() {
  if (wanted_.empty()) return finish();
  asked_.clear();
  std::vector<std::string> hrefs;
  while (!wanted_.empty() && hrefs.size() < batch_) {
    auto node = wanted_.extract(wanted_.begin());
    hrefs.push_back(node.mapped());
    asked_.insert(std::move(node));
  }
  // RFC 4791, 7.9: the request's Depth has no meaning; some servers want it to be there.
  return send(Step::kFetch, "REPORT", 1, multiget_body(hrefs));
}

SourceAction CalDavSource::reply(const Result<HttpResponse>& response, Instant) {
  if (!response) {
    if (response.error().code == ErrorClass::kExhausted && step_ == Step::kFetch) return fetch_less();
    return SyncFailed{response.error().detail};
  }
  if (is_redirect(response->status)) return redirected(*response);
  const bool no = (response->status >= 400 && response->status < 500) || response->status == 501;
  if (step_ == Step::kChanges && no) return changes_refused(*response);
  if (response->status != 207) return refused(*response);
  auto answer = read_multistatus(response->body);
  if (!answer) {
    if (answer.error().code == ErrorClass::kExhausted && step_ == Step::kFetch) return fetch_less();
    return SyncFailed{"the server's answer cannot be read: " + answer.error().detail};
  }
  switch (step_) {
    case Step::kLook: return looked(*answer);
    case Step::kChanges: return changed(*answer);
    case Step::kList: return listed(*answer);
    case Step::kFetch: break;
  }
  return fetched(*answer);
}

/// A redirect within the server is followed with the same method and body. The password goes to no other server: whoever
/// moves a calendar elsewhere must connect it again.
SourceAction CalDavSource::redirected(const HttpResponse& response) {
  if (++redirects_ > kMaxRedirects) return SyncFailed{"the server redirects in circles"};
  const auto from = read_dav_url(sent_.url);
  const auto target = resolve_href(*from, find_header(response.headers, "location"));
  if (!target) return SyncFailed{"the server redirects to an address that cannot be read"};
  if (target->origin != url_.origin) {
    return SyncFailed{"the calendar has moved to another server: " + reconnect_advice() + " with its new address"};
  }
  sent_.url = target->text();
  return SendRequest{sent_};
}

SourceAction CalDavSource::refused(const HttpResponse& response) const {
  const std::string status = " (status " + std::to_string(response.status) + ")";
  if (response.status == 401) {
    return SyncFailed{
        "the server does not accept the user name or the password any longer" + status + ": " + reconnect_advice(), {}, true};
  }
  if (response.status == 403) return SyncFailed{"this user may not read the calendar" + status, retry_after(response)};
  if (response.status == 404 || response.status == 410) {
    return SyncFailed{
        "the calendar is no longer on the server" + status + ": if it was moved, " + reconnect_advice() + " with its new address",
        retry_after(response)};
  }
  if (response.status == 200) return SyncFailed{"the server does not answer as a CalDAV server" + status + ": check the address"};
  if (response.status == 429) return SyncFailed{"the server asks for fewer requests" + status, retry_after(response)};
  return SyncFailed{"the calendar's server answered with an error" + status, retry_after(response)};
}

/// A token that the server does not know any longer is 403 or 409 with DAV:valid-sync-token (RFC 6578, 3.2), but other codes
/// are about. Whatever it is: all is read anew, and if that is refused as well, without tokens.
SourceAction CalDavSource::changes_refused(const HttpResponse& response) {
  if (response.status == 401 || response.status == 404 || response.status == 410 || response.status == 429)
    return refused(response);
  if (next_token_.empty()) sync_refused_ = true;
  if (++restarts_ > kMaxRestarts) return refused(response);
  token_.clear();
  next_token_.clear();
  return look();
}

SourceAction CalDavSource::looked(const Multistatus& answer) {
  const auto itself = std::find_if(answer.responses.begin(), answer.responses.end(), [&](const DavResponse& r) {
    const auto url = resolve_href(url_, r.href);
    return url && url->key() == url_.key();
  });
  if (itself == answer.responses.end() && answer.responses.size() != 1) {
    return SyncFailed{"the server says nothing about this calendar: check the address"};
  }
  const DavResponse& found = itself == answer.responses.end() ? answer.responses.front() : *itself;
  if (found.status == 404) return refused({404, {}, {}});
  if (!is_calendar(found.props)) {
    return SyncFailed{"there is no calendar at this address: " + reconnect_advice() + " with the server's address"};
  }
  start_full();
  if (!sync_refused_ && can_sync(found.props)) {
    next_token_.clear();
    return changes();
  }
  next_ctag_ = found.props.child_text(kCalendarServerNs, "getctag");
  if (!next_ctag_.empty() && next_ctag_ == ctag_ && missed_.empty()) {
    full_ = false;
    return finish();
  }
  return list();
}

void CalDavSource::start_full() {
  full_ = true;
  seen_.clear();
  gone_.clear();
  wanted_ = missed_;
}

bool CalDavSource::member(const DavResponse& response, std::string& key) {
  const auto url = resolve_href(url_, response.href);
  if (!url || url->origin != url_.origin) {
    foreign_ = true;
    return false;
  }
  key = url->key();
  // A collection inside this one is not read; its href ends with a slash (RFC 4918, 5.2) or says what it is.
  const XmlElement* type = response.props.child(kDavNs, "resourcetype");
  return key != url_.key() && !url->path.ends_with('/') && (type == nullptr || type->child(kDavNs, "collection") == nullptr);
}

void CalDavSource::see(const std::string& key, const DavResponse& response) {
  gone_.erase(key);
  seen_.insert(key);
  const std::string_view etag = response.props.child_text(kDavNs, "getetag");
  const auto same = [&](const std::map<std::string, Resource>& known) {
    const auto it = known.find(key);
    return it != known.end() && !etag.empty() && it->second.etag == etag;
  };
  if (same(staged_)) return;
  staged_.erase(key);
  if (same(resources_) && !missed_.contains(key)) return;
  wanted_.insert_or_assign(key, response.href);
}

SourceAction CalDavSource::changed(const Multistatus& answer) {
  bool truncated = false;
  for (const DavResponse& r : answer.responses) {
    truncated = truncated || r.status == 507;
    std::string key;
    if (r.status == 507 || !member(r, key)) continue;
    if (r.status == 404 || r.status == 410) {
      gone_.insert(key);
      seen_.erase(key);
      wanted_.erase(key);
      staged_.erase(key);
    } else if (r.status < 400) {
      see(key, r);
    }
  }
  if (seen_.size() > kMaxResources) return SyncFailed{"the calendar has more entries than the limit"};
  const bool moved = !answer.sync_token.empty() && answer.sync_token != next_token_;
  next_token_ = answer.sync_token;
  if (!truncated) return fetch();
  if (!moved || ++rounds_ > kMaxRounds) return SyncFailed{"the server cuts its list of changes short and does not go on with it"};
  return changes();
}

SourceAction CalDavSource::listed(const Multistatus& answer) {
  for (const DavResponse& r : answer.responses) {
    std::string key;
    if (r.status < 400 && member(r, key)) see(key, r);
  }
  if (seen_.size() > kMaxResources) return SyncFailed{"the calendar has more entries than the limit"};
  return fetch();
}

CalDavSource::Resource CalDavSource::read(const DavResponse& response) const {
  Resource out;
  out.etag = response.props.child_text(kDavNs, "getetag");
  auto calendar = read_calendar(response.props.child(kCalDavNs, "calendar-data")->text);
  out.broken = !calendar || (calendar->events.empty() && !calendar->problems.empty());
  if (!out.broken && matters(*calendar, window_.from)) {
    out.calendar = std::make_unique<const Calendar>(std::move(*calendar));
  }
  return out;
}

SourceAction CalDavSource::fetched(Multistatus& answer) {
  for (const DavResponse& r : answer.responses) {
    std::string key;
    if (!member(r, key) || !asked_.contains(key)) continue;
    if (r.status == 404 || r.status == 410) {
      gone_.insert(key);
      asked_.erase(key);
    } else if (r.status < 400 && r.props.child(kCalDavNs, "calendar-data") != nullptr) {
      staged_.insert_or_assign(key, read(r));
      asked_.erase(key);
    }
  }
  next_missed_.merge(asked_);
  return fetch();
}

/// The answer was too large: fewer at a time, and one that is too large alone is left out.
SourceAction CalDavSource::fetch_less() {
  if (batch_ == 1) {
    for (const auto& [key, href] : asked_) staged_.insert_or_assign(key, Resource{{}, nullptr, true});
  } else {
    wanted_.merge(asked_);
    batch_ = std::max<std::size_t>(1, batch_ / 4);
  }
  return fetch();
}

SourceAction CalDavSource::finish() {
  for (const std::string& key : gone_) resources_.erase(key);
  if (full_) std::erase_if(resources_, [&](const auto& r) { return !seen_.contains(r.first); });
  for (auto& [key, resource] : staged_) {
    // One that an earlier, failed sync fetched may be gone by now without ever having been listed again.
    const bool current = seen_.contains(key) || missed_.contains(key);
    if (!current || gone_.contains(key)) continue;
    Resource& known = resources_[key];
    if (resource.broken) resource.calendar = std::move(known.calendar);  // the last version that could be read
    known = std::move(resource);
  }
  staged_.clear();
  for (auto& [key, resource] : resources_) {
    if (resource.calendar && !matters(*resource.calendar, window_.from)) resource.calendar.reset();
  }
  missed_ = std::move(next_missed_);
  token_ = next_token_;
  ctag_ = next_ctag_;
  return SyncDone{};
}

std::vector<const Calendar*> CalDavSource::documents() const {
  std::vector<const Calendar*> out;
  for (const auto& [key, resource] : resources_) {
    if (resource.calendar) out.push_back(resource.calendar.get());
  }
  return out;
}

std::vector<std::string> CalDavSource::problems() const {
  std::vector<std::string> out;
  const auto broken = std::count_if(resources_.begin(), resources_.end(), [](const auto& r) { return r.second.broken; });
  if (broken > 0) out.push_back(std::to_string(broken) + " entries of the calendar cannot be read; the others are followed");
  if (!missed_.empty()) {
    out.push_back(std::to_string(missed_.size()) + " entries were named by the server and not given; they are asked for again");
  }
  if (foreign_) out.emplace_back("the server names entries of another server; they are not read");
  return out;
}

}  // namespace hansard::calendar
