#include "sim/sinks.h"

#include <algorithm>

namespace hansard::sim {

using tasks::Answer;
using tasks::Outcome;
using tasks::SinkClass;

/// The daemon's side of one sink; dies with the daemon.
class Sinks::Door final : public host::TaskSink {
 public:
  Door(Sinks& sinks, Place& place) : sinks_(sinks), place_(place) {}
  SinkClass sink_class() const override { return place_.sink_class; }
  void send(const tasks::Task& task, Instant created, std::function<void(Answer)> done) override {
    sinks_.send(place_, task, created, done);
  }
  void find(const tasks::Task& task, std::function<void(Answer, bool)> done) override { sinks_.find(place_, task, done); }

 private:
  Sinks& sinks_;
  Place& place_;
};

Sinks::Sinks(World& world) : world_(world) {
  places["board"].sink_class = SinkClass::kIdempotent;
  places["chat"].sink_class = SinkClass::kFindable;
  places["mail"].sink_class = SinkClass::kOpaque;
}

std::map<std::string, std::shared_ptr<host::TaskSink>> Sinks::all() {
  std::map<std::string, std::shared_ptr<host::TaskSink>> out;
  for (auto& [name, place] : places) out.emplace(name, std::make_shared<Door>(*this, place));
  return out;
}

void Sinks::daemon_died() {
  if (flying_ > 0) ++world_.faults[Fault::kKilledWhileSending];
  flying_ = 0;
}

void Sinks::take(Place& place, const tasks::Task& task) {
  const bool known = std::any_of(place.taken.begin(), place.taken.end(), [&](const Taken& t) { return t.key == task.key; });
  if (known) place.repeated.insert(task.key);
  // An idempotent place knows the key again; the others show what came as often as it came.
  if (!known || place.sink_class != SinkClass::kIdempotent) place.taken.push_back({task.key, task.meeting, task.item.id});
}

void Sinks::send(Place& place, const tasks::Task& task, Instant created, const std::function<void(Answer)>& done) {
  place.sent.push_back(world_.now());
  if (created_.emplace(task.key, created).first->second != created)
    violations.push_back("a task's time changed with the attempt");
  const auto refusal = place.refused.find(task.key);
  if (refusal != place.refused.end() && refusal->second == world_.life()) place.insisted.insert(task.key);
  const Duration there = milliseconds(world_.rng.between(20, 200));
  Duration back = there + there;
  Answer answer{Outcome::kAccepted, {}, {}};
  bool taken = true;
  const auto meets = [&](Fault kind) {
    if (!on(kind)) return false;
    ++world_.faults[kind];
    return true;
  };
  if (meets(Fault::kSinkDown)) {
    taken = false;
    answer = {Outcome::kUnavailable, "no connection", {}};
  } else if (meets(Fault::kSinkBusy)) {
    taken = false;
    answer = {Outcome::kBusy, "too many requests", seconds(90)};
  } else if (meets(Fault::kSinkRefuses)) {
    taken = false;
    place.refused[task.key] = world_.life();
    answer = {Outcome::kRefused, "not allowed", {}};
  } else if (meets(Fault::kSinkRequestLost)) {
    taken = false;
    back = seconds(30);
    answer = {Outcome::kUnknown, "no answer", {}};
  } else if (meets(Fault::kSinkAnswerLost)) {
    back = seconds(30);
    answer = {Outcome::kUnknown, "no answer", {}};
  } else if (meets(Fault::kSinkSlow)) {
    back = minutes(4);  // longer than anybody waits
  }
  // What has left arrives, whether or not its sender lives.
  if (taken) world_.after(there, [this, &place, task] { take(place, task); });
  ++flying_;
  world_.for_daemon(back, [this, done, answer] {
    --flying_;
    done(answer);
  });
  if (on_send) on_send();
}

void Sinks::find(Place& place, const tasks::Task& task, const std::function<void(Answer, bool)>& done) {
  if (place.sink_class != SinkClass::kFindable) violations.push_back("a sink that is not findable was asked");
  const bool down = on(Fault::kSinkDown) || on(Fault::kSinkRequestLost) || on(Fault::kSinkAnswerLost);
  const bool busy = on(Fault::kSinkBusy);
  world_.for_daemon(milliseconds(world_.rng.between(40, 400)), [&place, key = task.key, done, down, busy] {
    if (down) return done({Outcome::kUnavailable, "no connection", {}}, false);
    if (busy) return done({Outcome::kBusy, "too many requests", seconds(90)}, false);
    done({Outcome::kAccepted, {}, {}},
         std::any_of(place.taken.begin(), place.taken.end(), [&](const Taken& t) { return t.key == key; }));
  });
}

}  // namespace hansard::sim
