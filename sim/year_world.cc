#include "sim/year_world.h"

#include <cstdlib>
#include <utility>

namespace hansard::sim {
namespace {

/// A meeting lasts so long, whatever its calendar says.
constexpr Duration kMeeting = minutes(9);

}  // namespace

// ---- feeds ----

bool YearWeb::on(std::size_t person, YearEvent kind) {
  const auto it = until_.find({person, kind});
  if (it == until_.end() || it->second <= world_.now()) return false;
  ++counts_[static_cast<std::size_t>(kind)];
  return true;
}

void YearWeb::send(HttpRequest request, std::function<void(Result<HttpResponse>)> done) {
  for (std::size_t p = 0; p < kPeople; ++p) {
    if (request.url == feed_url(p)) return feed(p, request, done);
  }
  const bool room = request.url.starts_with("https://rooms.example/whep/m");
  world_.for_daemon(milliseconds(50), [done, room] { done(HttpResponse{room ? 204 : 404, {}, {}}); });
}

void YearWeb::feed(std::size_t person, const HttpRequest& request, const std::function<void(Result<HttpResponse>)>& done) {
  Duration delay = milliseconds(world_.rng.between(20, 900));
  const auto answer = [&](HttpResponse response) {
    world_.for_daemon(delay, [done, response = std::move(response)] { done(response); });
  };
  if (on(person, YearEvent::kFeedDown))
    return world_.for_daemon(request.timeout, [done] { done(fail(ErrorClass::kUnavailable, "http", "no answer in time")); });
  if (on(person, YearEvent::kFeedSlow)) delay = request.timeout - seconds(1);
  if (on(person, YearEvent::kFeedServerError)) return answer({world_.rng.chance(50) ? 500 : 503, {}, "oops"});
  if (on(person, YearEvent::kFeedRetryAfter))
    return answer({429, {{"retry-after", std::to_string(world_.rng.between(30, 3600))}}, {}});
  if (on(person, YearEvent::kFeedGone)) return answer({404, {}, "not here"});
  if (on(person, YearEvent::kFeedHtml))
    return answer({200, {{"content-type", "text/html"}}, "<html><body>Please sign in</body></html>"});

  const PersonCalendar& calendar = town_.calendar(person);
  const std::string etag = "\"" + std::to_string(calendar.version) + "\"";
  Delivered delivered{world_.now(), calendar.window(world_.now(), world_.now() + hours(24))};
  const bool asks = !find_header(request.headers, "if-none-match").empty();
  HttpResponse response{200, {{"etag", etag}}, {}};
  if (asks && (find_header(request.headers, "if-none-match") == etag || canary_ == Canary::kStaleFeed)) {
    response.status = 304;
  } else {
    response.body = calendar.feed(world_.now());
    if (canary_ == Canary::kDeafToEnds) {
      for (std::size_t at = 0; (at = response.body.find("STATUS:CANCELLED", at)) != std::string::npos;)
        response.body.replace(at, 16, "STATUS:CONFIRMED");
    }
    if (on(person, YearEvent::kFeedTruncated)) {
      response.body.resize(response.body.size() * static_cast<std::size_t>(world_.rng.between(10, 99)) / 100);
      return answer(std::move(response));
    }
  }
  world_.for_daemon(delay, [this, person, done, response = std::move(response), delivered = std::move(delivered)] {
    delivered_[person] = delivered;
    done(response);
  });
}

// ---- rooms ----

void Doors::tell(const std::string& meeting, std::uint32_t epoch, const MediaNews& news) {
  if (listener_ != nullptr) listener_->on_media(meeting, epoch, news);
}

void Doors::end(const std::string& meeting, std::uint64_t number, const MediaNews& news) {
  const auto it = lines_.find(meeting);
  if (it == lines_.end() || it->second.number != number) return;
  const std::uint32_t epoch = it->second.epoch;
  lines_.erase(it);
  world_.log("out of " + meeting + " epoch " + std::to_string(epoch) + " " + std::to_string(static_cast<int>(news.update)));
  if (news.update == MediaUpdate::kEnded) watch_.closed(meeting);
  watch_.leaves(meeting);
  tell(meeting, epoch, news);
}

void Doors::start(const MediaJoin& join) {
  const std::size_t mark = join.url.rfind("/m");
  const std::size_t link = mark == std::string::npos ? 0 : std::strtoull(join.url.c_str() + mark + 2, nullptr, 10);
  if (!town_.known_link(link) || url_of(link) != join.url) watch_.wrong("joined an address that no calendar shows");
  const std::uint64_t number = ++numbers_;
  lines_[join.meeting] = {join.epoch, link, number};
  const Instant planned = planned_for(join.meeting);
  world_.log("join " + join.meeting + " epoch " + std::to_string(join.epoch) + " " + join.url + " planned " +
             format_rfc3339(planned));
  watch_.joins(join.meeting, link, planned, join.epoch == 1);
  std::optional<Instant> since;
  for (const Happening& h : town_.truth(world_.now() - kMeeting, world_.now() + minutes(2))) {
    if (h.link == link && h.start + kMeeting > world_.now()) since = h.start;
  }
  if (!since)
    return world_.for_daemon(
        seconds(1), [this, meeting = join.meeting, number] { end(meeting, number, {MediaUpdate::kEnded, {}, {}, {}, {}}); });
  world_.for_daemon(milliseconds(200), [this, join, number] {
    const auto it = lines_.find(join.meeting);
    if (it == lines_.end() || it->second.number != number) return;
    tell(join.meeting, join.epoch, {MediaUpdate::kInCall, {}, {}, "display name", {}});
    if (listener_ != nullptr) listener_->on_participant(join.meeting, join.epoch, "guest", "Guest", true, false);
  });
  world_.for_daemon(*since + kMeeting - world_.now(),
                    [this, meeting = join.meeting, number] { end(meeting, number, {MediaUpdate::kEnded, {}, {}, {}, {}}); });
}

void Doors::stop(const std::string& meeting, std::uint32_t epoch) {
  const auto it = lines_.find(meeting);
  const std::uint64_t number = it != lines_.end() && it->second.epoch == epoch ? it->second.number : 0;
  world_.for_daemon(milliseconds(100), [this, meeting, epoch, number] {
    if (number != 0) return end(meeting, number, {MediaUpdate::kLeft, {}, {}, {}, {}});
    tell(meeting, epoch, {MediaUpdate::kLeft, {}, {}, {}, {}});
  });
}

void Doors::daemon_died() {
  lines_.clear();
  listener_ = nullptr;
}

std::size_t Doors::drop() {
  std::vector<std::pair<std::string, std::uint64_t>> all;
  for (const auto& [meeting, line] : lines_) all.emplace_back(meeting, line.number);
  for (const auto& [meeting, number] : all) end(meeting, number, {MediaUpdate::kLost, {}, {}, {}, "network"});
  return all.size();
}

}  // namespace hansard::sim
