// The judge of the audit log sees what is too much and what is missing.
#include "sim/audit_check.h"

#include <gtest/gtest.h>

namespace hansard::sim {
namespace {

std::vector<std::string> judged(Machine& machine) {
  std::vector<std::string> out;
  check_audit(machine, out);
  return out;
}

TEST(AuditCheck, FindsARowForNothingAndOneThatIsMissing) {
  const Scenario scenario = reference_scenario();
  const RunOptions options;
  Machine machine(scenario, options);
  machine.run();
  EXPECT_EQ(judged(machine), std::vector<std::string>{});
  EXPECT_GE(machine.store.audit_log().size(), 6u) << "beginning, start, calendar, consent, minutes, cleaning";
  ++machine.starts;
  EXPECT_EQ(judged(machine), std::vector<std::string>{"the audit log does not have: sim store.open epoch:2 ok"});
  --machine.starts;
  Commit commit;
  commit.audit = {{Instant{1}, "api", "meeting.stop", "m1", "ok"}};
  ASSERT_TRUE(machine.store.commit(1, {&commit, 1}));
  EXPECT_EQ(judged(machine), std::vector<std::string>{"the audit log has, for nothing: api meeting.stop m1 ok"});
}

}  // namespace
}  // namespace hansard::sim
