#include "host/store_check.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "host/stored.h"

namespace hansard::host {
namespace {

/// Rows by hand, sound or not.
class Rows final : public Store {
 public:
  Result<std::uint64_t> acquire(std::string_view, Instant) override { return 1; }
  Result<std::vector<std::uint64_t>> commit(std::uint64_t, std::span<const Commit>) override {
    return fail(ErrorClass::kDenied, "test", "to read");
  }
  Result<std::optional<StoredAggregate>> load(std::string_view) override { return std::optional(aggregate); }
  Result<std::vector<StoredAggregate>> aggregates(std::string_view, bool) override { return std::vector{aggregate}; }
  Result<std::vector<StoredRecord>> records(const RecordQuery& query) override {
    std::vector<StoredRecord> out;
    for (const auto& r : rows) {
      if (r.seq > query.after_seq && out.size() < query.limit) out.push_back(r);
    }
    return out;
  }
  Result<std::uint64_t> last_seq() override { return rows.size(); }
  Result<std::vector<StoredEffect>> effects() override { return outbox; }
  Result<std::vector<std::pair<Instant, std::string>>> journal(std::string_view) override { return events; }
  Result<std::optional<std::string>> context(std::string_view) override { return join_context; }
  Result<std::size_t> expire_contexts(Instant) override { return 0; }
  Result<audit::Head> audit_head() override { return head; }
  Result<std::vector<audit::Row>> audit_rows(std::uint64_t after, std::size_t limit) override {
    std::vector<audit::Row> out;
    for (const auto& r : log) {
      if (r.seq > after && out.size() < limit) out.push_back(r);
    }
    return out;
  }
  void did(const std::string& object) {
    const audit::Act act{Instant{5}, "api", "meeting.stop", object, "ok"};
    for (auto& row : audit::append(head, {&act, 1})) log.push_back(std::move(row));
  }

  void add(const flow::Record& record) {
    const std::string kind(type_of(record));
    rows.push_back({rows.size() + 1, "m1", kind, Instant{}, encode(record, record_binding("m1", kind))});
  }
  void set_state(const flow::MeetingState& state) { aggregate.state = encode(flow::State(state), state_binding("m1")); }

  StoredAggregate aggregate{"m1", "meeting", 2, false, {}};
  std::vector<StoredRecord> rows;
  std::vector<StoredEffect> outbox;
  std::vector<std::pair<Instant, std::string>> events;
  std::optional<std::string> join_context;
  std::vector<audit::Row> log;
  audit::Head head;
};

class StoreCheckTest : public ::testing::Test {
 protected:
  void SetUp() override {
    state.id = "m1";
    state.state = meeting::State::kRecording;
    state.utterances = 2;
    flow::ParticipantState& ann = state.participants.emplace_back();
    ann.id = "p";
    ann.name = "Ann";
    ann.covered_until = {3000};
    store.set_state(state);
    for (int i = 0; i < 2; ++i)
      store.events.emplace_back(Instant{}, encode(flow::Event(flow::HostStarted{}), journal_binding("m1")));
    store.outbox.push_back({"m1:2:0", "m1", false, encode(flow::Effect(flow::CleanUp{}), effect_binding("m1:2:0"))});
    store.join_context = seal("{}", context_binding("meeting:m1:context"));
    store.add(flow::ParticipantRecord{"p", "Ann", true, false, {0}});
    say("u1", 0, 1000);
    store.add(flow::CoverageRecord{{"p", {1000}, {2000}, Coverage::kSilent, ""}});
    // Losses come from another witness and may repeat.
    for (int i = 0; i < 2; ++i) store.add(flow::CoverageRecord{{"p", {1500}, {1700}, Coverage::kLost, "network"}});
    say("u2", 2000, 3000);
  }
  void say(const std::string& id, std::int64_t from, std::int64_t to) {
    store.add(flow::UtteranceRecord{{id, "p", "Ann", {from}, {to}, "secret words", {}}});
    store.add(flow::CoverageRecord{{"p", {from}, {to}, Coverage::kTranscribed, ""}});
  }
  std::vector<std::string> faults() {
    const auto r = check_store(store, [](auto, auto) { return true; });
    EXPECT_TRUE(r);
    std::vector<std::string> out;
    for (const auto& f : r->faults) {
      EXPECT_EQ((f.what + f.advice).find("secret"), std::string::npos) << f.what;
      EXPECT_FALSE(f.advice.empty());
      out.push_back(f.what);
    }
    return out;
  }
  bool says(std::string_view what) {
    const auto all = faults();
    return std::any_of(all.begin(), all.end(), [&](const auto& line) { return line.find(what) != std::string::npos; });
  }

  Rows store;
  flow::MeetingState state;
};

TEST_F(StoreCheckTest, FindsNothingWhereNothingIs) {
  EXPECT_TRUE(faults().empty());
  const auto r = check_store(store, [](auto, auto) { return true; });
  EXPECT_EQ(r->living, std::vector<std::string>{"m1"});
  EXPECT_EQ(r->utterances, 2u);
  EXPECT_EQ(check_store(store, [](auto, auto) { return false; }).error().code, ErrorClass::kCancelled);
}

TEST_F(StoreCheckTest, FindsEveryRowThatIsMissing) {
  const auto whole = store.rows;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    store.rows = whole;
    store.rows.erase(store.rows.begin() + static_cast<std::ptrdiff_t>(i));
    // Silence and losses say nothing about other rows: without one the ledger has a hole, as a running meeting may have.
    EXPECT_EQ(faults().empty(), i >= 3 && i <= 5) << whole[i].kind << " " << i;
  }
}

TEST_F(StoreCheckTest, FindsWhatDoesNotFit) {
  say("u3", 2500, 3500);
  EXPECT_TRUE(says("overlaps"));
  EXPECT_TRUE(says("counts 2 utterances"));
  EXPECT_TRUE(says("cursor"));
}

TEST_F(StoreCheckTest, FindsFindingsWithoutTheirUtterance) {
  AnalysisItem item;
  item.utterance_ids = {"u2"};
  store.add(flow::ItemRecord{{ItemChangeKind::kAdded, item}});
  EXPECT_TRUE(faults().empty());
  item.utterance_ids = {"u9"};
  store.add(flow::ItemRecord{{ItemChangeKind::kAdded, item}});
  EXPECT_TRUE(says("rests on"));
}

TEST_F(StoreCheckTest, FindsBodiesThatDoNotOpen) {
  auto sound = store;
  store.rows[1].body.pop_back();
  EXPECT_TRUE(says("record 2: "));
  store = sound;
  store.rows[1].body[0] = 7;
  EXPECT_TRUE(says("format 7"));
  store = sound;
  store.rows[1].kind = "coverage";
  EXPECT_TRUE(says("another kind"));
  store = sound;
  store.aggregate.state.clear();
  EXPECT_FALSE(faults().empty());
  store = sound;
  store.events[1].second = std::string("\0nonsense", 9);
  EXPECT_TRUE(says("event 2"));
  store = sound;
  store.events.pop_back();
  EXPECT_TRUE(says("1 events for 2 versions"));
  store = sound;
  store.join_context = "\x05";
  EXPECT_FALSE(faults().empty());
}

TEST_F(StoreCheckTest, FindsEffectsOfNobodysCommit) {
  for (const std::string key : {"m1:3:0", "m1:0:0", "m2:1:0", "m1", "m1:x:0"}) {
    store.outbox = {{key, "m1", false, encode(flow::Effect(flow::CleanUp{}), effect_binding(key))}};
    EXPECT_TRUE(says("does not belong")) << key;
  }
}

TEST_F(StoreCheckTest, FindsRowsThatDisagreeWithTheirState) {
  store.aggregate.finished = true;
  EXPECT_TRUE(says("disagree"));
  store.aggregate.finished = false;
  state.id = "m2";
  store.set_state(state);
  EXPECT_TRUE(says("another meeting"));
}

TEST_F(StoreCheckTest, FindsAChangedAuditLog) {
  for (int i = 0; i < 2500; ++i) store.did("m" + std::to_string(i));
  EXPECT_TRUE(faults().empty());
  const auto none = [](std::uint64_t, std::uint64_t) { return true; };
  const auto sound = check_store(store, none, {store.head, {3, store.log[2].hash}});
  ASSERT_TRUE(sound);
  EXPECT_TRUE(sound->faults.empty());
  EXPECT_EQ(sound->audit.rows, 2501u);
  EXPECT_EQ(sound->audit.anchors, 2u);
  EXPECT_EQ(sound->audit.head, store.head);
  const audit::Head head = store.head;
  store.log.pop_back();
  EXPECT_TRUE(faults().empty());
  const auto cut = check_store(store, none, {head});
  ASSERT_TRUE(cut && cut->faults.size() == 1u);
  EXPECT_EQ(cut->faults[0].where, "audit log");
  EXPECT_NE(cut->faults[0].what.find("row 2501"), std::string::npos);
  store.log[2000].act.object = "other";
  EXPECT_TRUE(says("row 2001 was altered"));
}

TEST_F(StoreCheckTest, DoesNotDrownPeople) {
  for (int i = 0; i < 100; ++i) store.add(flow::CoverageRecord{{"p", {0}, {1}, Coverage::kSilent, ""}});
  const auto all = faults();
  EXPECT_EQ(all.size(), kMaxFaults + 1);
  EXPECT_NE(all.back().find("more faults"), std::string::npos);
}

}  // namespace
}  // namespace hansard::host
