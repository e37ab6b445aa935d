#pragma once
// The simulated machine: the daemon's engine and executor over the world's fakes, killed and started again.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host/engine.h"
#include "host/executor.h"
#include "sim/disk.h"
#include "sim/ear.h"
#include "sim/memory_store.h"
#include "sim/rooms.h"
#include "sim/secrets.h"
#include "sim/simulation.h"
#include "sim/sinks.h"
#include "sim/web.h"

namespace hansard::sim {

/// Stands between engine and executor: checks that nothing is released before its commit.
class Gate final : public host::EffectRunner {
 public:
  /// False: it must not leave.
  std::function<bool(const std::string& aggregate, const std::string& key, const flow::Effect&)> before;
  host::EffectRunner* next = nullptr;
  void run(const std::string& aggregate, const std::string& key, const flow::Effect& effect) override {
    if (before(aggregate, key, effect)) next->run(aggregate, key, effect);
  }
  MediaTime captured_until(const std::string& meeting) override { return next->captured_until(meeting); }
};

class Machine {
 public:
  Machine(const Scenario& scenario, const RunOptions& options);
  void run();

  World world;
  HostClock clock{world};
  MemoryStore store;
  Rooms rooms;
  Ear ear;
  Spool spool;
  Disk disk;
  Web web;
  Sinks sinks;
  Secrets secrets;
  NoSigner signer;
  std::map<std::uint64_t, std::string> shown;  ///< what viewers were shown: seq -> sealed body
  std::vector<std::string> violations;
  std::map<std::string, flow::Delivery> dead_letters;  ///< those a person saw, by key
  std::uint64_t starts = 0;                            ///< of a daemon that became owner of the store
  std::uint64_t commits = 0;
  std::uint64_t effects = 0;

 private:
  void plan_troubles();
  void trouble(const Trouble& t);
  void start_daemon();
  void kill_daemon();
  void turn();
  void arrange_wake();
  Result<void> before_commit(std::uint64_t number);
  bool before_effect(const std::string& aggregate, const std::string& key, const flow::Effect& effect);
  void show(const host::LiveRecord& record);
  void ask_person(const Trouble& t);
  void check_attempt(const std::string& aggregate, const flow::SendTask& effect);
  void look_at_dead_letters();
  void children_die();
  void second_owner();
  void jump(const Trouble& t, Duration by);
  void die_and_set_clock(const Trouble& t);
  void set_clock(Duration skew);
  bool on(Fault kind) const;

  const Scenario& scenario_;
  const RunOptions options_;
  Gate gate_;
  std::unique_ptr<host::Executor> executor_;
  std::unique_ptr<host::Engine> engine_;
  std::map<Fault, Instant> until_;
  std::map<Fault, bool> armed_;  ///< kills that wait for the next commit or effect
  Instant woken_at_;
  bool fenced_ = false;  ///< it is the turn of a daemon that has lost the store to another
};

}  // namespace hansard::sim
