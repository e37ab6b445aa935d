#pragma once
// The people of the simulated year and their calendars: what takes place when, independent of core/calendar, and the
// iCalendar text that says so.
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/prng.h"
#include "core/base/time.h"
#include "core/calendar/attend.h"

namespace hansard::sim {

constexpr std::size_t kPeople = 5;

enum class Region : std::uint8_t { kUtc, kBerlin, kNewYork, kKolkata };
/// UTC of a wall time (minutes since 1970-01-01T00:00 there). A time in a gap is read with the offset before it, one that
/// occurs twice is the first.
Instant to_utc(Region region, std::int64_t wall_minute);
/// True for a wall time that comes twice, when the clocks are set back.
bool occurs_twice(Region region, std::int64_t wall_minute);
/// True on days (since 1970-01-01) on which the region's clocks are changed.
bool clock_change(Region region, std::int64_t day);

enum class Answer : std::uint8_t { kNeedsAction, kAccepted, kDeclined };

/// What one instance of an item differs in.
struct Instance {
  bool excluded = false;  ///< EXDATE
  bool cancelled = false;
  std::optional<std::int64_t> moved_to;  ///< wall minute
  std::string title;                     ///< empty: the item's
  std::size_t link = 0;                  ///< 0: the item's
  unsigned declined = 0;                 ///< people who will not come to this one
  int sequence = 0;
};

/// An event of a calendar, alone or a series.
struct Item {
  std::string uid;
  std::size_t first = 0;  ///< number of the item that this one is, made again; its own
  std::string title;
  std::size_t link = 0;  ///< 0: nothing to join
  Region region = Region::kUtc;
  std::int64_t first_day = 0;  ///< days since 1970-01-01 there
  std::int64_t last_day = 0;   ///< of a series
  int every = 0;               ///< days between two; 0: alone, 1: on workdays
  std::int64_t minute = 0;     ///< of the day
  int length = 30;             ///< minutes
  unsigned people = 0;         ///< bits
  std::size_t organizer = 0;
  bool external = false, tagged = false, opted_out = false, removed = false, cancelled = false;
  bool numbered = true;  ///< its changes carry SEQUENCE
  int sequence = 0;
  std::array<Answer, kPeople> answers{};
  std::map<std::int64_t, Instance> instances;  ///< by original day

  bool on(std::int64_t day) const;
};

std::string url_of(std::size_t link);

/// One occurrence, as a person's calendar shows it.
struct Happening {
  std::size_t item = 0;
  std::size_t first = 0;  ///< the item that was made first, when this one was made again
  std::int64_t day = 0;   ///< original
  std::string key;        ///< as the flow names it
  Instant start, end;
  std::size_t link = 0;
  std::string reason;  ///< calendar::AttendReason's name
  bool wanted = false;
  int sequence = 0;  ///< 0 when the item's changes are not numbered
  bool operator==(const Happening&) const = default;
};

/// A calendar: the owner's copies of the items.
struct PersonCalendar {
  std::size_t owner = 0;
  calendar::AttendRules rules;
  std::vector<std::optional<Item>> items;  ///< by number; nothing where the owner is not invited
  std::uint64_t version = 1;

  /// What overlaps [from, to).
  std::vector<Happening> window(Instant from, Instant to) const;
  /// The feed at a time; instances of long ago are left out.
  std::string feed(Instant now) const;
};

std::string address_of(std::size_t person);
/// The rules of a person: each has other ones.
calendar::AttendRules rules_of(std::size_t person);

}  // namespace hansard::sim
