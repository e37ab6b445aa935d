#pragma once
// The executor of the flow: one queue of events, one commit for a batch of them, effects released after it.
// No sockets, no threads: the owner calls drain() on its loop after posting and when next_deadline() has come.
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/audit/chain.h"
#include "core/flow/step.h"
#include "host/clock_bridge.h"
#include "host/effect_runner.h"
#include "host/places.h"
#include "ports/clock.h"
#include "ports/store.h"

namespace hansard::host {

/// A committed record, unsealed, as viewers get it.
struct LiveRecord {
  std::uint64_t seq = 0;
  std::string aggregate;
  Instant at;
  flow::Record record;
};

class Engine {
 public:
  Engine(Store& store, const Clock& clock, EffectRunner& runner);

  /// Becomes owner, loads what lives, queues HostStarted for it, releases the effects that a run before left unanswered
  /// (held ones stay where they are), removes expired contexts. Call drain() next: when the wall clock was set since the run
  /// before, the first commit moves along what counts from a moment.
  /// Errors: those of the store; the engine must not be used then.
  Result<void> start(std::string_view owner);

  /// Queues an event. `completes` is the key of the durable effect that it answers, or empty; an answer to an effect
  /// that is not pending any more is dropped. An event for an aggregate that does not exist begins it when it can.
  /// `actor`: who it comes from, a kind of core/audit/chain.h, for the audit log.
  void post(std::string aggregate, flow::Event event, std::string completes = {}, std::string_view actor = audit::kByDaemon);

  /// Puts an act that changes no aggregate into the audit log, with the next commit. Few of them: they wait in memory while the
  /// store fails.
  void audit(audit::Act act) { acts_.push_back(std::move(act)); }

  /// Applies queued events and due timers, commits, releases; until nothing is left. Single-flight: a call from inside
  /// an effect returns at once and the outer call goes on. Errors: those of the store. Nothing of a failed commit is
  /// released and no state changes. After kUnavailable, kExhausted and kRateLimited the events stay queued in their order
  /// and next_deadline() says when to try again (1 s, doubled up to 30 s). Any other error is final: on kConflict another
  /// owner has taken over; the caller must stop, and each further call gives the same error.
  Result<void> drain();

  /// The last commit failed and is tried again later: what has happened since waits.
  bool store_failing() const { return retry_at_.has_value(); }
  /// Events that are not committed yet.
  std::size_t queued() const { return queue_.size(); }

  /// See ClockBridge.
  bool machine_restarted() const { return wall_.machine_restarted(); }

  /// When drain() must be called again, nullopt: only after a post. In the past when events are queued.
  std::optional<Instant> next_deadline() const;

  /// From now on no timer fires of an aggregate whose state is `held`: it stays in the state and is due in a later run. What
  /// else happens to it is applied as ever. A host that is about to end begins nothing new with this.
  void hold_timers(std::function<bool(const flow::State&)> held);

  /// Called for each committed record, in order, after its commit.
  void on_record(std::function<void(const LiveRecord&)> f) { on_record_ = std::move(f); }

  /// The living aggregate, nullptr when there is none, it has finished or is a meeting that is over.
  const flow::State* find(const std::string& aggregate) const;
  /// The fencing number that start() was given.
  std::uint64_t epoch() const { return fence_; }
  /// Calls `f` for each that find() gives.
  void for_each(const std::function<void(const std::string& id, const flow::State&)>& f) const;

 private:
  struct Loaded {
    flow::State state;
    std::uint64_t version = 0;
    std::string plain;  ///< the state as stored: an event that changes nothing is not committed
  };
  struct Posted {
    std::string aggregate;
    flow::Event event;
    std::string completes;
    std::string_view actor = audit::kByDaemon;
  };
  struct Turn;  ///< the events of one commit and what they change

  Result<Instant> latest_known() const;
  void keep_clock(Turn& turn) const;
  Result<void> drain_once(bool& more);
  Result<void> follow_clock(Turn& turn);
  Result<void> take_queue(Turn& turn);
  Result<void> take_timers(Turn& turn);
  void take_acts(Turn& turn);
  Result<void> apply(Turn& turn, const std::string& aggregate, const flow::Event& event, const std::string& completes,
                     std::string_view actor = audit::kByDaemon);
  Result<void> reach(Turn& turn, const std::string& aggregate);
  void put_back(Turn& turn);
  void settle(Turn& turn, const std::vector<std::uint64_t>& seqs);
  void release(const std::string& aggregate, const std::string& key, const flow::Effect& effect);
  void index_deadline(const std::string& aggregate, const flow::State* before, const flow::State* after);
  bool fires(const flow::State& state, const std::string& timer, Instant now) const;
  std::string at_place(const Turn& turn, const std::string& but, const flow::MeetingSpec& spec) const;

  Store& store_;
  const Clock& clock_;
  EffectRunner& runner_;
  std::uint64_t fence_ = 0;
  std::map<std::string, Loaded> living_;
  std::set<std::pair<Instant, std::string>> deadlines_;  ///< next_deadline of each living aggregate that is not held
  Places places_;
  std::map<std::string, std::string> pending_;  ///< unanswered durable effects: key -> aggregate
  std::deque<Posted> queue_;
  std::vector<audit::Act> acts_;  ///< that no commit has written yet
  bool draining_ = false;
  ClockBridge wall_;
  std::optional<Duration> retry_at_;  ///< after a failed commit, on the monotonic clock
  Duration retry_delay_;
  std::optional<Error> dead_;  ///< why no further commit is possible
  std::function<void(const LiveRecord&)> on_record_;
  std::function<bool(const flow::State&)> held_;
};

}  // namespace hansard::host
