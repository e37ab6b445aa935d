#include "core/calendar/sources/feed_source.h"

#include "core/base/text.h"

namespace hansard::calendar {
namespace {

/// webcal is a name for http that makes browsers open the calendar program; servers speak https.
std::string address(const std::string& url) {
  return starts_with_ignore_case(url, "webcal://") ? "https://" + url.substr(9) : url;
}

}  // namespace

SourceAction FeedSource::begin(const SyncWindow&, Instant, std::string_view) {
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
  if (response->status != 200) {
    const bool address_wrong = response->status == 404 || response->status == 401 || response->status == 403;
    return SyncFailed{"the calendar's server answered with status " + std::to_string(response->status) +
                          (address_wrong ? ": check the address" : ""),
                      retry_after(*response)};
  }
  auto calendar = read_calendar(response->body);
  if (!calendar) return SyncFailed{calendar.error().detail};
  calendar_ = std::move(*calendar);
  read_ = true;
  etag_ = find_header(response->headers, "etag");
  last_modified_ = find_header(response->headers, "last-modified");
  return SyncDone{};
}

}  // namespace hansard::calendar
