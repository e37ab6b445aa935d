#include "core/calendar/sources/feed_source.h"

#include <algorithm>
#include <cstdlib>
#include <map>

#include "core/base/hash.h"
#include "core/base/text.h"

namespace hansard::calendar {
namespace {

/// webcal is a name for http that makes browsers open the calendar program; servers speak https.
std::string address(const std::string& url) {
  return starts_with_ignore_case(url, "webcal://") ? "https://" + url.substr(9) : url;
}

/// SHA-256 of the lines without DTSTAMP, which some servers write anew with every download, and without line ends.
std::string content_fingerprint(std::string_view text) {
  std::string kept;
  kept.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    at = end + 1;
    while (line.ends_with('\r')) line.remove_suffix(1);
    if (starts_with_ignore_case(line, "DTSTAMP:") || starts_with_ignore_case(line, "DTSTAMP;")) continue;
    kept.append(line).push_back('\n');
  }
  return sha256_hex(kept);
}

/// A transfer that broke off unnoticed (no Content-Length, or a producer that died) would look as if events were deleted.
bool is_whole(std::string_view text) {
  text = trim(text);
  constexpr std::string_view kEnd = "END:VCALENDAR";
  return text.size() >= kEnd.size() && equals_ignore_case(text.substr(text.size() - kEnd.size()), kEnd);
}

constexpr Duration kPastKept = hours(48);

/// Feeds go back for years, and windows only move on: single events that were over long before `from` are not kept. Of a UID that
/// occurs more than once everything is, since its versions decide about each other.
void drop_past(Calendar& calendar, Instant from) {
  const WallSeconds before = (from - kPastKept).ms / 1000;
  std::map<std::string_view, int> uses;
  for (const VEvent& e : calendar.events) ++uses[e.uid];
  const auto past = [&](const VEvent& e) {
    if (!e.rules.empty() || !e.rdates.empty() || e.recurrence_id || (!e.uid.empty() && uses[e.uid] > 1)) return false;
    const WallSeconds length = e.duration ? std::abs(e.duration->days) * kDaySeconds + std::abs(e.duration->seconds) : 0;
    return std::max(e.start.wall, e.end.wall) + length + 2 * kDaySeconds < before;  // zones differ by a day, a date lasts one
  };
  std::vector<std::size_t> wanted;
  for (std::size_t i = 0; i < calendar.events.size(); ++i) {
    if (!past(calendar.events[i])) wanted.push_back(i);
  }
  std::vector<VEvent> kept;
  kept.reserve(wanted.size());
  for (const std::size_t i : wanted) kept.push_back(std::move(calendar.events[i]));
  calendar.events = std::move(kept);
}

std::string refusal(int status) {
  const std::string code = " (status " + std::to_string(status) + ")";
  if (status == 401 || status == 403)
    return "the feed's server wants a sign-in or refuses" + code + ": take the feed's private address anew from its calendar";
  if (status == 404 || status == 410) return "there is no feed at this address any longer" + code + ": check the address";
  if (status == 429) return "the feed's server asks for fewer requests" + code;
  if (status >= 500) return "the feed's server has a fault" + code;
  return "the feed's server gave no calendar" + code + ": check the address";
}

}  // namespace

SourceAction FeedSource::begin(const SyncWindow& window, Instant, std::string_view) {
  // A clock that was set back asks for what is not there any more.
  if (window.from < over_before_) read_ = false;
  from_ = window.from;
  HttpRequest request;
  request.url = address(connection_.calendar);
  request.max_bytes = ReadLimits{}.max_bytes;
  request.headers.emplace_back("Accept", "text/calendar, */*;q=0.5");
  if (read_ && !etag_.empty()) request.headers.emplace_back("If-None-Match", etag_);
  if (read_ && !last_modified_.empty()) request.headers.emplace_back("If-Modified-Since", last_modified_);
  return SendRequest{std::move(request)};
}

SourceAction FeedSource::reply(const Result<HttpResponse>& response, Instant) {
  if (!response) return SyncFailed{response.error().detail};
  if (response->status == 304 && read_) return SyncDone{};
  if (response->status != 200) return SyncFailed{refusal(response->status), retry_after(*response)};
  std::string etag(find_header(response->headers, "etag"));
  std::string last_modified(find_header(response->headers, "last-modified"));
  std::string fingerprint;
  if (etag.empty() && last_modified.empty()) {
    fingerprint = content_fingerprint(response->body);
    if (read_ && fingerprint == fingerprint_) return SyncDone{};
  }
  auto calendar = read_calendar(response->body);
  if (!calendar) return SyncFailed{calendar.error().detail};
  if (!is_whole(response->body)) {
    return SyncFailed{"the feed ends in the middle (its last line is not END:VCALENDAR); what was read before is kept"};
  }
  drop_past(*calendar, from_);
  calendar_ = std::move(*calendar);
  over_before_ = from_ - kPastKept;
  read_ = true;
  etag_ = std::move(etag);
  last_modified_ = std::move(last_modified);
  fingerprint_ = std::move(fingerprint);
  return SyncDone{};
}

}  // namespace hansard::calendar
