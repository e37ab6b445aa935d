#include "host/calendar_reader.h"

#include <utility>

#include "core/base/text.h"
#include "core/calendar/event.h"
#include "core/calendar/expand.h"
#include "core/calendar/invite.h"

namespace hansard::host {
namespace {

constexpr std::size_t kMaxFeedBytes = 32u << 20;
constexpr Duration kLongestRetryAfter = hours(6);

std::string header(const HttpResponse& r, std::string_view name) {
  for (const auto& [n, v] : r.headers) {
    if (equals_ignore_case(n, name)) return v;
  }
  return {};
}

/// Retry-After in seconds (RFC 9110, 10.2.3); its date form counts as none, our own backoff serves.
Duration retry_after(const HttpResponse& r) {
  std::int64_t n = 0;
  if (!parse_digits(trim(header(r, "retry-after")), n)) return {};
  return std::min(seconds(n), kLongestRetryAfter);
}

/// webcal is a name for http that makes browsers open the calendar program; servers speak https.
std::string address(const std::string& url) {
  return starts_with_ignore_case(url, "webcal://") ? "https://" + url.substr(9) : url;
}

}  // namespace

void CalendarReader::fetch(const flow::FetchCalendar& effect, std::function<void(flow::Event)> done) {
  const std::string url = address(effect.source.url);
  if (!starts_with_ignore_case(url, "http://") && !starts_with_ignore_case(url, "https://")) {
    const auto bytes = ports_.files.read(url, kMaxFeedBytes);
    return done(bytes ? expand(effect, *bytes) : flow::CalendarFailed{bytes.error().detail, {}});
  }
  HttpRequest request;
  request.url = url;
  request.max_bytes = kMaxFeedBytes;
  request.headers.emplace_back("Accept", "text/calendar, */*;q=0.5");
  if (const auto it = cache_.find(effect.source.id); it != cache_.end()) {
    if (!it->second.etag.empty()) request.headers.emplace_back("If-None-Match", it->second.etag);
    if (!it->second.last_modified.empty()) request.headers.emplace_back("If-Modified-Since", it->second.last_modified);
  }
  ports_.http.send(std::move(request), [this, effect, done = std::move(done)](const Result<HttpResponse>& response) {
    done(answer(effect, response));
  });
}

flow::Event CalendarReader::answer(const flow::FetchCalendar& effect, const Result<HttpResponse>& response) {
  if (!response) return flow::CalendarFailed{response.error().detail, {}};
  const auto cached = cache_.find(effect.source.id);
  if (response->status == 304 && cached != cache_.end()) return expand(effect, cached->second.body);
  if (response->status != 200) {
    const std::string detail = "the calendar's server answered with status " + std::to_string(response->status);
    return flow::CalendarFailed{
        response->status == 404 || response->status == 401 || response->status == 403 ? detail + ": check the address" : detail,
        retry_after(*response)};
  }
  flow::Event event = expand(effect, response->body);
  if (std::holds_alternative<flow::CalendarFetched>(event)) {
    cache_[effect.source.id] = {header(*response, "etag"), header(*response, "last-modified"), response->body};
  }
  return event;
}

flow::Event CalendarReader::expand(const flow::FetchCalendar& effect, const std::string& body) const {
  const auto calendar = calendar::read_calendar(body);
  if (!calendar) return flow::CalendarFailed{calendar.error().detail, {}};
  calendar::ZoneTable zones = calendar::load_zones(*calendar, config_.read_zone);
  if (zones.find(config_.local_zone) == nullptr && config_.read_zone) {
    if (const auto bytes = config_.read_zone(config_.local_zone)) static_cast<void>(zones.add(config_.local_zone, *bytes));
  }
  calendar::ExpandLimits limits;
  limits.local_zone = zones.find(config_.local_zone);
  const auto expansion = calendar::expand(*calendar, effect.from, effect.to, zones, limits);
  if (!expansion) return flow::CalendarFailed{expansion.error().detail, {}};
  calendar::InviteConfig invites;
  invites.generic_hosts = config_.generic_hosts;
  flow::CalendarFetched fetched{effect.from, effect.to, {}};
  for (const auto& o : expansion->occurrences) {
    if (o.all_day()) continue;  // nobody joins a day
    const calendar::VEvent& event = calendar->events[o.event];
    flow::SeenOccurrence seen;
    // An event that stands alone is the same one wherever it is moved to; an instance of a series is named by its
    // original start.
    const bool alone = event.rules.empty() && event.rdates.empty() && !event.recurrence_id;
    seen.key = alone && !o.uid.empty() ? o.uid : o.key;
    seen.original_start = o.original_start;
    seen.cancelled = o.cancelled;
    for (const std::string& own : config_.own_addresses) {
      const calendar::Attendee* me = calendar::find_attendee(event, own);
      seen.declined = seen.declined || (me != nullptr && me->partstat == "DECLINED");
    }
    const auto invite = calendar::find_invite(event, invites);
    seen.spec.title = o.summary;
    seen.spec.start = o.start;
    seen.spec.end = o.end;
    seen.spec.source = effect.source.id;
    if (invite) {
      seen.spec.platform = invite.platform;
      seen.spec.url = invite.url.value_or("");
      seen.spec.meeting_key = invite.meeting_id.value_or(seen.spec.url);
      seen.spec.passcode = invite.passcode.value_or("");
    }
    fetched.occurrences.push_back(std::move(seen));
  }
  return fetched;
}

}  // namespace hansard::host
