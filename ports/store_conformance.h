#pragma once
// What every Store must do, as tests. A test program of an implementation includes this file once and instantiates it:
//
//   INSTANTIATE_TEST_SUITE_P(Sqlite, StoreConformance, testing::Values(StoreFactory{[] { return std::make_unique<...>(); }}));
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/audit/verify.h"
#include "ports/store.h"

namespace hansard {

/// One fresh store. reopen() gives it up as a process that dies would, and opens it again.
class StoreHarness {
 public:
  virtual ~StoreHarness() = default;
  virtual Store& store() = 0;
  virtual void reopen() = 0;
};

/// The value of an answer, by value: safe in a range-for. A failure shows as an exception, which fails the test.
template <class T>
T got(Result<T> r) {
  if (!r) throw std::runtime_error("the store said: " + r.error().detail);
  return std::move(*r);
}

struct StoreFactory {
  std::function<std::unique_ptr<StoreHarness>()> make;
};

class StoreConformance : public testing::TestWithParam<StoreFactory> {
 protected:
  void SetUp() override {
    harness_ = GetParam().make();
    const auto fence = store().acquire("first", Instant{1});
    ASSERT_TRUE(fence) << fence.error().detail;
    fence_ = *fence;
  }
  Store& store() { return harness_->store(); }

  static Commit commit_of(const std::string& aggregate, std::uint64_t expected, const std::string& state = "s") {
    Commit c;
    c.aggregate = aggregate;
    c.kind = "meeting";
    c.expected_version = expected;
    c.at = Instant{1000 + static_cast<std::int64_t>(expected)};
    c.state = state;
    c.journal = "event " + std::to_string(expected);
    return c;
  }
  static StoredRecord record_of(const std::string& kind, const std::string& body) { return {0, {}, kind, Instant{77}, body}; }
  void commit(const Commit& c) {
    const auto r = store().commit(fence_, {&c, 1});
    ASSERT_TRUE(r) << r.error().detail;
  }
  /// Everything a reader can see, to show that a refused commit left nothing behind.
  std::string everything() {
    std::string out;
    for (const auto& a : got(store().aggregates({}, false))) {
      out += a.id + "/" + a.kind + "/" + std::to_string(a.version) + "/" + std::to_string(a.finished) + "/" + a.state + ";";
      for (const auto& [at, event] : got(store().journal(a.id))) out += std::to_string(at.ms) + "=" + event + ",";
    }
    for (const auto& r : got(store().records({}))) out += std::to_string(r.seq) + r.aggregate + r.kind + r.body + ";";
    for (const auto& e : got(store().effects())) out += e.key + e.aggregate + e.body + std::to_string(e.held) + ";";
    const audit::Head head = got(store().audit_head());
    out += std::to_string(head.seq) + audit::hex(head.hash);
    return out;
  }

  static audit::Act act_of(const std::string& object) { return {Instant{77}, "api", "meeting.stop", object, "ok"}; }
  /// The whole audit log, read `page` rows at a time, as "ACTION OBJECT;" of each, after it has been verified.
  std::string log(std::size_t page = 3) {
    std::string out;
    audit::Verifier verifier({got(store().audit_head())});
    std::uint64_t after = 0;
    for (std::vector<audit::Row> rows; !(rows = got(store().audit_rows(after, page))).empty(); after = rows.back().seq) {
      EXPECT_LE(rows.size(), page);
      for (const audit::Row& row : rows) {
        verifier.take(row);
        out += row.act.action + " " + row.act.object + ";";
      }
    }
    const audit::Verdict verdict = verifier.finish();
    EXPECT_EQ(verdict.fault, audit::Fault::kNone) << audit::describe(verdict);
    EXPECT_EQ(verdict.head, got(store().audit_head()));
    return out;
  }

  std::unique_ptr<StoreHarness> harness_;
  std::uint64_t fence_ = 0;
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StoreConformance);

TEST_P(StoreConformance, IsEmptyAtFirst) {
  EXPECT_TRUE(store().aggregates({}, false)->empty());
  EXPECT_TRUE(store().records({})->empty());
  EXPECT_TRUE(store().effects()->empty());
  EXPECT_EQ(*store().last_seq(), 0u);
  EXPECT_FALSE(store().load("m1")->has_value());
  EXPECT_TRUE(store().journal("m1")->empty());
  EXPECT_FALSE(store().context("m1")->has_value());
}

TEST_P(StoreConformance, KeepsEveryByteOverAReopen) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  Commit c = commit_of("m1", 0, bytes);
  c.journal = bytes;
  c.records = {record_of("kind", bytes), record_of("empty", "")};
  c.effects = {{"m1:1:0", "m1", false, bytes}, {"m1:1:1", "m1", true, "held"}};
  c.context = {{"meeting:m1:context", bytes, Instant{5000}}};
  commit(c);
  harness_->reopen();
  const auto a = store().load("m1");
  ASSERT_TRUE(a && *a);
  EXPECT_EQ((*a)->state, bytes);
  EXPECT_EQ((*a)->version, 1u);
  EXPECT_EQ((*a)->kind, "meeting");
  const auto records = got(store().records({}));
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].body, bytes);
  EXPECT_EQ(records[0].aggregate, "m1");
  EXPECT_EQ(records[0].at, Instant{77});
  EXPECT_EQ(records[1].body, "");
  const auto effects = got(store().effects());
  ASSERT_EQ(effects.size(), 2u);
  EXPECT_EQ(effects[0].body, bytes);
  EXPECT_FALSE(effects[0].held);
  EXPECT_TRUE(effects[1].held);
  EXPECT_EQ(**store().context("meeting:m1:context"), bytes);
  const auto journal = got(store().journal("m1"));
  ASSERT_EQ(journal.size(), 1u);
  EXPECT_EQ(journal[0].first, Instant{1000});
  EXPECT_EQ(journal[0].second, bytes);
}

TEST_P(StoreConformance, SeqsGrowInTheOrderOfTheCommits) {
  Commit a = commit_of("m1", 0);
  a.records = {record_of("x", "1"), record_of("y", "2")};
  Commit b = commit_of("m2", 0);
  b.records = {record_of("x", "3")};
  Commit c = commit_of("m1", 1);
  c.records = {record_of("x", "4")};
  const Commit all[] = {a, b, c};
  const auto seqs = store().commit(fence_, all);
  ASSERT_TRUE(seqs);
  ASSERT_EQ(seqs->size(), 4u);
  for (std::size_t i = 1; i < seqs->size(); ++i) EXPECT_LT((*seqs)[i - 1], (*seqs)[i]);
  EXPECT_EQ(*store().last_seq(), seqs->back());
  harness_->reopen();
  fence_ = got(store().acquire("second", Instant{1}));
  Commit d = commit_of("m2", 1);
  d.records = {record_of("z", "5")};
  const auto later = store().commit(fence_, {&d, 1});
  ASSERT_TRUE(later);
  EXPECT_GT(later->front(), seqs->back());
}

TEST_P(StoreConformance, FiltersRecords) {
  for (int i = 0; i < 5; ++i) {
    Commit c = commit_of("m1", static_cast<std::uint64_t>(i));
    c.records = {record_of(i % 2 == 0 ? "even" : "odd", std::to_string(i))};
    commit(c);
    Commit other = commit_of("m2", static_cast<std::uint64_t>(i));
    other.records = {record_of("even", "other")};
    commit(other);
  }
  const auto bodies = [&](const RecordQuery& q) {
    std::string out;
    const auto found = store().records(q);
    if (!found) return found.error().detail;
    for (const auto& r : *found) out += r.body;
    return out;
  };
  EXPECT_EQ(bodies({"m1", 0, 1000, {}}), "01234");
  EXPECT_EQ(bodies({"m1", 0, 1000, {"even"}}), "024");
  EXPECT_EQ(bodies({"m1", 0, 1000, {"odd", "even"}}), "01234");
  EXPECT_EQ(bodies({"m1", 0, 2, {}}), "01");
  EXPECT_EQ(bodies({"none", 0, 1000, {}}), "");
  const auto first = got(store().records({"m1", 0, 1, {}}));
  EXPECT_EQ(bodies({"m1", first[0].seq, 1000, {}}), "1234");
  EXPECT_EQ(store().records({"", 0, 1000, {}})->size(), 10u);
}

TEST_P(StoreConformance, AWrongVersionRefusesTheWholeCall) {
  commit(commit_of("m1", 0));
  const std::string before = everything();
  for (const std::uint64_t wrong : {std::uint64_t{0}, std::uint64_t{2}}) {
    Commit good = commit_of("m2", 0);
    good.records = {record_of("x", "1")};
    good.effects = {{"m2:1:0", "m2", false, "e"}};
    const Commit both[] = {good, commit_of("m1", wrong)};
    const auto r = store().commit(fence_, both);
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, ErrorClass::kConflict);
    EXPECT_EQ(everything(), before);
  }
  commit(commit_of("m1", 1));
}

TEST_P(StoreConformance, AnAggregateMustExistForALaterVersion) {
  const Commit c = commit_of("m1", 3);
  const auto r = store().commit(fence_, {&c, 1});
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, ErrorClass::kConflict);
}

TEST_P(StoreConformance, AnEffectKeyIsTakenOnce) {
  Commit c = commit_of("m1", 0);
  c.effects = {{"key", "m1", false, "e"}};
  commit(c);
  const std::string before = everything();
  Commit again = commit_of("m1", 1);
  again.effects = {{"key", "m1", false, "f"}};
  EXPECT_FALSE(store().commit(fence_, {&again, 1}));
  EXPECT_EQ(everything(), before);
}

TEST_P(StoreConformance, AnOlderFenceIsRefused) {
  commit(commit_of("m1", 0));
  const auto newer = store().acquire("second", Instant{1});
  ASSERT_TRUE(newer);
  EXPECT_GT(*newer, fence_);
  const std::string before = everything();
  const Commit c = commit_of("m1", 1);
  const auto r = store().commit(fence_, {&c, 1});
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, ErrorClass::kConflict);
  EXPECT_EQ(everything(), before);
  EXPECT_TRUE(store().commit(*newer, {&c, 1}));
  harness_->reopen();
  EXPECT_GT(*store().acquire("third", Instant{1}), *newer);
}

TEST_P(StoreConformance, AnAnswerRemovesItsEffect) {
  Commit c = commit_of("m1", 0);
  c.effects = {{"a", "m1", false, "1"}, {"b", "m1", false, "2"}, {"c", "m1", false, "3"}};
  commit(c);
  // The answer may be another aggregate's commit.
  Commit other = commit_of("m2", 0);
  other.done = {"b"};
  commit(other);
  Commit nobody;
  nobody.done = {"c", "not there"};
  commit(nobody);
  const auto left = got(store().effects());
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].key, "a");
  EXPECT_EQ(got(store().load("m1")).value().version, 1u);
}

TEST_P(StoreConformance, EffectsComeInTheOrderOfTheirCommits) {
  for (int i = 0; i < 12; ++i) {
    Commit c = commit_of("m1", static_cast<std::uint64_t>(i));
    c.effects = {{"m1:" + std::to_string(i), "m1", false, ""}};
    commit(c);
  }
  const auto all = got(store().effects());
  ASSERT_EQ(all.size(), 12u);
  for (int i = 0; i < 12; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)].key, "m1:" + std::to_string(i));
}

TEST_P(StoreConformance, ListsTheLivingInOrderOfCreation) {
  commit(commit_of("z", 0));
  commit(commit_of("a", 0));
  Commit calendar = commit_of("m", 0);
  calendar.kind = "calendar";
  commit(calendar);
  Commit end = commit_of("a", 1);
  end.finished = true;
  commit(end);
  const auto ids = [&](std::string_view kind, bool living) {
    std::string out;
    for (const auto& a : got(store().aggregates(kind, living))) out += a.id;
    return out;
  };
  EXPECT_EQ(ids({}, false), "zam");
  EXPECT_EQ(ids({}, true), "zm");
  EXPECT_EQ(ids("meeting", false), "za");
  EXPECT_EQ(ids("calendar", true), "m");
  Commit back = commit_of("a", 2);
  commit(back);
  EXPECT_EQ(ids("meeting", true), "za");
}

TEST_P(StoreConformance, ContextsAreReplacedRemovedAndExpire) {
  Commit c = commit_of("m1", 0);
  c.context = {{"one", "1", Instant{100}}, {"two", "2", Instant{200}}, {"three", "3", Instant{300}}};
  commit(c);
  Commit d = commit_of("m1", 1);
  d.context = {{"one", "", {}}, {"two", "22", Instant{250}}, {"not there", "", {}}};
  commit(d);
  EXPECT_FALSE(store().context("one")->has_value());
  EXPECT_EQ(**store().context("two"), "22");
  EXPECT_EQ(*store().expire_contexts(Instant{250}), 0u);
  EXPECT_EQ(*store().expire_contexts(Instant{251}), 1u);
  EXPECT_FALSE(store().context("two")->has_value());
  EXPECT_EQ(**store().context("three"), "3");
}

TEST_P(StoreConformance, NamesWithQuotesAreOnlyNames) {
  const std::string odd = "m'; DROP TABLE record; -- \"\\ \xC3\xA9";
  Commit c = commit_of(odd, 0);
  c.records = {record_of("x", "1")};
  commit(c);
  EXPECT_EQ(store().records({odd, 0, 10, {"x"}})->size(), 1u);
  EXPECT_EQ(got(store().load(odd)).value().id, odd);
}

// ---- the audit log ----

TEST_P(StoreConformance, TheLogBeginsWithItsFirstOwner) {
  EXPECT_EQ(log(), "log.begin log;store.open epoch:" + std::to_string(fence_) + ";");
  const auto first = got(store().audit_rows(0, 1));
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].act.actor, "first");
  EXPECT_EQ(first[0].act.at, Instant{1});
  EXPECT_EQ(first[0].previous, audit::Hash{});
}

TEST_P(StoreConformance, ActsAreInTheLogInTheOrderOfTheCommits) {
  Commit a = commit_of("m1", 0);
  a.audit = {act_of("1"), act_of("2")};
  Commit nobody;
  nobody.audit = {act_of("3")};
  Commit b = commit_of("m2", 0);
  b.audit = {act_of("4")};
  const Commit all[] = {a, nobody, b};
  ASSERT_TRUE(store().commit(fence_, all));
  harness_->reopen();
  const std::uint64_t second = got(store().acquire("second", Instant{2}));
  EXPECT_EQ(log(), "log.begin log;store.open epoch:" + std::to_string(fence_) +
                       ";meeting.stop 1;meeting.stop 2;meeting.stop 3;meeting.stop 4;store.open epoch:" + std::to_string(second) +
                       ";");
  EXPECT_EQ(log(1000), log(1));
}

TEST_P(StoreConformance, KeepsEveryByteOfAnAct) {
  std::string bytes;
  for (int i = 0; i < 120; ++i) bytes += static_cast<char>(i);
  Commit c;
  c.audit = {{Instant{-5}, "", bytes, "m'; DROP TABLE audit; --", std::string(500, 'x')}, act_of("after")};
  commit(c);
  harness_->reopen();
  const audit::Head head = got(store().audit_head());
  const auto rows = got(store().audit_rows(head.seq - 2, 10));
  ASSERT_EQ(rows.size(), 2u);
  audit::Act cut = c.audit[0];
  cut.outcome.resize(audit::kMaxField);
  EXPECT_EQ(rows[0].act, cut);
  EXPECT_EQ(rows[1].previous, rows[0].hash);
  EXPECT_EQ(head, (audit::Head{rows[1].seq, rows[1].hash}));
  log();
}

TEST_P(StoreConformance, ARefusedCommitLeavesNothingInTheLog) {
  Commit good = commit_of("m1", 0);
  good.audit = {act_of("1")};
  Commit bad = commit_of("m2", 7);
  bad.audit = {act_of("2")};
  const std::string before = everything();
  const Commit both[] = {good, bad};
  EXPECT_FALSE(store().commit(fence_, both));
  EXPECT_EQ(everything(), before);
  commit(good);
  EXPECT_TRUE(log().ends_with("meeting.stop 1;"));
}

/// A stale owner adds nothing: the log goes on from one row to one row only.
TEST_P(StoreConformance, AStaleOwnerCannotForkTheLog) {
  const std::uint64_t newer = got(store().acquire("second", Instant{2}));
  const std::string before = everything();
  Commit late = commit_of("m1", 0);
  late.audit = {act_of("late")};
  EXPECT_FALSE(store().commit(fence_, {&late, 1}));
  EXPECT_EQ(everything(), before);
  Commit mine = commit_of("m1", 0);
  mine.audit = {act_of("mine")};
  EXPECT_TRUE(store().commit(newer, {&mine, 1}));
  EXPECT_EQ(log().find("late"), std::string::npos);
}

TEST_P(StoreConformance, NothingIsAfterTheEndOfTheLog) {
  EXPECT_TRUE(got(store().audit_rows(got(store().audit_head()).seq, 10)).empty());
  EXPECT_TRUE(got(store().audit_rows(UINT64_MAX, 10)).empty());
  EXPECT_TRUE(got(store().audit_rows(0, 0)).empty());
}

}  // namespace hansard
