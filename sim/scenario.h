#pragma once
// One simulated time as plain data: what the calendar shows, what happens in the rooms, what goes wrong and when.
// Generated from a seed; the run itself draws only small noises (delays) from the same seed.
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/time.h"
#include "sim/faults.h"

namespace hansard::sim {

/// Said and written in meetings only: it must not be in anything that may be logged.
constexpr const char* kCanaryWord = "quokkafjord";

struct Speech {
  std::int16_t number = 0;  ///< unique in the scenario, from 1
  Instant start;
  Instant end;
  std::string text;
};

struct Guest {
  std::string id;
  std::string name;
  bool bot = false;
  bool discontinuous = false;  ///< sends nothing while silent
  Instant in;
  Instant out;
  std::vector<Speech> says;  ///< in order, not overlapping
};

enum class Door : std::uint8_t { kOpen, kLobby, kLobbyForEver, kDenies };

struct Room {
  std::string name;
  Instant opens;
  Instant closes;
  Door door = Door::kOpen;
  Duration lobby;
  std::vector<Guest> guests;
};

/// A calendar event, as it is at a time.
struct Entry {
  std::string uid;
  std::string title;
  std::size_t room = 0;
  Instant start;
  Instant end;
  bool cancelled = false;
  bool removed = false;
};

/// At `at` the entry becomes this.
struct Edit {
  Instant at;
  std::size_t entry = 0;
  Entry now;
  Fault kind = Fault::kMeetingMoved;
};

/// A time in which something fails. `room` is used by those that concern one room.
struct Trouble {
  Instant at;
  Duration length;
  Fault kind = Fault::kDaemonKilled;
  std::size_t room = 0;
  std::size_t guest = 0;
};

struct Scenario {
  Instant start;
  Instant faults_end;  ///< nothing fails any more
  Instant end;         ///< everything must have ended by itself
  std::vector<Room> rooms;
  std::vector<Entry> entries;
  std::vector<Edit> edits;
  std::vector<Trouble> troubles;
  bool sinks = true;   ///< tasks go somewhere; else they stay in the outbox
  bool person = true;  ///< somebody goes through the dead letters an hour after the last fault
};

/// `days` days (15 at most), each with four meetings in which about 290 things are said, one or two others, and at least
/// fourteen troubles.
Scenario generate(std::uint64_t seed, int days);

/// The reference scenario of the exhaustive pass: one short meeting of two people, nothing goes wrong.
Scenario reference_scenario();

}  // namespace hansard::sim
