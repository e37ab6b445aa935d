#pragma once
// What the tests of the engine share: a clock that is set by hand, a runner that keeps what is released, and meetings in a room.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "host/engine.h"
#include "host/stored.h"
#include "sim/memory_store.h"

namespace hansard::sim {

struct FixedClock final : Clock {
  Instant now() const override { return time; }
  Duration monotonic() const override { return {time.ms - set.ms}; }
  std::string boot() const override { return name; }
  Instant time{1'000'000};
  Duration set;  ///< by how much the wall clock was set forward
  std::string name = "first boot";
};

struct Released {
  std::string aggregate;
  std::string key;
  flow::Effect effect;
};

struct ListRunner final : host::EffectRunner {
  void run(const std::string& aggregate, const std::string& key, const flow::Effect& effect) override {
    released.push_back({aggregate, key, effect});
    if (during) during();
  }
  MediaTime captured_until(const std::string&) override { return captured; }
  std::vector<Released> released;
  std::function<void()> during;
  MediaTime captured;
};

class EngineTest : public ::testing::Test {
 protected:
  EngineTest() { begin(); }
  void begin() {
    runner_.released.clear();
    engine_ = std::make_unique<host::Engine>(store_, clock_, runner_);
    ASSERT_TRUE(engine_->start("test"));
  }
  flow::MeetingSeen seen(const std::string& id, Duration in) const {
    flow::MeetingSpec spec;
    spec.platform = "generic";
    spec.url = "https://rooms.example/" + id;
    spec.start = clock_.time + in;
    spec.end = spec.start + minutes(10);
    spec.source = "work";
    return {id, spec, {}, 7};
  }
  /// A meeting that has just asked for its validation; returns the effect's key.
  std::string validating(const std::string& id) {
    engine_->post(id, seen(id, minutes(5)));
    EXPECT_TRUE(engine_->drain());
    EXPECT_EQ(runner_.released.size(), 1u);
    return runner_.released.empty() ? "" : runner_.released.back().key;
  }
  meeting::State state(const std::string& id) const {
    const flow::State* s = engine_->find(id);
    return s == nullptr ? meeting::State::kNew : std::get<flow::MeetingState>(*s).state;
  }

  FixedClock clock_;
  MemoryStore store_;
  ListRunner runner_;
  std::unique_ptr<host::Engine> engine_;
};

/// Meetings in one room, under ids that calendars gave them.
class OneRoomTest : public EngineTest {
 protected:
  flow::MeetingSpec in_room(const std::string& calendar, Instant start) const {
    flow::MeetingSpec s = seen("room", {}).spec;
    s.meeting_key = "room";
    s.start = start;
    s.end = start + minutes(30);
    s.source = calendar;
    return s;
  }
  void show(const std::string& id, const std::string& calendar, Instant start) {
    engine_->post(id, flow::MeetingSeen{id, in_room(calendar, start), {}, 7});
    run();
  }
  void drop(const std::string& id, const std::string& calendar) {
    engine_->post(id, flow::MeetingGone{calendar, "removed"});
    run();
  }
  /// Drains, and answers what is asked before a meeting and after it.
  void run() {
    ASSERT_TRUE(engine_->drain());
    while (!runner_.released.empty()) {
      const auto released = std::exchange(runner_.released, {});
      for (const Released& r : released) answer(r);
      ASSERT_TRUE(engine_->drain());
    }
  }
  void answer(const Released& r) {
    if (std::holds_alternative<flow::ValidateMeeting>(r.effect)) engine_->post(r.aggregate, flow::Validated{}, r.key);
    if (std::holds_alternative<flow::PrepareMeeting>(r.effect)) engine_->post(r.aggregate, flow::Prepared{}, r.key);
    if (const auto* start = std::get_if<flow::StartMedia>(&r.effect)) {
      bots_.push_back(r.aggregate);
      report(r.aggregate, start->epoch, flow::MediaPhase::kInCall);
    }
    if (const auto* stop = std::get_if<flow::StopMedia>(&r.effect)) report(r.aggregate, stop->epoch, flow::MediaPhase::kLeft);
    if (std::holds_alternative<flow::DrainSpeech>(r.effect)) engine_->post(r.aggregate, flow::SpeechDrained{true}, r.key);
    if (std::holds_alternative<flow::AnalyzeFinal>(r.effect)) engine_->post(r.aggregate, flow::AnalysisFinished{}, r.key);
    if (std::holds_alternative<flow::WriteMinutes>(r.effect)) engine_->post(r.aggregate, flow::MinutesWritten{}, r.key);
    if (std::holds_alternative<flow::CleanUp>(r.effect)) engine_->post(r.aggregate, flow::CleanedUp{}, r.key);
  }
  void report(const std::string& id, std::uint32_t epoch, flow::MediaPhase phase) {
    flow::MediaReport m;
    m.epoch = epoch;
    m.phase = phase;
    m.announced = "display_name";
    engine_->post(id, m);
  }
  void advance_to(Instant to) {
    for (auto at = engine_->next_deadline(); at && *at <= to; at = engine_->next_deadline()) {
      clock_.time = std::max(clock_.time, *at);
      run();
    }
    clock_.time = to;
  }
  /// The room closes.
  void end(const std::string& id) {
    report(id, 1, flow::MediaPhase::kEnded);
    run();
    EXPECT_EQ(stored(id), meeting::State::kDone);
  }
  meeting::State stored(const std::string& id) {
    const auto s = host::decode<flow::State>(store_.peek(id)->state, host::state_binding(id));
    return std::get<flow::MeetingState>(*s).state;
  }
  using Bots = std::vector<std::string>;

  const Instant start_ = clock_.time + hours(4);
  Bots bots_;  ///< meetings for which one was sent, in order
};

}  // namespace hansard::sim
