#include "sim/daemon.h"

#include <algorithm>

#include "host/stored.h"
#include "sim/model.h"

namespace hansard::sim {
namespace {

constexpr const char* kCalendar = "calendar:work";
constexpr Duration kPoll = milliseconds(50);

}  // namespace

Machine::Machine(const Scenario& scenario, const RunOptions& options)
    : world(scenario.start, options.seed ^ 0x51u),
      rooms(world, scenario),
      ear(world, scenario),
      spool(world),
      disk(world),
      web(world, scenario),
      sinks(world),
      scenario_(scenario),
      options_(options) {
  world.verbose = options.verbose;
  world.fail_operation = options.fail_operation;
  store.before_commit = [this](std::uint64_t n) { return before_commit(n); };
  store.after_commit = [this](std::uint64_t n) {
    if (fenced_) return;
    const bool armed = std::exchange(armed_[Fault::kKilledAfterCommit], false);
    if (options_.kill_after_commit != n && !armed) return;
    ++world.faults[Fault::kKilledAfterCommit];
    throw Killed{};
  };
  store.before_load = [this]() -> Result<void> {
    if (fenced_ || (!on(Fault::kStoreLoadFailed) && !world.must_fail())) return {};
    ++world.faults[Fault::kStoreLoadFailed];
    return fail(ErrorClass::kUnavailable, "store", "locked");
  };
  sinks.on_send = [this] {
    if (!std::exchange(armed_[Fault::kKilledWhileSending], false)) return;
    world.for_daemon(milliseconds(world.rng.between(1, 30)), [] { throw Killed{}; });
  };
  gate_.before = [this](const std::string& a, const std::string& k, const flow::Effect& e) { return before_effect(a, k, e); };
}

bool Machine::on(Fault kind) const {
  const auto it = until_.find(kind);
  return it != until_.end() && it->second > world.now();
}

Result<void> Machine::before_commit(std::uint64_t number) {
  if (fenced_) return {};
  ++commits;
  const bool armed = std::exchange(armed_[Fault::kKilledBeforeCommit], false);
  if (options_.kill_before_commit == number || armed) {
    ++world.faults[Fault::kKilledBeforeCommit];
    throw Killed{};
  }
  if (options_.fail_commit == number || on(Fault::kStoreUnavailable)) {
    ++world.faults[Fault::kStoreUnavailable];
    return fail(ErrorClass::kUnavailable, "store", "locked");
  }
  if (on(Fault::kStoreFull)) {
    ++world.faults[Fault::kStoreFull];
    return fail(ErrorClass::kExhausted, "store", "disk full");
  }
  return {};
}

/// The output gate: at this moment the store must hold the state that the engine acts on, and the effect if it is durable.
bool Machine::before_effect(const std::string& aggregate, const std::string& key, const flow::Effect& effect) {
  if (fenced_) {
    violations.push_back("a daemon that has lost its store released " + std::string(host::type_of(effect)));
    return false;
  }
  const std::uint64_t number = effects++;
  const bool armed = std::exchange(armed_[Fault::kKilledInRelease], false);
  if (options_.kill_at_effect == number || armed) {
    ++world.faults[Fault::kKilledInRelease];
    throw Killed{};
  }
  const std::string type(host::type_of(effect));
  if (flow::durable(effect) != !key.empty()) violations.push_back(type + " has the wrong kind of key");
  if (flow::durable(effect) && !store.has_effect(key)) violations.push_back(type + " was released before its commit");
  const StoredAggregate* stored = store.peek(aggregate);
  const flow::State* state = engine_->find(aggregate);
  if (stored == nullptr || (state != nullptr && stored->state != host::encode(*state, host::state_binding(aggregate)))) {
    violations.push_back(type + " was released before its state was committed");
  }
  if (const auto* send = std::get_if<flow::SendTask>(&effect)) check_attempt(aggregate, *send);
  return true;
}

/// The attempt that is about to leave is on record. The caller has seen that the engine's state is the store's.
void Machine::check_attempt(const std::string& aggregate, const flow::SendTask& effect) {
  const flow::State* state = engine_->find(aggregate);
  const auto* sink = state == nullptr ? nullptr : std::get_if<flow::SinkState>(state);
  const auto recorded = [&](const flow::Delivery& d) {
    return d.task == effect.task && d.attempts == effect.attempt && d.created == effect.created &&
           d.state == flow::DeliveryState::kSending;
  };
  if (sink == nullptr || std::none_of(sink->deliveries.begin(), sink->deliveries.end(), recorded))
    violations.push_back("a task was sent before its attempt was committed");
}

void Machine::show(const host::LiveRecord& record) {
  const std::string kind(host::type_of(record.record));
  if (!shown.emplace(record.seq, host::encode(record.record, host::record_binding(record.aggregate, kind))).second) {
    violations.push_back("a record was shown twice");
  }
  if (world.verbose) world.show("record " + record.aggregate + " " + json_text(record.record));
}

// ---- the process ----

void Machine::start_daemon() {
  host::ExecutorConfig config;
  config.analysis_model = shared_model();
  config.sinks = sinks.all();
  config.generic_hosts = {"rooms.example"};
  config.entropy = [this](std::size_t count) { return world.entropy(count); };
  executor_ =
      std::make_unique<host::Executor>(host::ExecutorPorts{clock, store, web, rooms, ear, spool, disk, secrets, signer}, config);
  gate_.next = executor_.get();
  engine_ = std::make_unique<host::Engine>(store, clock, gate_);
  executor_->connect(*engine_);
  engine_->on_record([this](const host::LiveRecord& r) { show(r); });
  ++starts;  // a death in it comes after its first act, which makes it the store's owner
  if (auto r = engine_->start("sim"); !r) {
    violations.push_back("the engine does not start: " + r.error().detail);
    return;
  }
  flow::CalendarConfigured configured;
  configured.source = {"work", "ics", Web::kFeed, minutes(5), hours(24)};
  configured.seed = options_.seed;
  if (scenario_.sinks) {
    for (const auto& [name, place] : sinks.places) {
      configured.settings.sinks.push_back(name);
      flow::TaskSinkSettings settings{name, place.sink_class, Sinks::kPerMinute, 12};
      engine_->post(flow::sink_id(name), flow::SinkConfigured{settings, true, options_.seed + configured.settings.sinks.size()});
    }
  }
  engine_->post(kCalendar, configured);
}

/// Media process and recognizer end with their daemon, and nobody waits for answers any more.
void Machine::children_die() {
  world.daemon_died();
  rooms.daemon_died();
  ear.daemon_died();
  sinks.daemon_died();
  woken_at_ = {};
}

void Machine::kill_daemon() {
  world.log("the daemon dies");
  executor_.reset();
  engine_.reset();
  children_die();
  const Duration down = milliseconds(world.rng.between(200, world.rng.chance(20) ? 90'000 : 8'000));
  world.after(down, [this] {
    world.log("the daemon starts");
    start_daemon();
  });
}

/// What the daemon's loop does after anything has happened.
void Machine::turn() {
  if (!engine_) return;
  if (auto r = engine_->drain(); !r && r.error().code != ErrorClass::kUnavailable && r.error().code != ErrorClass::kExhausted) {
    violations.push_back("the engine stopped: " + r.error().detail);
    throw Killed{};
  }
  arrange_wake();
}

void Machine::arrange_wake() {
  std::optional<Instant> at = engine_->next_deadline();
  if (executor_->has_backlog() && (!at || *at > clock.now() + kPoll)) at = clock.now() + kPoll;
  if (!at) return;
  *at = *at - world.skew;
  // At least one millisecond on: what is due now has just been tried.
  const Instant when = std::max(*at, world.now() + milliseconds(1));
  if (woken_at_ > world.now() && woken_at_ <= when) return;
  woken_at_ = when;
  world.at(when, [this, life = world.life()] {
    if (life == world.life() && executor_) executor_->poll();
  });
}

void Machine::run() {
  plan_troubles();
  world.at(scenario_.start, [this] { start_daemon(); });
  bool more = true;
  while (more) {
    try {
      more = world.step(scenario_.end);
      turn();
    } catch (const Killed&) {
      kill_daemon();
      more = true;
    }
  }
}

// ---- what goes wrong ----

void Machine::plan_troubles() {
  for (const Trouble& t : scenario_.troubles) world.at(t.at, [this, &t] { trouble(t); });
  world.at(scenario_.faults_end, [this] {
    until_.clear();
    armed_.clear();
    clock.slow_until({});
    set_clock({});
  });
  if (scenario_.person) world.at(scenario_.faults_end + hours(1), [this] { look_at_dead_letters(); });
}

void Machine::trouble(const Trouble& t) {
  world.log(std::string("trouble: ") + std::string(enum_name(t.kind)));
  switch (t.kind) {
    case Fault::kDaemonKilled:
      if (!engine_) return;
      ++world.faults[t.kind];
      throw Killed{};
    case Fault::kKilledBeforeCommit:
    case Fault::kKilledAfterCommit:
    case Fault::kKilledInRelease:
    case Fault::kKilledWhileSending: armed_[t.kind] = true; return;
    case Fault::kStoreUnavailable:
    case Fault::kStoreFull:
    case Fault::kStoreLoadFailed: until_[t.kind] = world.now() + t.length; return;
    case Fault::kHttpUnreachable:
    case Fault::kHttpServerError:
    case Fault::kHttpRetryAfter:
    case Fault::kHttpSlow:
    case Fault::kHttpNoName:
    case Fault::kHttpReset:
    case Fault::kHttpTruncated:
    case Fault::kFeedBroken: return web.trouble(t.kind, t.length);
    case Fault::kSinkDown:
    case Fault::kSinkAnswerLost:
    case Fault::kSinkRequestLost:
    case Fault::kSinkBusy:
    case Fault::kSinkRefuses:
    case Fault::kSinkSlow: return sinks.trouble(t.kind, t.length);
    case Fault::kNetworkLost:
    case Fault::kMediaKilled: return rooms.drop(t.room, t.kind, t.length);
    case Fault::kPacketLoss: return rooms.lose_packets(t.room, t.guest, t.length);
    case Fault::kMediaHangs: return rooms.hang(t.room, t.length);
    case Fault::kRecognizerKilled: return ear.kill(seconds(2));
    case Fault::kRecognizerMissing: return ear.remove(t.length);
    case Fault::kRecognizerBusy: return ear.busy(t.length);
    case Fault::kSpoolFull: return spool.full(t.length);
    case Fault::kSpoolNotRemoved: return spool.not_removable(t.length);
    case Fault::kSpoolReadFails: return spool.not_readable(t.length);
    case Fault::kSpoolTorn:
      if (!engine_) return;
      spool.tear();
      throw Killed{};
    case Fault::kClockForward: return jump(t, milliseconds(world.rng.between(2000, 60'000)));
    case Fault::kClockBack: return jump(t, milliseconds(-world.rng.between(2000, 60'000)));
    case Fault::kClockSetWhileDown:
    case Fault::kMachineRestarted:
    case Fault::kClockSetOverRestart: return die_and_set_clock(t);
    case Fault::kMachineSlow: return clock.slow_until(world.now() + t.length);
    case Fault::kSecondOwner: return second_owner();
    case Fault::kMinutesFailed: return disk.full(t.length);
    case Fault::kPauseRequested:
    case Fault::kStopRequested: return ask_person(t);
    default: return;  // those that the scenario's rooms and calendar bring about
  }
}

void Machine::ask_person(const Trouble& t) {
  if (!engine_) return;
  for (const auto& [meeting, room] : rooms.room_of) {
    const flow::State* state = engine_->find(meeting);
    const auto* m = state == nullptr ? nullptr : std::get_if<flow::MeetingState>(state);
    if (room != t.room || m == nullptr || !meeting::in_call(m->state)) continue;
    ++world.faults[t.kind];
    if (t.kind == Fault::kStopRequested) return engine_->post(meeting, flow::StopRequested{"a person"}, {}, audit::kByApi);
    engine_->post(meeting, flow::PauseRequested{true, "a person"}, {}, audit::kByApi);
    world.after(t.length, [this, meeting] {
      if (engine_) engine_->post(meeting, flow::PauseRequested{false, "a person"}, {}, audit::kByApi);
    });
    return;
  }
}

/// Sets the wall clock of the host, whatever it is doing: in the middle of a recording, while the store fails, while it is dead.
void Machine::set_clock(Duration skew) {
  if (world.skew == skew) return;
  ++world.clock_sets;
  world.log("the clock is set by " + std::to_string((skew - world.skew).ms) + " ms");
  world.skew = skew;
  woken_at_ = {};
}

/// The wall clock is wrong for a while.
void Machine::jump(const Trouble& t, Duration by) {
  if (world.skew.ms != 0) return;
  ++world.faults[t.kind];
  set_clock(by);
  world.after(t.length, [this] { set_clock({}); });
}

/// The daemon dies, alone or with its machine, and the wall clock is set before it is there again.
void Machine::die_and_set_clock(const Trouble& t) {
  const bool sets = t.kind != Fault::kMachineRestarted;
  if (!engine_ || (sets && world.skew.ms != 0)) return;
  ++world.faults[t.kind];
  if (t.kind != Fault::kClockSetWhileDown) {
    world.log("the machine starts again");
    world.restart_machine();
  }
  if (sets) {
    set_clock(milliseconds((world.rng.chance(50) ? 1 : -1) * world.rng.between(2000, 60'000)));
    world.after(t.length, [this] { set_clock({}); });
  }
  throw Killed{};
}

/// Somebody starts a second daemon on the same store. The one before still runs and wants to go on: it must not get through
/// and must stop. (What its children say from then on reaches nobody: they end with it.)
void Machine::second_owner() {
  if (!engine_) return;
  // One that waits for its store finds out only when it tries again.
  if (engine_->store_failing()) return world.after(seconds(5), [this] { second_owner(); });
  ++world.faults[Fault::kSecondOwner];
  world.log("a second daemon starts");
  const auto executor = std::move(executor_);
  const auto engine = std::move(engine_);
  children_die();
  start_daemon();
  std::vector<std::string> meetings;
  engine->for_each([&](const std::string& id, const flow::State& state) {
    if (std::holds_alternative<flow::MeetingState>(state)) meetings.push_back(id);
  });
  for (const std::string& id : meetings) engine->post(id, flow::StopRequested{"a person"}, {}, audit::kByApi);
  flow::MeetingSpec spec;
  spec.platform = "generic";
  spec.url = "https://rooms.example/whep/nobody";
  spec.start = clock.now() + hours(9);
  spec.end = spec.start + hours(1);
  spec.source = "manual";
  engine->post("nobodys-meeting", flow::MeetingSeen{"nobodys-meeting", spec, {}, 1});
  fenced_ = true;
  const auto first = engine->drain();
  const auto again = engine->drain();
  fenced_ = false;
  if (first || first.error().code != ErrorClass::kConflict || again || again.error().code != ErrorClass::kConflict ||
      engine->next_deadline()) {
    violations.push_back("a daemon went on after another had taken its store");
  }
}

/// A person goes through what the sinks did not take: what has arrived after all is dropped, the rest is sent again.
void Machine::look_at_dead_letters() {
  if (!engine_) return;
  for (const auto& [name, place] : sinks.places) {
    const flow::State* state = engine_->find(flow::sink_id(name));
    const auto* sink = state == nullptr ? nullptr : std::get_if<flow::SinkState>(state);
    if (sink == nullptr) continue;
    for (const flow::Delivery& d : sink->deliveries) {
      if (d.state != flow::DeliveryState::kDead) continue;
      dead_letters.emplace(d.task.key, d);
      const bool there = std::any_of(place.taken.begin(), place.taken.end(), [&](const auto& t) { return t.key == d.task.key; });
      engine_->post(flow::sink_id(name), flow::TaskDecided{d.task.key, !there}, {}, audit::kByApi);
    }
  }
}

}  // namespace hansard::sim
