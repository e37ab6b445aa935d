#pragma once
// Internal to core/calendar: all VEVENTs of one UID, and what they give in a window.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/calendar/expand.h"
#include "core/calendar/zone_resolver.h"

namespace hansard::calendar {

/// What an occurrence is compared by: UTC seconds for timed events, wall seconds for floating and all-day ones.
using TimeKey = std::int64_t;

class Series {
 public:
  Series(const Calendar& calendar, ZoneResolver& zones, const ExpandLimits& limits)
      : calendar_(calendar), zones_(zones), limits_(limits) {}

  /// Adds one VEVENT of this UID (index in Calendar::events).
  void add(std::size_t event);

  /// Appends the occurrences that overlap [from, to) (UTC seconds). False when the budget cut a rule short.
  bool expand(std::int64_t from, std::int64_t to, WorkBudget& budget, std::vector<Occurrence>& out);

 private:
  /// How the times of an event are to be read.
  struct Frame {
    TimeKind kind = TimeKind::kFloating;
    const TimeZone* zone = nullptr;  ///< for kInstant; null = UTC
  };
  /// One instance before overrides: its start and, for an RDATE period, the RDATE.
  struct Start {
    TimeKey key = 0;
    WallSeconds wall = 0;
    const RecurrenceDate* period = nullptr;
    bool operator<(const Start& o) const { return key < o.key; }
  };
  struct Range {
    TimeKey key = 0;
    std::size_t event = 0;
    WallSeconds shift = 0;
  };

  const VEvent& event(std::size_t i) const { return calendar_.events[i]; }
  Frame frame_of(const VEvent& e, const CalTime& t);
  static TimeKey key_of(const Frame& frame, WallSeconds wall);
  static WallSeconds wall_of(const Frame& frame, TimeKey key);
  std::optional<TimeKey> align(const VEvent& e, const CalTime& t, const Frame& frame);
  bool newer(const VEvent& a, const VEvent& b) const;

  void sort_overrides();
  std::int64_t longest(const VEvent& e) const;
  bool collect_starts(std::int64_t from, std::int64_t to, WorkBudget& budget, std::vector<Start>& out);
  bool add_rule(const RRule& rule, std::int64_t from, std::int64_t to, WorkBudget& budget, std::vector<Start>& out);
  bool excluded(const Start& s) const;
  bool in_series(TimeKey key, WorkBudget& budget);
  void emit(std::size_t index, const Frame& frame, WallSeconds wall, const RecurrenceDate* period, TimeKey original,
            std::int64_t from, std::int64_t to, std::vector<Occurrence>& out);
  void emit_overrides(std::int64_t from, std::int64_t to, WorkBudget& budget, std::vector<Occurrence>& out);
  std::int64_t instant_of(const Frame& frame, WallSeconds wall) const;

  const Calendar& calendar_;
  ZoneResolver& zones_;
  const ExpandLimits& limits_;
  std::optional<std::size_t> master_;
  std::vector<std::size_t> override_events_;
  Frame frame_;                               ///< of the master
  std::map<TimeKey, std::size_t> overrides_;  ///< original start -> event
  std::vector<Range> ranges_;                 ///< THISANDFUTURE, by original start
  TimeKey first_key_ = INT64_MIN;             ///< starts before it cannot reach into the window
  std::vector<TimeKey> exdates_;
  std::vector<std::int64_t> exdays_;  ///< EXDATEs given as DATE on a timed series
};

}  // namespace hansard::calendar
