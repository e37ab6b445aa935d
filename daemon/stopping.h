#pragma once
// How a daemon ends: what becomes of the meetings that run, what is still waited for, and for how long. No sockets and no
// processes here; the composition root asks due() after each turn of its loop.
#include <cstdint>
#include <optional>

#include "core/audit/chain.h"
#include "core/base/json.h"
#include "daemon/config.h"
#include "host/engine.h"
#include "ports/clock.h"

namespace hansard {

/// What a draining daemon still waits for.
struct Remaining {
  std::int64_t meetings = 0;  ///< joined (or on the way in) and not over: their minutes are not written yet
  std::int64_t tasks = 0;     ///< not sent once to their sink yet
  bool operator==(const Remaining&) const = default;
};

/// `recognizer` false: audio that waits for one is left to a daemon that has it.
Remaining remaining(const host::Engine& engine, Instant now, bool recognizer);

/// An attempt to send a task is under way.
bool sending(const host::Engine& engine);

/// From the first request on no timer of a meeting that has not been joined fires: it stays where it is, for the next daemon.
class Stopping {
 public:
  /// `configured`: what the first signal means. `limit`: the longest wait of finish and leave.
  Stopping(host::Engine& engine, const Clock& clock, OnStop configured, Duration limit);

  /// Begins to end, or changes how: a hand-over cannot be taken back. `by`: who asks, a kind of core/audit/chain.h.
  void ask(OnStop how, std::string_view by = audit::kByDaemon);
  /// SIGINT or SIGTERM. The first does what the configuration says, a further one hands over at once. False: the third, when
  /// the process is to end without another word (the store is made for that).
  bool signal();

  /// Looks at what is left and logs when that changes. True: hand over now.
  bool due(bool recognizer);

  /// The last moments: no timer fires any more. Logs what is handed over.
  void end(bool recognizer);

  bool asked() const { return how_.has_value(); }
  /// The row of the audit log that says how this daemon ends, and who wanted it. Call it when it is the last thing to do.
  audit::Act act() const;
  /// {"how", "meetings", "tasks", "until"}, null when nobody asked for an end. `until` is empty for a hand-over.
  Json status() const;

 private:
  host::Engine& engine_;
  const Clock& clock_;
  OnStop configured_;
  Duration limit_;
  std::optional<OnStop> how_;
  std::string_view by_ = audit::kByDaemon;
  Instant until_;                  ///< as people read it
  Duration deadline_;              ///< by Clock::monotonic
  std::optional<Remaining> left_;  ///< when last looked at
  int signals_ = 0;
};

}  // namespace hansard
