#include "sim/web.h"

#include <algorithm>

#include "core/base/text.h"
#include "sim/rooms.h"

namespace hansard::sim {
namespace {

/// "20250304T100000Z"
std::string ical_time(Instant t) {
  std::string out;
  for (const char c : format_rfc3339(Instant{t.ms / 1000 * 1000})) {
    if (c != '-' && c != ':') out += c;
  }
  return out;
}

}  // namespace

Web::Web(World& world, const Scenario& scenario) : world_(world), scenario_(scenario), entries_(scenario.entries) {
  for (const Edit& edit : scenario.edits) {
    world_.at(edit.at, [this, &edit] {
      entries_[edit.entry] = edit.now;
      ++version_;
      ++world_.faults[edit.kind];
    });
  }
}

std::string Web::feed() const {
  std::string out = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//hansard//sim//EN\r\n";
  for (const Entry& e : entries_) {
    if (e.removed) continue;
    out += "BEGIN:VEVENT\r\nUID:" + e.uid + "\r\nDTSTAMP:20250101T000000Z\r\nDTSTART:" + ical_time(e.start) +
           "\r\nDTEND:" + ical_time(e.end) + "\r\nSUMMARY:" + e.title + "\r\nLOCATION:" + Rooms::url_of(scenario_.rooms[e.room]) +
           "\r\n";
    if (e.cancelled) out += "STATUS:CANCELLED\r\n";
    out += "END:VEVENT\r\n";
  }
  return out + "END:VCALENDAR\r\n";
}

HttpResponse Web::answer(const HttpRequest& request) const {
  if (request.url != kFeed) {
    const bool known = std::any_of(scenario_.rooms.begin(), scenario_.rooms.end(),
                                   [&](const Room& r) { return Rooms::url_of(r) == request.url; });
    return {known ? 204 : 404, {}, {}};
  }
  const std::string etag = "\"" + std::to_string(version_) + "\"";
  for (const auto& [name, value] : request.headers) {
    // Truncation must have something to cut.
    if (!on(Fault::kHttpTruncated) && equals_ignore_case(name, "if-none-match") && value == etag)
      return {304, {{"etag", etag}}, {}};
  }
  if (on(Fault::kFeedBroken))
    return {200, {{"content-type", "text/html"}}, std::string("<html>Please log in to see ") + kCanaryWord + "</html>"};
  return {200, {{"etag", etag}}, feed()};
}

void Web::send(HttpRequest request, std::function<void(Result<HttpResponse>)> done) {
  Duration delay = milliseconds(world_.rng.between(20, 400));
  if (on(Fault::kHttpUnreachable)) {
    ++world_.faults[Fault::kHttpUnreachable];
    return world_.for_daemon(request.timeout, [done] { done(fail(ErrorClass::kUnavailable, "http", "no answer in time")); });
  }
  if (on(Fault::kHttpSlow)) {
    ++world_.faults[Fault::kHttpSlow];
    delay = request.timeout - seconds(1);
  }
  if (on(Fault::kHttpNoName)) {
    ++world_.faults[Fault::kHttpNoName];
    return world_.for_daemon(milliseconds(5), [done] { done(fail(ErrorClass::kUnavailable, "http", "no such host")); });
  }
  if (on(Fault::kHttpReset) || world_.must_fail()) {
    ++world_.faults[Fault::kHttpReset];
    return world_.for_daemon(delay, [done] { done(fail(ErrorClass::kUnavailable, "http", "connection reset")); });
  }
  HttpResponse response = answer(request);
  if (on(Fault::kHttpTruncated) && request.url == kFeed && response.status == 200) {
    ++world_.faults[Fault::kHttpTruncated];
    response.body.resize(response.body.size() / 2);
  }
  if (on(Fault::kFeedBroken) && request.url == kFeed) ++world_.faults[Fault::kFeedBroken];
  if (on(Fault::kHttpServerError)) {
    ++world_.faults[Fault::kHttpServerError];
    response = {500, {}, std::string("oops: ") + kCanaryWord};
  } else if (on(Fault::kHttpRetryAfter)) {
    ++world_.faults[Fault::kHttpRetryAfter];
    response = {503, {{"retry-after", "90"}}, {}};
  }
  world_.for_daemon(delay, [done, response] { done(response); });
}

}  // namespace hansard::sim
