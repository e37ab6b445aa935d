#pragma once
// Simulated time: a queue of actions in order of (instant, insertion). Nothing else in a simulation knows a clock.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "core/base/prng.h"
#include "ports/clock.h"
#include "sim/faults.h"

namespace hansard::sim {

/// Thrown where the simulated daemon dies; only the run loop catches it.
struct Killed {};

class World final : public Clock {
 public:
  World(Instant start, std::uint64_t seed) : rng(seed), ids_(~seed), now_(start) {}

  Instant now() const override { return now_; }
  Duration monotonic() const override { return now_ - booted_; }
  std::string boot() const override { return "boot " + std::to_string(boots_); }
  Instant booted() const { return booted_; }
  std::uint64_t boots() const { return boots_; }
  /// The machine starts again: what the monotonic clock said until now says nothing any more.
  void restart_machine() {
    booted_ = now_;
    ++boots_;
  }
  void at(Instant t, std::function<void()> action) { queue_.emplace(std::pair(std::max(t, now_), next_++), std::move(action)); }
  void after(Duration d, std::function<void()> action) { at(now_ + d, std::move(action)); }
  /// As after(), but dropped when the daemon has died by then: what only its process would see.
  void for_daemon(Duration d, std::function<void()> action) {
    after(d, [this, life = life_, action = std::move(action)] {
      if (life == life_) action();
    });
  }
  /// A number that changes with each death of the daemon.
  std::uint64_t life() const { return life_; }
  void daemon_died() { ++life_; }

  /// Runs the next action not after `until`; false when there is none.
  bool step(Instant until) {
    if (queue_.empty() || queue_.begin()->first.first > until) {
      now_ = std::max(now_, until);
      return false;
    }
    auto node = queue_.extract(queue_.begin());
    now_ = node.key().first;
    node.mapped()();
    return true;
  }

  /// So many bytes that vendors would see. A generator of its own: asking for them must not change what else happens.
  std::string entropy(std::size_t count) {
    std::string out(count, '\0');
    for (char& c : out) c = static_cast<char>(ids_.next());
    return out;
  }

  /// Prints a line with --verbose.
  void show(const std::string& line) const;
  /// Adds a line to what the digest covers (and --verbose prints).
  void log(const std::string& line);

  Prng rng;
  Duration skew;                 ///< of the host's wall clock
  std::uint64_t clock_sets = 0;  ///< how often that was changed
  /// Counts one operation on store, disk or network outside of commits. True: this is the one that must fail.
  bool must_fail() { return fail_operation == operations++; }
  std::uint64_t operations = 0;
  std::optional<std::uint64_t> fail_operation;
  FaultCounts faults;
  bool calm = false;  ///< faults have stopped
  bool verbose = false;
  std::string trace;

 private:
  Prng ids_;
  Instant now_;
  Instant booted_;
  std::uint64_t boots_ = 1;
  std::map<std::pair<Instant, std::uint64_t>, std::function<void()>> queue_;
  std::uint64_t next_ = 0;
  std::uint64_t life_ = 1;
};

/// The host's clocks. The wall clock may be wrong; while the machine is slow readings take time, and the two clocks do not turn
/// their milliseconds at the same moment.
class HostClock final : public Clock {
 public:
  explicit HostClock(World& world) : world_(world) {}
  Instant now() const override { return read() + world_.skew; }
  Duration monotonic() const override {
    const Duration ahead = slow_until_ > world_.now() && readings_ % 2 == 0 ? kReading : Duration{};
    last_monotonic_ = std::max(last_monotonic_, read() + ahead);
    return last_monotonic_ - world_.booted();
  }
  std::string boot() const override { return world_.boot(); }
  /// What a third of the readings take while the machine is slow.
  static constexpr Duration kReading = milliseconds(1);
  void slow_until(Instant t) {
    slow_until_ = t;
    counted_ = false;
  }

 private:
  /// So far the host may be behind what has happened in the world.
  static constexpr Duration kMostBehind = milliseconds(50);

  Instant read() const {
    last_ = std::max(last_, world_.now());
    if (slow_until_ > world_.now() && last_ - world_.now() < kMostBehind) {
      if (!std::exchange(counted_, true)) ++world_.faults[Fault::kMachineSlow];
      if (++readings_ % 3 == 0) last_ = last_ + kReading;
    }
    return last_;
  }

  World& world_;
  Instant slow_until_;
  mutable Instant last_;
  mutable Instant last_monotonic_;  ///< as the world's time
  mutable std::uint64_t readings_ = 0;
  mutable bool counted_ = false;
};

}  // namespace hansard::sim
