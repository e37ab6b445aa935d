#include "daemon/stopping.h"

#include "daemon/testing.h"

namespace hansard {
namespace {

using meeting::State;

struct FixedClock final : Clock {
  Instant now() const override { return time; }
  Duration monotonic() const override { return {time.ms}; }
  Instant time{1'000'000'000};
};

/// Plays the world: meetings can be joined, end when told to, and are processed at once.
struct World final : host::EffectRunner {
  void run(const std::string& aggregate, const std::string& key, const flow::Effect& effect) override {
    if (std::holds_alternative<flow::ValidateMeeting>(effect)) engine->post(aggregate, flow::Validated{}, key);
    if (std::holds_alternative<flow::PrepareMeeting>(effect)) engine->post(aggregate, flow::Prepared{}, key);
    if (const auto* start = std::get_if<flow::StartMedia>(&effect)) report(aggregate, start->epoch, flow::MediaPhase::kInCall);
    if (const auto* stop = std::get_if<flow::StopMedia>(&effect)) report(aggregate, stop->epoch, flow::MediaPhase::kLeft);
    if (std::holds_alternative<flow::DrainSpeech>(effect) && recognizes) engine->post(aggregate, flow::SpeechDrained{true});
    if (std::holds_alternative<flow::AnalyzeFinal>(effect)) {
      flow::AnalysisFinished finished;
      if (finds_task) finished.items = {AnalysisItem{"a1", ItemKind::kActionItem, "Send it", {}, {}, {"u1"}, "send it", 0.9}};
      engine->post(aggregate, finished, key);
    }
    if (std::holds_alternative<flow::WriteMinutes>(effect)) engine->post(aggregate, flow::MinutesWritten{}, key);
    if (std::holds_alternative<flow::CleanUp>(effect)) engine->post(aggregate, flow::CleanedUp{}, key);
    if (const auto* send = std::get_if<flow::SendTask>(&effect)) sent.push_back(*send);
  }
  void report(const std::string& id, std::uint32_t epoch, flow::MediaPhase phase) {
    flow::MediaReport m;
    m.epoch = epoch;
    m.phase = phase;
    m.announced = "display_name";
    engine->post(id, m);
  }
  host::Engine* engine = nullptr;
  bool recognizes = true;
  bool finds_task = false;
  std::vector<flow::SendTask> sent;
};

class StoppingTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    engine.emplace(*store, clock, world);
    world.engine = &*engine;
    ASSERT_TRUE(engine->start("test"));
  }
  /// A meeting that begins in `in`.
  void see(const std::string& id, Duration in) {
    flow::MeetingSeen seen;
    seen.id = id;
    seen.spec.platform = "generic";
    seen.spec.url = "https://rooms.example/" + id;
    seen.spec.start = clock.time + in;
    seen.spec.end = seen.spec.start + hours(1);
    seen.spec.source = "work";
    seen.settings.sinks = sinks;
    seen.settings.leave.lobby = seen.settings.leave.silent = hours(5);  // nobody comes and nobody speaks here
    seen.seed = 1;
    engine->post(id, seen);
    run();
  }
  void run() { ASSERT_TRUE(engine->drain()); }
  void pass(Duration time) {
    for (const Instant to = clock.time + time; clock.time < to; run()) clock.time = std::min(clock.time + seconds(1), to);
  }
  State state(const std::string& id) const {
    const flow::State* s = engine->find(id);
    return s == nullptr ? State::kDone : std::get<flow::MeetingState>(*s).state;
  }
  Stopping stopping(OnStop how = OnStop::kHandOver) { return {*engine, clock, how, hours(2)}; }

  FixedClock clock;
  World world;
  std::vector<std::string> sinks;
  std::optional<host::Engine> engine;
};

TEST_F(StoppingTest, FinishWaitsForWhatRunsAndBeginsNothing) {
  see("runs", seconds(0));
  see("soon", minutes(5));  // validated and prepared already
  see("later", minutes(30));
  ASSERT_EQ(state("runs"), State::kRecording);
  Stopping end = stopping();
  EXPECT_FALSE(end.asked());
  EXPECT_FALSE(end.due(true));
  EXPECT_TRUE(end.status().is_null());
  end.ask(OnStop::kFinish, audit::kByApi);
  EXPECT_EQ(end.act(), (audit::Act{clock.time, "api", "daemon.stop", "epoch:2", "finish"}));
  EXPECT_TRUE(end.asked());
  EXPECT_FALSE(end.due(true));
  EXPECT_EQ(end.status().text_or("how"), "finish");
  EXPECT_EQ(end.status().int_or("meetings", 0), 1);
  EXPECT_EQ(end.status().text_or("until"), format_rfc3339(clock.time + hours(2)));
  pass(minutes(40));
  EXPECT_EQ(state("soon"), State::kPreparing) << "its time has come, but not its daemon";
  EXPECT_EQ(state("later"), State::kScheduled);
  EXPECT_FALSE(end.due(true));
  world.report("runs", 1, flow::MediaPhase::kEnded);
  run();
  EXPECT_EQ(state("runs"), State::kDone);
  EXPECT_TRUE(end.due(true));
  // The next daemon joins what is due, and nothing was marked failed.
  engine.emplace(*store, clock, world);
  ASSERT_TRUE(engine->start("next"));
  run();
  EXPECT_EQ(state("soon"), State::kRecording);
  EXPECT_EQ(state("later"), State::kRecording);
}

TEST_F(StoppingTest, TheLimitEndsTheWait) {
  see("runs", seconds(0));
  Stopping end = stopping();
  end.ask(OnStop::kFinish);
  pass(minutes(50));
  EXPECT_FALSE(end.due(true));
  clock.time = clock.time + minutes(70);
  EXPECT_TRUE(end.due(true));
  EXPECT_EQ(end.status().int_or("meetings", 0), 1) << "handed over";
}

TEST_F(StoppingTest, LeaveLeavesWritesAndSaysWhy) {
  see("runs", seconds(0));
  see("soon", minutes(5));
  Stopping end = stopping();
  end.ask(OnStop::kLeave);
  EXPECT_FALSE(end.due(true)) << "its minutes are not written yet";
  run();
  EXPECT_TRUE(end.due(true));
  EXPECT_EQ(state("runs"), State::kDone);
  EXPECT_EQ(state("soon"), State::kPreparing) << "not one that runs";
  bool told = false;
  bool minutes_written = false;
  const auto rows = store->records({"runs", 0, 1000, {}});
  ASSERT_TRUE(rows);
  for (const StoredRecord& row : *rows) {
    const auto record = host::decode_record(row);
    ASSERT_TRUE(record);
    if (const auto* c = std::get_if<flow::ConsentRecord>(&*record))
      told = told || c->by.find("itself stopping") != std::string::npos;
    minutes_written = minutes_written || std::holds_alternative<flow::MinutesRecord>(*record);
  }
  EXPECT_TRUE(told);
  EXPECT_TRUE(minutes_written);
}

TEST_F(StoppingTest, EachSignalIsMoreUrgent) {
  see("runs", seconds(0));
  Stopping end = stopping(OnStop::kFinish);
  EXPECT_TRUE(end.signal());
  EXPECT_FALSE(end.due(true)) << "as configured";
  EXPECT_TRUE(end.signal());
  EXPECT_TRUE(end.due(true)) << "at once";
  EXPECT_FALSE(end.signal()) << "without another word";
  end.ask(OnStop::kFinish);
  EXPECT_TRUE(end.due(true)) << "cannot be taken back";
}

TEST_F(StoppingTest, ASignalEndsADrainThatAPersonBegan) {
  see("runs", seconds(0));
  Stopping end = stopping(OnStop::kFinish);
  end.ask(OnStop::kFinish);
  EXPECT_TRUE(end.signal());
  EXPECT_TRUE(end.due(true));
  EXPECT_EQ(state("runs"), State::kRecording) << "for the next daemon";
}

TEST_F(StoppingTest, AudioThatWaitsForARecognizerIsLeftToADaemonThatHasOne) {
  see("runs", seconds(0));
  world.recognizes = false;
  Stopping end = stopping();
  end.ask(OnStop::kLeave);
  run();
  ASSERT_EQ(state("runs"), State::kProcessing);
  EXPECT_FALSE(end.due(true)) << "it is recognized now";
  EXPECT_TRUE(end.due(false)) << "it would wait for days";
}

TEST_F(StoppingTest, WaitsUntilEachTaskWasSentOnce) {
  flow::SinkConfigured configured;
  configured.settings.id = "board";
  configured.seed = 1;
  engine->post(flow::sink_id("board"), configured);
  sinks = {"board"};
  world.finds_task = true;
  see("runs", seconds(0));
  Stopping end = stopping();
  end.ask(OnStop::kLeave);
  run();
  ASSERT_EQ(state("runs"), State::kDone);
  ASSERT_EQ(world.sent.size(), 1u);
  EXPECT_FALSE(end.due(true));
  EXPECT_EQ(end.status().int_or("tasks", 0), 1);
  EXPECT_TRUE(sending(*engine));
  engine->post(flow::sink_id("board"),
               flow::TaskAnswered{world.sent[0].task.key, world.sent[0].attempt, {tasks::Outcome::kUnavailable, "away", {}}});
  run();
  EXPECT_TRUE(end.due(true)) << "the next daemon tries again";
  EXPECT_FALSE(sending(*engine));
}

}  // namespace
}  // namespace hansard
