// What a run must not do before everything that lives has been told that it began.
#include "sim/engine_testing.h"

namespace hansard::sim {
namespace {

/// A task whose next attempt became due while no daemon ran.
class TaskDueAtStartTest : public EngineTest {
 protected:
  /// An attempt fails, the daemon ends, and the next attempt becomes due.
  void fail_and_end() {
    flow::SinkConfigured configured;
    configured.settings.id = "board";
    configured.settings.sink_class = tasks::SinkClass::kOpaque;
    configured_ = configured;
    engine_->post(kSink, configured_);
    flow::TaskWanted wanted;
    wanted.sink = "board";
    wanted.task.key = "k1";
    wanted.task.meeting = "m";
    engine_->post(kSink, wanted);
    ASSERT_TRUE(engine_->drain());
    ASSERT_EQ(sent(), 1u);
    engine_->post(kSink, flow::TaskAnswered{"k1", 1, {tasks::Outcome::kUnavailable, "down", {}}});
    ASSERT_TRUE(engine_->drain());
    clock_.time = clock_.time + minutes(1);
  }
  std::size_t sent() const {
    std::size_t n = 0;
    for (const Released& r : runner_.released) n += std::holds_alternative<flow::SendTask>(r.effect);
    return n;
  }
  /// The engine's state, which is the store's, knows of the attempt that was released.
  void expect_it_leaves_once_and_on_record() {
    begin();
    ASSERT_TRUE(engine_->drain());
    EXPECT_EQ(sent(), 0u) << "this run has not said yet that the sink is still wanted";
    engine_->post(kSink, configured_);
    ASSERT_TRUE(engine_->drain());
    EXPECT_EQ(sent(), 1u);
    const auto& sink = std::get<flow::SinkState>(*engine_->find(kSink));
    ASSERT_EQ(sink.deliveries.size(), 1u);
    EXPECT_EQ(sink.deliveries[0].state, flow::DeliveryState::kSending);
    EXPECT_EQ(sink.deliveries[0].attempts, 2);
  }

  static constexpr const char* kSink = "sink:board";
  flow::SinkConfigured configured_;
};

TEST_F(TaskDueAtStartTest, IsNotSentBeforeTheSinkIsConfigured) {
  fail_and_end();
  expect_it_leaves_once_and_on_record();
}

TEST_F(TaskDueAtStartTest, NorBecauseTheClockWasSet) {
  fail_and_end();
  clock_.time = clock_.time + hours(1);
  clock_.set = clock_.set + hours(1);
  expect_it_leaves_once_and_on_record();
}

TEST_F(TaskDueAtStartTest, NorWhenMoreLivesThanOneCommitTells) {
  for (int i = 0; i < 200; ++i) engine_->post("m" + std::to_string(i), seen("m" + std::to_string(i), hours(5)));
  fail_and_end();
  expect_it_leaves_once_and_on_record();
}

}  // namespace
}  // namespace hansard::sim
