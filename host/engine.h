#pragma once
// The executor of the flow: one queue of events, one commit for a batch of them, effects released after it.
// No sockets, no threads: the owner calls drain() on its loop after posting and when next_deadline() has come.
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/flow/step.h"
#include "host/effect_runner.h"
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

  /// Becomes owner, loads what lives, tells it HostStarted, releases the effects that a run before left unanswered.
  /// Errors: those of the store; the engine must not be used then.
  Result<void> start(std::string_view owner);

  /// Queues an event. `completes` is the key of the durable effect that it answers, or empty; an answer to an effect
  /// that is not pending any more is dropped. An event for an aggregate that does not exist begins it when it can.
  void post(std::string aggregate, flow::Event event, std::string completes = {});

  /// Applies queued events and due timers, commits, releases; until nothing is left. Single-flight: a call from inside
  /// an effect returns at once and the outer call goes on. Errors: those of the store. Nothing of a failed commit is
  /// released; on kConflict another owner has taken over and the caller must stop.
  Result<void> drain();

  /// When drain() must be called again, nullopt: only after a post.
  std::optional<Instant> next_deadline() const;

  /// Called for each committed record, in order, after its commit.
  void on_record(std::function<void(const LiveRecord&)> f) { on_record_ = std::move(f); }

  /// The living aggregate, nullptr when there is none or it has finished.
  const flow::State* find(const std::string& aggregate) const;
  /// Calls `f` for each living aggregate.
  void for_each(const std::function<void(const std::string& id, const flow::State&)>& f) const;

 private:
  struct Loaded {
    flow::State state;
    std::uint64_t version = 0;
  };
  struct Posted {
    std::string aggregate;
    flow::Event event;
    std::string completes;
  };

  Store& store_;
  const Clock& clock_;
  EffectRunner& runner_;
  std::uint64_t fence_ = 0;
  std::map<std::string, Loaded> living_;
  std::map<std::string, std::string> pending_;  ///< unanswered durable effects: key -> aggregate
  std::deque<Posted> queue_;
  bool draining_ = false;
  std::function<void(const LiveRecord&)> on_record_;
};

}  // namespace hansard::host
