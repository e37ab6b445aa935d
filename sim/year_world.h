#pragma once
// Feeds and rooms of the simulated year.
#include <functional>
#include <map>
#include <string>

#include "ports/http_client.h"
#include "ports/media_source.h"
#include "sim/year_town.h"
#include "sim/year_watch.h"

namespace hansard::sim {

/// The servers of the five feeds, and the rooms' addresses.
class YearWeb final : public HttpClient {
 public:
  YearWeb(World& world, const Town& town, Canary canary, YearCounts& counts)
      : world_(world), town_(town), canary_(canary), counts_(counts) {}

  static std::string feed_url(std::size_t person) { return "https://calendar.example/" + std::to_string(person) + ".ics"; }
  void send(HttpRequest request, std::function<void(Result<HttpResponse>)> done) override;
  void trouble(std::size_t person, YearEvent kind, Duration length) { until_[{person, kind}] = world_.now() + length; }
  void calm() { until_.clear(); }
  void daemon_died() { delivered_ = {}; }

  /// What the last whole answer held that reached the daemon and is not taken yet.
  struct Delivered {
    Instant from;
    std::vector<Happening> shown;
  };
  std::optional<Delivered> take(std::size_t person) { return std::exchange(delivered_[person], std::nullopt); }

 private:
  bool on(std::size_t person, YearEvent kind);
  void feed(std::size_t person, const HttpRequest& request, const std::function<void(Result<HttpResponse>)>& done);

  World& world_;
  const Town& town_;
  const Canary canary_;
  YearCounts& counts_;
  std::map<std::pair<std::size_t, YearEvent>, Instant> until_;
  std::array<std::optional<Delivered>, kPeople> delivered_;
};

/// Rooms that hold a short meeting at each time that it takes place.
class Doors final : public MediaSource {
 public:
  Doors(World& world, const Town& town, Watch& watch) : world_(world), town_(town), watch_(watch) {}

  void listen(MediaListener* listener) override { listener_ = listener; }
  void start(const MediaJoin& join) override;
  void capture(const std::string&, std::uint32_t, Duration) override {}
  void pause(const std::string&, std::uint32_t) override {}
  void stop(const std::string& meeting, std::uint32_t epoch) override;

  void daemon_died();
  /// The bot's connection breaks, if it has one; how many did.
  std::size_t drop();

  /// When the meeting of this aggregate is planned to begin.
  std::function<Instant(const std::string& meeting)> planned_for;

 private:
  struct Line {
    std::uint32_t epoch = 0;
    std::size_t link = 0;
    std::uint64_t number = 0;
  };
  void tell(const std::string& meeting, std::uint32_t epoch, const MediaNews& news);
  void end(const std::string& meeting, std::uint64_t number, const MediaNews& news);

  World& world_;
  const Town& town_;
  Watch& watch_;
  MediaListener* listener_ = nullptr;
  std::map<std::string, Line> lines_;
  std::uint64_t numbers_ = 0;
};

}  // namespace hansard::sim
