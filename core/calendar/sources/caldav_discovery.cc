#include "core/calendar/sources/caldav_discovery.h"

#include "core/base/text.h"

namespace hansard::calendar {
namespace {

constexpr int kMaxRedirects = 10;
constexpr std::size_t kMaxHomes = 8;
constexpr std::size_t kMaxCalendars = 1'000;

/// Every step asks for the same: what is there decides how to go on.
std::string questions() {
  return propfind_body({{kDavNs, "resourcetype"},
                        {kDavNs, "displayname"},
                        {kDavNs, "current-user-principal"},
                        {kCalDavNs, "calendar-home-set"},
                        {kCalDavNs, "calendar-user-address-set"},
                        {kCalDavNs, "supported-calendar-component-set"}});
}

FoundCalendar calendar_of(const DavUrl& url, const XmlElement& props) {
  FoundCalendar out{url.text(), std::string(props.child_text(kDavNs, "displayname"))};
  if (out.name.empty()) {
    const std::string key = url.key();
    out.name = key.substr(key.rfind('/') + 1);
  }
  return out;
}

}  // namespace

DiscoveryAction CalDavDiscovery::begin() {
  const bool server_alone = start_.path == "/";
  // Probed from the end.
  places_ = {DavUrl{start_.origin, "/"}, DavUrl{start_.origin, "/.well-known/caldav"}};
  if (!server_alone) places_.push_back(start_);
  return next_place();
}

DiscoveryAction CalDavDiscovery::send(Step step, DavUrl url, int depth) {
  step_ = step;
  at_ = std::move(url);
  depth_ = depth;
  return SendRequest{dav_request("PROPFIND", at_, depth, questions(), credentials_)};
}

DiscoveryAction CalDavDiscovery::next_place() {
  if (places_.empty()) {
    return SyncFailed{"no CalDAV calendars were found at this server (last status " + std::to_string(last_status_) +
                      "): give the CalDAV address that its provider names"};
  }
  const DavUrl place = places_.back();
  places_.pop_back();
  redirects_ = 0;
  return send(Step::kProbe, place, 0);
}

bool CalDavDiscovery::may_go(const DavUrl& target) const {
  return target.origin == at_.origin || (target.https() && at_.https());
}

DiscoveryAction CalDavDiscovery::reply(const Result<HttpResponse>& response) {
  if (!response) return SyncFailed{response.error().detail};
  last_status_ = response->status;
  if (response->status >= 300 && response->status < 400) return redirected(*response);
  if (response->status == 401) {
    return SyncFailed{"the server does not accept the user name or the password (some want a password made for apps)", {}, true};
  }
  if (response->status == 429 || response->status >= 500) {
    return SyncFailed{"the server answered with status " + std::to_string(response->status) + ": try again later",
                      retry_after(*response)};
  }
  auto answer = response->status == 207 ? read_multistatus(response->body) : fail(ErrorClass::kNotFound, "caldav", "");
  if (!answer) {
    if (step_ == Step::kProbe) return next_place();
    return SyncFailed{"the server's answer cannot be read (status " + std::to_string(response->status) +
                      "): " + (answer.error().detail.empty() ? "it is no WebDAV answer" : answer.error().detail)};
  }
  if (step_ == Step::kHome) return home(*answer);
  if (answer->responses.empty()) return next_place();
  return step_ == Step::kProbe ? probed(*answer) : principal(*answer);
}

DiscoveryAction CalDavDiscovery::redirected(const HttpResponse& response) {
  if (++redirects_ > kMaxRedirects) return SyncFailed{"the server redirects in circles"};
  const auto target = resolve_href(at_, find_header(response.headers, "location"));
  if (!target) return step_ == Step::kProbe ? next_place() : SyncFailed{"the server redirects to an address that cannot be read"};
  if (!may_go(*target)) return SyncFailed{"the server sends us to another one without https, which is not followed"};
  return send(step_, *target, depth_);
}

void CalDavDiscovery::take_account(const XmlElement& props) {
  const XmlElement* set = props.child(kCalDavNs, "calendar-user-address-set");
  if (set == nullptr) return;
  for (const XmlElement& address : set->children) {
    const std::string_view text = trim(address.text);
    if (found_.account.empty() && starts_with_ignore_case(text, "mailto:")) found_.account = text.substr(7);
  }
}

bool CalDavDiscovery::take_homes(const XmlElement& props) {
  const XmlElement* set = props.child(kCalDavNs, "calendar-home-set");
  if (set == nullptr) return false;
  for (const XmlElement& href : set->children) {
    auto url = resolve_href(at_, href.text);
    if (url && may_go(*url) && homes_.size() < kMaxHomes && listed_.insert(url->origin + url->key()).second) {
      homes_.insert(homes_.begin(), std::move(*url));
    }
  }
  return !homes_.empty();
}

DiscoveryAction CalDavDiscovery::probed(const Multistatus& answer) {
  const XmlElement& props = answer.responses.front().props;
  take_account(props);
  if (is_calendar(props)) {
    if (!holds_events(props)) return SyncFailed{"the calendar at this address holds no events (tasks or notes alone)"};
    found_.calendars = {calendar_of(at_, props)};
    return found_;
  }
  if (take_homes(props)) return next_home();
  const auto url = resolve_href(at_, href_of(props, kDavNs, "current-user-principal"));
  if (!url) return next_place();
  if (!may_go(*url)) return SyncFailed{"the server sends us to another one without https, which is not followed"};
  return send(Step::kPrincipal, *url, 0);
}

DiscoveryAction CalDavDiscovery::principal(const Multistatus& answer) {
  const XmlElement& props = answer.responses.front().props;
  take_account(props);
  if (take_homes(props)) return next_home();
  return SyncFailed{"the server names no calendars for this user: is it allowed to use CalDAV?"};
}

DiscoveryAction CalDavDiscovery::next_home() {
  if (homes_.empty()) return found_;
  const DavUrl place = homes_.back();
  homes_.pop_back();
  redirects_ = 0;
  return send(Step::kHome, place, 1);
}

DiscoveryAction CalDavDiscovery::home(const Multistatus& answer) {
  for (const DavResponse& r : answer.responses) {
    const auto url = resolve_href(at_, r.href);
    if (!url || !may_go(*url) || !is_calendar(r.props) || !holds_events(r.props)) continue;
    if (found_.calendars.size() < kMaxCalendars) found_.calendars.push_back(calendar_of(*url, r.props));
  }
  return next_home();
}

}  // namespace hansard::calendar
