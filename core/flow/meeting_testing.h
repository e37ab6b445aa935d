#pragma once
// For tests of one meeting: a fixture that drives it through its usual way.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/flow/step.h"

namespace hansard::flow::meeting_testing {
using meeting::FailureCode;
using Phase = meeting::State;

inline constexpr Instant kStart{1'780'000'000'000};

inline MeetingSpec spec(const std::string& source = "work", Instant start = kStart, std::int64_t sequence = 0) {
  MeetingSpec s;
  s.platform = "generic";
  s.meeting_key = "standup";
  s.url = "http://localhost/rooms/standup";
  s.title = "Standup";
  s.start = start;
  s.end = start + minutes(30);
  s.source = source;
  s.sequence = sequence;
  return s;
}

/// What the media process says of the meeting's present attempt.
inline MediaReport report(const MeetingState& state, MediaPhase phase, FailureCode code = FailureCode::kNone) {
  MediaReport r;
  r.epoch = state.epoch;
  r.phase = phase;
  r.code = code;
  r.announced = "display_name";
  r.reason = "network";
  return r;
}

/// Drives one meeting and checks after every event that the state survives being written and read.
class MeetingTest : public ::testing::Test {
 protected:
  void send(const Event& event) {
    last_ = step(state_, event, now_);
    const Batch& batch = last_;
    const Json json = to_json(State(state_));
    const auto back = from_json<State>(json);
    EXPECT_TRUE(back);
    if (back) {
      EXPECT_EQ(json_text(*back), json.dump());
    }
    for (const auto& r : batch.records) records_.push_back(r);
    for (const auto& e : batch.effects) effects_.push_back(e);
  }
  /// Fires the timers that are due when the clock reaches `at`.
  void advance_to(Instant at) {
    while (true) {
      const auto next = next_deadline(State(state_));
      if (!next || *next > at) break;
      now_ = std::max(now_, *next);
      for (const auto& name : due_timers(State(state_), now_)) send(TimerFired{name});
    }
    now_ = at;
  }
  template <class E>
  const E* last_effect() const {
    for (auto it = effects_.rbegin(); it != effects_.rend(); ++it) {
      if (const auto* e = std::get_if<E>(&*it)) return e;
    }
    return nullptr;
  }
  template <class E>
  std::size_t count_effects() const {
    return static_cast<std::size_t>(
        std::count_if(effects_.begin(), effects_.end(), [](const Effect& e) { return std::holds_alternative<E>(e); }));
  }
  template <class R>
  std::vector<R> all_records() const {
    std::vector<R> out;
    for (const auto& r : records_) {
      if (const auto* x = std::get_if<R>(&r)) out.push_back(*x);
    }
    return out;
  }
  MediaReport media(MediaPhase phase) const { return report(state_, phase); }

  void see() {
    now_ = kStart - minutes(60);
    send(MeetingSeen{"m1", spec(), {}, 7});
  }
  void prepare() {
    see();
    advance_to(kStart - minutes(10));
    ASSERT_EQ(state_.state, Phase::kValidating);
    send(Validated{});
    send(Prepared{});
  }
  void record() {
    prepare();
    advance_to(kStart);
    ASSERT_EQ(state_.state, Phase::kJoining);
    send(media(MediaPhase::kInCall));
    ASSERT_EQ(state_.state, Phase::kRecording);
    send(ParticipantChanged{"p1", "Ada", true, false, {}});
  }
  void finish() {
    send(SpeechDrained{true});
    AnalysisFinished done;
    AnalysisItem item;
    item.id = "a1";
    item.text = "Send the report";
    item.utterance_ids = {"u1"};
    item.quote = "send the report";
    done.items = {item};
    done.summary = "Ada: hello";
    send(done);
    send(MinutesWritten{{"minutes.md"}});
    send(CleanedUp{});
  }

  MeetingState state_;
  Batch last_;
  Instant now_ = kStart - hours(2);
  std::vector<Record> records_;
  std::vector<Effect> effects_;
};

}  // namespace hansard::flow::meeting_testing
