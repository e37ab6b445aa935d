#pragma once
// The engine: what an event does to an aggregate. Pure: no clock, no randomness but the seed in the state, no I/O.
#include <optional>
#include <string>
#include <vector>

#include "core/flow/effects.h"
#include "core/flow/events.h"
#include "core/flow/records.h"
#include "core/flow/state.h"

namespace hansard::flow {

/// The join context of a meeting ("meeting:{id}:context"): kept in the store for a short time only.
struct ContextChange {
  std::string key;
  std::string value;  ///< empty: remove
  Instant expires;
};

/// What must be committed together with the new state, and what may be released after that.
struct [[nodiscard]] Batch {
  std::vector<Record> records;
  std::vector<ContextChange> context;
  std::vector<Effect> effects;

  bool empty() const { return records.empty() && context.empty() && effects.empty(); }
};

/// Applies one event. An event that means nothing in this state changes nothing. The cost does not depend on how long
/// the meeting has lasted.
Batch step(MeetingState& state, const Event& event, Instant now);
Batch step(CalendarState& state, const Event& event, Instant now);
Batch step(SinkState& state, const Event& event, Instant now);
Batch step(State& state, const Event& event, Instant now);

/// A fresh aggregate for an event that begins one (MeetingSeen, PlaceTaken, CalendarConfigured, SinkConfigured, TaskWanted);
/// nullopt for any other event.
std::optional<State> begin(const Event& event);

/// When the next timer is due, nullopt when none is set.
std::optional<Instant> next_deadline(const State& state);
/// Names of the timers due at `now`, earliest first.
std::vector<std::string> due_timers(const State& state, Instant now);
/// Nothing more will happen by itself (done, failed, cancelled, and its place given up).
bool finished(const State& state);
/// True for a meeting that no second one must join at the same place: it will be attended, is, or was and its time is not
/// long over.
bool holds_place(const State& state);

}  // namespace hansard::flow
