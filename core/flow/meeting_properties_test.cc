// Laws of the meeting flow under anything that may come: events in any order, late, twice and for nothing, from several
// calendars, with people, faults, restarts and other meetings at the same place. After each event the laws of the state hold, and
// once the world only does what it is asked to do, every meeting ends.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/base/prng.h"
#include "core/flow/meeting_step.h"

namespace hansard::flow {
namespace {

constexpr Instant kStart{1'780'000'000'000};

class Walk {
 public:
  explicit Walk(std::uint64_t seed) : rng_(seed) {}

  void run(int events) {
    for (int i = 0; i < events && !::testing::Test::HasFailure(); ++i) {
      if (rng_.chance(60)) now_ = now_ + Duration{rng_.between(0, rng_.chance(20) ? 900'000 : 20'000)};
      for (const auto& name : due_timers(State(s_), now_)) apply(TimerFired{name});
      apply(any_event());
    }
  }

  /// From here on each request is answered, each timer fires, and nothing else comes.
  void settle() {
    const Instant began = now_;
    const int mood = static_cast<int>(rng_.below(4));
    for (int i = 0; !finished(State(s_)) && !::testing::Test::HasFailure(); ++i) {
      ASSERT_LT(i, 2'000) << "it goes round in circles in " << enum_name(s_.state);
      if (!asked_.empty()) {
        const Effect effect = asked_.front();
        asked_.erase(asked_.begin());
        if (const auto event = answer(effect, mood)) apply(*event);
        continue;
      }
      const auto next = next_deadline(State(s_));
      ASSERT_TRUE(next) << "nothing will ever happen again in " << enum_name(s_.state);
      now_ = std::max(now_, *next);
      for (const auto& name : due_timers(State(s_), now_)) apply(TimerFired{name});
    }
    EXPECT_LT(now_ - began, hours(24 * 8));
  }

  const MeetingState& state() const { return s_; }

 private:
  template <class T>
  T one_of(std::initializer_list<T> all) {
    return *(all.begin() + static_cast<std::ptrdiff_t>(rng_.below(all.size())));
  }
  bool flip() { return rng_.chance(50); }

  MeetingSpec spec() {
    MeetingSpec s;
    s.platform = "generic";
    s.meeting_key = rng_.chance(90) ? "room" : "other room";
    s.url = "http://localhost/" + s.meeting_key + (rng_.chance(90) ? "" : "?new");
    s.title = one_of<std::string>({"Standup", "Daily"});
    s.source = one_of<std::string>({"work", "home", "feed", "meeting:m2"});
    s.sequence = rng_.between(0, 3);
    s.start = rng_.chance(70) ? kStart : rng_.chance(80) ? now_ + minutes(rng_.between(-40, 300)) : kStart + hours(24);
    s.end = s.start + minutes(rng_.chance(90) ? 30 : 0);
    s.by_hand = rng_.chance(10);
    return s;
  }
  MediaReport report() {
    MediaReport r;
    r.epoch = rng_.chance(85) ? s_.epoch : static_cast<std::uint32_t>(rng_.below(s_.epoch + 2));
    r.phase = one_of({MediaPhase::kWaitingRoom, MediaPhase::kInCall, MediaPhase::kInCall, MediaPhase::kInCall, MediaPhase::kLost,
                      MediaPhase::kLost, MediaPhase::kEnded, MediaPhase::kRefused, MediaPhase::kLeft});
    r.code = one_of({FailureCode::kNone, FailureCode::kMeetingNotFound, FailureCode::kMeetingNotFound, FailureCode::kDenied});
    r.announced = rng_.chance(90) ? "display_name" : "";
    r.reason = one_of<std::string>({"", "network", "media_process"});
    if (rng_.chance(10)) r.retry_after = seconds(rng_.between(1, 200));
    return r;
  }
  Event speech() {
    const std::string who = one_of<std::string>({"p1", "p2", "p3"});
    const std::int64_t at = std::max<std::int64_t>(0, (now_ - s_.origin).ms - rng_.between(0, 40'000));
    const MediaTime start{at};
    const MediaTime end{at + rng_.between(-10, 9'000)};
    if (flip()) return SegmentFinal{who, start, end, rng_.chance(90) ? "Words." : "", {}};
    if (flip()) return SpanHeard{who, start, end, Coverage::kSilent, {}};
    return GapDetected{{who, start, end, Coverage::kLost, "network"}};
  }
  Event any_event() {
    // What was asked for is answered most of the time, once or twice.
    if (!asked_.empty() && rng_.chance(35)) {
      const auto at = asked_.begin() + static_cast<std::ptrdiff_t>(rng_.below(asked_.size()));
      const Effect effect = *at;
      if (rng_.chance(80)) asked_.erase(at);
      if (const auto event = answer(effect, static_cast<int>(rng_.below(4)))) return *event;
    }
    switch (rng_.below(20)) {
      case 0:
      case 1:
      case 2: return MeetingSeen{"m1", spec(), {}, 7};
      case 3: return MeetingGone{one_of<std::string>({"work", "home", "feed", "meeting:m2"}), "removed"};
      case 4: return rng_.chance(30) ? Event(PlaceTaken{flip() ? s_.id : "m0"}) : Event(PlaceFree{"m0"});
      case 5: return rng_.chance(30) ? Event(StopRequested{"Ada"}) : Event(HostStarted{});
      case 6: return PauseRequested{flip(), "Ada"};
      case 7: return flip() ? Event(Validated{}) : Event(RecognizerReady{});
      case 8: return ValidationFailed{FailureCode::kBadPasscode, rng_.chance(80), flip() ? "down" : ""};
      case 9:
      case 10:
      case 11: return report();
      case 12: {
        ParticipantChanged e;
        e.id = one_of<std::string>({"p1", "p2", "p3"});
        e.name = one_of<std::string>({"", "Ada", "Bob"});
        e.present = flip();
        e.bot = rng_.chance(30);
        return e;
      }
      case 13:
      case 14:
      case 15: return speech();
      case 16: {
        if (rng_.chance(30)) return HostNotice{flip() ? "the disk is full" : ""};
        if (rng_.chance(30)) return ClockMoved{seconds(rng_.between(-900, 900))};
        return SpeechDrained{flip()};
      }
      case 17:
        return flip() ? Event(ItemsChanged{{ItemChange{}}}) : Event(TimerFired{one_of<std::string>({"lobby", "end", "left"})});
      case 18: return flip() ? Event(StepFailed{"analysis", "out of memory"}) : Event(AnalysisFinished{{}, {AnalysisItem{}}, ""});
      default: return flip() ? Event(TaskDelivered{}) : Event(CleanedUp{});
    }
  }

  std::optional<Event> answer(const Effect& effect, int mood) {
    if (std::holds_alternative<ValidateMeeting>(effect)) return Validated{};
    if (std::holds_alternative<PrepareMeeting>(effect)) {
      Prepared e;
      e.room = rng_.chance(70);
      if (!e.room) e.note = "the disk is full";
      return e;
    }
    if (const auto* start = std::get_if<StartMedia>(&effect)) {
      MediaReport r;
      r.epoch = start->epoch;
      if (mood == 0) return std::nullopt;  // never a word
      r.phase = mood == 1 ? MediaPhase::kWaitingRoom : mood == 2 ? MediaPhase::kInCall : MediaPhase::kRefused;
      r.code = mood == 3 ? FailureCode::kMeetingNotFound : FailureCode::kNone;
      r.announced = "display_name";
      return r;
    }
    if (std::holds_alternative<DrainSpeech>(effect)) return SpeechDrained{mood != 3};
    if (std::holds_alternative<AnalyzeFinal>(effect)) return AnalysisFinished{{}, {AnalysisItem{}}, "Ada: hello"};
    if (std::holds_alternative<WriteMinutes>(effect)) return MinutesWritten{{"minutes.md"}};
    if (std::holds_alternative<CleanUp>(effect)) return CleanedUp{};
    return std::nullopt;
  }

  void apply(const Event& event) {
    const MeetingState before = s_;
    if (const auto* moved = std::get_if<ClockMoved>(&event)) now_ = now_ + moved->by;
    const Batch batch = step(s_, event, now_);
    for (const Effect& e : batch.effects) asked_.push_back(e);
    // Media and speech of the run before are gone with the program; what is durable is asked for again by the host.
    if (std::holds_alternative<HostStarted>(event)) {
      std::erase_if(asked_, [&](const Effect& e) { return !durable(e); });
      for (const Effect& e : batch.effects) {
        if (!durable(e)) asked_.push_back(e);
      }
    }
    SCOPED_TRACE(std::string(std::visit([](const auto& e) { return std::remove_cvref_t<decltype(e)>::kType; }, event)) + " in " +
                 std::string(enum_name(before.state)));
    check_path(before, batch);
    check_state();
    check_speech(before, batch);
    if (const auto* fired = std::get_if<TimerFired>(&event); fired != nullptr && !before.timers.contains(fired->name)) {
      EXPECT_TRUE(batch.empty());
    }
    if (const auto* r = std::get_if<MediaReport>(&event);
        r != nullptr && r->epoch == before.epoch && r->phase == MediaPhase::kWaitingRoom && s_.state == Phase::kInWaitingRoom) {
      EXPECT_FALSE(s_.timers.contains(timer::kJoinAnswer) || s_.timers.contains(timer::kReconnect)) << "it waits, so let it";
    }
    if (++steps_ % 4 != 0) return;
    const Json json = to_json(State(s_));
    const auto back = from_json<State>(json);
    ASSERT_TRUE(back);
    EXPECT_EQ(to_json(*back), json);
  }

  /// What is told is a path through the table, from the state before to the state after.
  void check_path(const MeetingState& before, const Batch& batch) const {
    Phase at = before.state;
    for (const Record& r : batch.records) {
      const auto* told = std::get_if<StateRecord>(&r);
      if (told == nullptr || told->state == at) continue;
      const auto edges = meeting::transitions();
      EXPECT_TRUE(std::any_of(edges.begin(), edges.end(), [&](const auto& t) { return t.from == at && t.to == told->state; }))
          << enum_name(at) << " -> " << enum_name(told->state);
      at = told->state;
    }
    EXPECT_EQ(at, s_.state) << "a change that nobody is told";
    const auto starts = std::count_if(batch.effects.begin(), batch.effects.end(),
                                      [](const Effect& e) { return std::holds_alternative<StartMedia>(e); });
    EXPECT_EQ(s_.epoch, before.epoch + starts);
  }

  void check_state() const {
    const auto has = [&](const char* t) { return s_.timers.contains(t); };
    EXPECT_NE(s_.state, Phase::kInCall) << "nobody rests where nothing is recorded";
    EXPECT_NE(s_.state, Phase::kDistributing);
    EXPECT_FALSE(has(timer::kJoinAnswer) && has(timer::kReconnect)) << "an attempt is under way, or the next one is planned";
    if (meeting::in_call(s_.state)) {
      for (const char* t : {timer::kJoinAnswer, timer::kReconnect, timer::kLobby}) EXPECT_FALSE(has(t)) << t;
      EXPECT_NE(s_.origin.ms, 0);
      EXPECT_EQ(s_.paused, s_.state == Phase::kPaused);
    }
    if (meeting::is_final(s_.state)) {
      EXPECT_EQ(s_.timers.size(), has(timer::kPlace) ? 1u : 0u);
    }
    if (s_.state == Phase::kScheduled) {
      EXPECT_TRUE(has(timer::kValidate));
    }
    if (s_.state == Phase::kJoining || s_.state == Phase::kReconnecting) {
      EXPECT_TRUE(has(timer::kJoinAnswer) || has(timer::kReconnect));
    }
    if (s_.state == Phase::kInWaitingRoom) {
      EXPECT_TRUE(has(timer::kLobby));
    }
    if (s_.state == Phase::kLeaving) {
      EXPECT_TRUE(has(timer::kLeft));
    }
    EXPECT_LE(s_.attempts, meeting::kReconnectAttempts);
    if (s_.again) {
      EXPECT_TRUE(s_.cancelled && s_.origin.ms == 0 && (s_.state == Phase::kLeaving || s_.state == Phase::kCleaning));
    }
    EXPECT_EQ(s_.sources.size(), std::set<std::string>(s_.sources.begin(), s_.sources.end()).size());
    for (const MeetingSpec& v : s_.views)
      EXPECT_NE(std::find(s_.sources.begin(), s_.sources.end(), v.source), s_.sources.end()) << "the view of who has no say";
    EXPECT_NE(s_.behind, "m1");
  }

  /// Each millisecond that the recognizer answers for is told once, and in order.
  void check_speech(const MeetingState& before, const Batch& batch) {
    for (const Record& r : batch.records) {
      if (const auto* u = std::get_if<UtteranceRecord>(&r)) {
        EXPECT_EQ(u->utterance.id, "u" + std::to_string(s_.utterances));
        EXPECT_FALSE(u->utterance.text.empty());
      }
      const auto* c = std::get_if<CoverageRecord>(&r);
      if (c == nullptr || c->interval.state == Coverage::kLost) continue;
      EXPECT_LT(c->interval.start, c->interval.end);
      MediaTime& until = answered_[c->interval.participant];
      EXPECT_LE(until, c->interval.start) << "told twice";
      until = c->interval.end;
    }
    for (const ParticipantState& old : before.participants) {
      const auto p = std::find_if(s_.participants.begin(), s_.participants.end(), [&](const auto& x) { return x.id == old.id; });
      if (before.origin.ms == 0) continue;  // nothing was recorded: it may have started over
      ASSERT_NE(p, s_.participants.end());
      EXPECT_LE(old.covered_until, p->covered_until);
    }
  }

  Prng rng_;
  MeetingState s_;
  Instant now_ = kStart - hours(1);
  std::vector<Effect> asked_;
  std::map<std::string, MediaTime> answered_;
  std::uint64_t steps_ = 0;
};

TEST(MeetingProperties, WhateverComesTheLawsHoldAndEveryMeetingEnds) {
  std::set<Phase> ends;
  for (std::uint64_t seed = 1; seed <= 400 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Walk walk(seed);
    walk.run(static_cast<int>(10 + seed % 90));
    walk.settle();
    ends.insert(walk.state().state);
  }
  EXPECT_EQ(ends, (std::set<Phase>{Phase::kNew, Phase::kDone, Phase::kFailed, Phase::kCancelled})) << "the walks go everywhere";
}

}  // namespace
}  // namespace hansard::flow
