// The engine and the audit log: a row in the commit that it is about, once, whatever the store does.
#include "sim/engine_testing.h"

namespace hansard::sim {
namespace {

class EngineAuditTest : public EngineTest {
 protected:
  /// "ACTOR ACTION OBJECT" of each row after the first two (the beginning, and the engine's start).
  std::vector<std::string> acts() const {
    std::vector<std::string> out;
    for (const audit::Row& row : store_.audit_log()) out.push_back(row.act.actor + " " + row.act.action + " " + row.act.object);
    out.erase(out.begin(), out.begin() + 2);
    return out;
  }
  using Acts = std::vector<std::string>;
  flow::MeetingSeen by_hand(const std::string& id) const {
    flow::MeetingSeen e = seen(id, minutes(5));
    e.spec.by_hand = true;
    e.spec.source = "manual";
    return e;
  }
};

TEST_F(EngineAuditTest, SaysWhoBecameOwnerAndWhen) {
  const auto& log = store_.audit_log();
  ASSERT_EQ(log.size(), 2u);
  EXPECT_EQ(log[1].act, (audit::Act{clock_.time, "test", "store.open", "epoch:" + std::to_string(engine_->epoch()), "ok"}));
}

TEST_F(EngineAuditTest, AnActIsInTheCommitOfItsEventAndHasItsActor) {
  engine_->post("m1", by_hand("m1"), {}, audit::kByCli);
  engine_->post("m1", flow::StopRequested{"Ada"}, {}, audit::kByApi);
  engine_->post("m1", flow::StopRequested{"Ada"}, {}, audit::kByApi);
  ASSERT_TRUE(engine_->drain());
  EXPECT_EQ(store_.commits(), 1u);
  EXPECT_EQ(acts(), (Acts{"cli meeting.join m1", "api meeting.stop m1"}));
}

TEST_F(EngineAuditTest, AFailedCommitLeavesNoRowAndTheNextOneEachOnce) {
  int fails = 2;
  store_.before_commit = [&](std::uint64_t) -> Result<void> {
    if (fails-- > 0) return fail(ErrorClass::kExhausted, "store", "full");
    return {};
  };
  engine_->post("m1", by_hand("m1"), {}, audit::kByApi);
  engine_->audit({clock_.time, "daemon", "request.refuse", "count:3", "no token"});
  EXPECT_EQ(*engine_->next_deadline(), Instant{});
  for (int i = 0; i < 2; ++i) {
    ASSERT_FALSE(engine_->drain());
    EXPECT_EQ(acts(), Acts{});
    engine_->audit({clock_.time, "api", "daemon.stop", std::to_string(i), "finish"});
    clock_.time = *engine_->next_deadline();
  }
  ASSERT_TRUE(engine_->drain());
  EXPECT_EQ(acts(), (Acts{"api meeting.join m1", "daemon request.refuse count:3", "api daemon.stop 0", "api daemon.stop 1"}));
  ASSERT_TRUE(engine_->drain());
  EXPECT_EQ(acts().size(), 4u);
}

TEST_F(EngineAuditTest, AnActAloneIsACommit) {
  engine_->audit({clock_.time, "api", "daemon.stop", "epoch:1", "finish"});
  EXPECT_EQ(*engine_->next_deadline(), Instant{});
  ASSERT_TRUE(engine_->drain());
  EXPECT_EQ(acts(), Acts{"api daemon.stop epoch:1"});
  EXPECT_NE(engine_->next_deadline(), Instant{});
}

TEST_F(EngineAuditTest, AStaleOwnerAddsNothing) {
  const auto stale = std::move(engine_);
  begin();
  stale->post("m1", by_hand("m1"), {}, audit::kByApi);
  stale->audit({clock_.time, "api", "daemon.stop", "epoch:1", "finish"});
  EXPECT_FALSE(stale->drain());
  EXPECT_EQ(acts(), Acts{"test store.open epoch:" + std::to_string(engine_->epoch())});
}

}  // namespace
}  // namespace hansard::sim
