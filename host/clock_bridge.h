#pragma once
// Timers and media times of aggregates are on the wall clock, the only one that outlives a process. What has passed is measured
// by the monotonic one. This knows by how much the first is ahead of the second, and keeps it in the store with the boot in which
// that counts: so a wall clock that is set is noticed while the host runs, and one that was set between two runs of one boot too.
#include <functional>
#include <optional>
#include <string>

#include "ports/clock.h"
#include "ports/store.h"

namespace hansard::host {

class ClockBridge {
 public:
  explicit ClockBridge(const Clock& clock) : clock_(clock) {}

  /// Reads what the run before has kept. After another boot nobody knows how long the machine was off; but it cannot be earlier
  /// now than `latest`, the last moment that is known of. Errors: the store's, and those of `latest`.
  Result<void> open(Store& store, const std::function<Result<Instant>()>& latest);

  /// The run before was in another boot: the time between is what the wall clock says, right or wrong.
  bool machine_restarted() const { return machine_restarted_; }

  /// The wall clock's lead as the aggregates know it.
  Duration lead() const { return lead_; }
  /// Its lead now, when the clock was set; nullopt also when this process was interrupted while it read the clocks.
  std::optional<Duration> moved_to() const;
  /// What the store has to keep once the aggregates know `lead`; nullopt: it has it.
  std::optional<StoredContext> to_keep(Duration lead) const;

  /// The aggregates were told.
  void told(Duration lead) { lead_ = lead; }
  /// What to_keep() gave is committed.
  void kept(std::string body) { kept_ = std::move(body); }

 private:
  const Clock& clock_;
  Duration lead_;
  std::string kept_;
  bool machine_restarted_ = false;
};

}  // namespace hansard::host
