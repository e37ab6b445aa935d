#pragma once
// The checks of the simulated year: what each calendar's scans have shown and when, and what the bot did about it.
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "core/flow/state.h"
#include "sim/world.h"
#include "sim/year.h"
#include "sim/year_people.h"

namespace hansard::sim {

class Watch {
 public:
  Watch(World& world, YearOutcome& out) : world_(world), out_(out) {}

  /// The scan of a person's calendar has ended well and is committed. `shown`: what the feed held, made at `from`.
  void scanned(std::size_t person, Instant from, const std::vector<Happening>& shown, const flow::CalendarState& state);
  /// The bot goes to a meeting, that of aggregate `meeting`, planned for `planned`.
  void joins(const std::string& meeting, std::size_t link, Instant planned, bool first_attempt);
  /// The room of `meeting` has closed.
  void closed(const std::string& meeting);
  void leaves(const std::string& meeting) { here_.erase(meeting); }
  void daemon_down() {
    down_.push_back({world_.now(), Instant{INT64_MAX}});
    here_.clear();
  }
  void daemon_up() {
    if (!down_.empty()) down_.back().second = world_.now();
  }
  void wrong(const std::string& what);

 private:
  /// An occurrence: item (the first one, when it was made again) and original day.
  using Which = std::pair<std::size_t, std::int64_t>;
  /// What a calendar has shown of an occurrence from `at` on.
  struct Sight {
    Instant at;
    bool wanted = false;
    Instant start;
    std::size_t link = 0;
    int sequence = 0;
    bool same(const Sight& o) const { return std::tie(wanted, start, link) == std::tie(o.wanted, o.start, o.link); }
  };
  using Sights = std::array<std::vector<Sight>, kPeople>;
  struct Visit {
    std::string meeting;
    Instant at;
    Instant planned;
  };

  void compare(std::size_t person, Instant from, const std::vector<Happening>& shown, const flow::CalendarState& state);
  void saw(std::size_t person, const Which& which, const Sight& sight);
  void look_back(const Which& which, Instant start, std::size_t link);
  bool visited(std::size_t link, Instant from, Instant to) const;
  Duration down_in(Instant from, Instant to) const;
  void forget();

  World& world_;
  YearOutcome& out_;
  std::map<Which, Sights> sights_;
  std::array<std::set<Which>, kPeople> shown_;  ///< what each calendar showed last
  std::set<std::tuple<Which, Instant, std::size_t>> appointments_;
  std::map<std::size_t, std::vector<Visit>> visits_;  ///< by link
  std::map<std::string, std::size_t> here_;           ///< meeting -> link: the bot is there now
  std::map<std::string, Instant> closed_;             ///< meeting -> for which planned start its room has closed
  std::vector<std::pair<Instant, Instant>> down_;
  std::uint64_t scans_ = 0;
};

}  // namespace hansard::sim
