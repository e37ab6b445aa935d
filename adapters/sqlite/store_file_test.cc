#include "adapters/sqlite/store_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "adapters/sqlite/database.h"
#include "adapters/sqlite/migrations.h"
#include "adapters/sqlite/sqlite_store.h"
#include "core/audit/verify.h"

namespace hansard {
namespace {

namespace fs = std::filesystem;

class StoreFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/hansard-store-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder = pattern;
  }
  void TearDown() override { fs::remove_all(folder); }

  std::string path() const { return folder + "/store.db"; }
  std::string copy() const { return folder + "/copy.db"; }

  static Commit numbered(std::uint64_t n) {
    Commit c;
    c.aggregate = "m";
    c.kind = "meeting";
    c.expected_version = n;
    c.state = std::to_string(n + 1);
    c.journal = std::to_string(n);
    c.records = {{0, {}, "r", Instant{}, std::string(2000, 'x')}};
    c.effects = {{"m:" + std::to_string(n + 1), "m", false, std::to_string(n)}};
    if (n > 0) c.done = {"m:" + std::to_string(n)};
    return c;
  }
  void fill(std::uint64_t commits) {
    auto store = open_sqlite_store(path());
    ASSERT_TRUE(store);
    const auto fence = (*store)->acquire("test", Instant{1});
    for (std::uint64_t n = 0; n < commits; ++n) ASSERT_TRUE((*store)->commit(*fence, std::array{numbered(n)}));
  }
  Result<void> make_copy() {
    return copy_store_file(path(), copy(), [] { return Result<void>(); }, [](auto, auto) { return true; });
  }
  void execute(const std::string& sql) {
    auto db = sqlite::Database::open(path());
    ASSERT_TRUE(db);
    ASSERT_TRUE(db->execute(sql)) << sql;
  }

  std::string folder;
};

TEST_F(StoreFileTest, CopiesOneMomentWhileAnotherWrites) {
  fill(20);
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> committed = 20;
  std::thread writer([&] {
    auto store = open_sqlite_store(path());
    ASSERT_TRUE(store);
    const auto fence = (*store)->acquire("writer", Instant{1});
    for (std::uint64_t n = 20; !stop; ++n) {
      ASSERT_TRUE((*store)->commit(*fence, std::array{numbered(n)}));
      committed = n + 1;
    }
  });
  std::uint64_t before = 0;
  for (int round = 0; round < 5; ++round) {
    fs::remove(copy());
    std::uint64_t pinned = 0;
    const auto r = copy_store_file(
        path(), copy(),
        [&] {
          pinned = committed;
          // Commits go on between the moment and the copy, and must not be in it.
          while (committed < pinned + 3) std::this_thread::yield();
          return Result<void>();
        },
        [&](std::uint64_t done, std::uint64_t total) {
          EXPECT_LE(done, total);
          return true;
        });
    ASSERT_TRUE(r) << r.error().detail;
    EXPECT_FALSE(fs::exists(copy() + "-wal"));
    const auto report = examine_store_file(copy());
    ASSERT_TRUE(report) << report.error().detail;
    EXPECT_TRUE(report->damage.empty() && report->faults.empty());
    EXPECT_EQ(report->counts.records, report->counts.journal);
    EXPECT_EQ(report->counts.effects, 1);
    // `committed` is told after the commit: one more may have been in.
    EXPECT_LE(static_cast<std::uint64_t>(report->counts.records), pinned + 1);
    EXPECT_GE(static_cast<std::uint64_t>(report->counts.records), before);
    before = static_cast<std::uint64_t>(report->counts.records);
  }
  stop = true;
  writer.join();
  // The copy is a store that goes on.
  auto store = open_sqlite_store(copy());
  ASSERT_TRUE(store);
  const auto fence = (*store)->acquire("after", Instant{1});
  const std::uint64_t version = (*(*store)->load("m"))->version;
  EXPECT_TRUE((*store)->commit(*fence, std::array{numbered(version)}));
}

TEST_F(StoreFileTest, ASnapshotStandsStillAndTakesNoWrites) {
  fill(3);
  auto snapshot = open_sqlite_snapshot(path());
  ASSERT_TRUE(snapshot);
  auto store = open_sqlite_store(path());
  const auto fence = (*store)->acquire("writer", Instant{1});
  ASSERT_TRUE((*store)->commit(*fence, std::array{numbered(3)}));
  EXPECT_EQ(*(*snapshot)->last_seq(), 3u);
  EXPECT_FALSE((*snapshot)->commit(*fence, std::array{numbered(4)}));
  EXPECT_EQ(*(*store)->last_seq(), 4u);
  EXPECT_EQ(open_sqlite_snapshot(folder + "/none.db").error().code, ErrorClass::kNotFound);
  EXPECT_FALSE(fs::exists(folder + "/none.db"));
}

TEST_F(StoreFileTest, EndsWhenAskedTo) {
  fill(3);
  const auto r = copy_store_file(path(), copy(), [] { return Result<void>(); }, [](auto, auto) { return false; });
  // A copy of few pages may be whole before the question is heard.
  if (!r) {
    EXPECT_EQ(r.error().code, ErrorClass::kCancelled);
  }
}

TEST_F(StoreFileTest, SaysWhenTheDiskIsFull) {
  fill(200);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{64 * 1024, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto r = make_copy();
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, ErrorClass::kExhausted);
}

TEST_F(StoreFileTest, RefusesWhatIsNoStore) {
  std::ofstream(path()) << std::string(5000, 'n');
  EXPECT_EQ(examine_store_file(path()).error().code, ErrorClass::kCorrupt);
  fs::remove(path());
  fill(1);
  execute("PRAGMA user_version = 99");
  EXPECT_EQ(examine_store_file(path()).error().code, ErrorClass::kInvalid);
}

TEST_F(StoreFileTest, FindsRowsThatDoNotFit) {
  const char* const breaks[] = {
      "DELETE FROM journal WHERE version = 2",
      "UPDATE aggregate SET version = 9",
      "PRAGMA foreign_keys = OFF; DELETE FROM aggregate",
      "UPDATE sqlite_sequence SET seq = 1 WHERE name = 'record'",
      "INSERT INTO context VALUES ('meeting:x:context', X'00', 1)",
      "DELETE FROM owner",
      "UPDATE record SET seq = -1 WHERE seq = 1",
      "PRAGMA ignore_check_constraints = ON; INSERT INTO audit VALUES (0, 1, '', '', '', '', zeroblob(32), zeroblob(32))",
  };
  for (const char* sql : breaks) {
    fs::remove_all(folder);
    fs::create_directory(folder);
    fill(4);
    EXPECT_TRUE(examine_store_file(path())->faults.empty());
    execute(sql);
    const auto report = examine_store_file(path());
    ASSERT_TRUE(report);
    EXPECT_FALSE(report->faults.empty()) << sql;
  }
}

/// The rows of a store that somebody has open, read by another connection; verified.
std::vector<audit::Row> verified_log(const std::string& path) {
  auto store = open_sqlite_snapshot(path);
  EXPECT_TRUE(store) << store.error().detail;
  auto rows = *(*store)->audit_rows(0, 1'000'000);
  audit::Verifier verifier({*(*store)->audit_head()});
  for (const audit::Row& row : rows) verifier.take(row);
  EXPECT_EQ(verifier.finish().fault, audit::Fault::kNone) << audit::describe(verifier.finish());
  return rows;
}

const audit::Act kBackup{Instant{9}, "cli", "backup.make", "seq:2", "ok"};

TEST_F(StoreFileTest, ACommandAddsToTheLogBesideTheOwner) {
  EXPECT_EQ(append_to_audit(path(), {&kBackup, 1}).error().code, ErrorClass::kNotFound);
  EXPECT_FALSE(fs::exists(path()));
  auto store = open_sqlite_store(path());
  ASSERT_TRUE(store);
  const auto fence = (*store)->acquire("test", Instant{1});
  ASSERT_TRUE(append_to_audit(path(), {&kBackup, 1}));
  Commit c = numbered(0);
  c.audit = {{Instant{10}, "api", "meeting.stop", "m", "ok"}};
  ASSERT_TRUE((*store)->commit(*fence, {&c, 1})) << "it has not become owner";
  const auto rows = verified_log(path());
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[2].act, kBackup);
  EXPECT_EQ(rows[3].previous, rows[2].hash);
  const auto report = examine_store_file(path());
  ASSERT_TRUE(report && report->faults.empty());
  EXPECT_EQ(report->counts.audit_seq, 4);
  EXPECT_EQ(report->counts.audit_hash, audit::hex(rows[3].hash));
}

TEST_F(StoreFileTest, AnEmptyLogBeginsWithWhoeverIsFirst) {
  ASSERT_TRUE(open_sqlite_store(path()));
  ASSERT_TRUE(append_to_audit(path(), {&kBackup, 1}));
  const auto rows = verified_log(path());
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].act.action, audit::kLogBegin);
}

/// The owner and a command write at the same time: no row is lost, and none continues the same one as another.
TEST_F(StoreFileTest, TwoWritersDoNotForkTheLog) {
  constexpr int kEach = 60;
  auto store = open_sqlite_store(path());
  ASSERT_TRUE(store);
  const auto fence = (*store)->acquire("test", Instant{1});
  std::thread other([&] {
    for (int i = 0; i < kEach; ++i) ASSERT_TRUE(append_to_audit(path(), {&kBackup, 1}));
  });
  for (std::uint64_t n = 0; n < kEach; ++n) {
    Commit c = numbered(n);
    c.audit = {{Instant{10}, "api", "meeting.stop", "m", "ok"}};
    ASSERT_TRUE((*store)->commit(*fence, {&c, 1}));
  }
  other.join();
  EXPECT_EQ(verified_log(path()).size(), 2u + 2 * kEach);
}

TEST_F(StoreFileTest, TheLogIsOnlyAddedTo) {
  fill(1);
  auto db = sqlite::Database::open(path());
  ASSERT_TRUE(db);
  EXPECT_FALSE(db->execute("UPDATE audit SET outcome = 'x'"));
  EXPECT_FALSE(db->execute("DELETE FROM audit"));
  EXPECT_FALSE(db->execute("INSERT INTO audit VALUES (-1, 1, 'a', 'b', 'c', 'd', zeroblob(32), zeroblob(32))"));
  EXPECT_FALSE(db->execute("INSERT INTO audit VALUES (9, 1, 'a', 'b', 'c', 'd', zeroblob(32), zeroblob(33))"));
  verified_log(path());
}

TEST_F(StoreFileTest, AHashOfAnotherLengthIsNoHash) {
  fill(1);
  execute(
      "PRAGMA ignore_check_constraints = ON; INSERT INTO audit VALUES (3, 1, 'a', 'b', 'c', 'd', (SELECT hash FROM audit WHERE "
      "seq = 2), x'00')");
  auto store = open_sqlite_snapshot(path());
  ASSERT_TRUE(store);
  const auto rows = *(*store)->audit_rows(2, 10);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(audit::hex(rows[0].hash), std::string(64, 'f'));
}

TEST_F(StoreFileTest, AStoreOfAnEarlierSchemaHasNoLogYet) {
  {
    auto db = sqlite::Database::open(path());
    ASSERT_TRUE(db);
    for (const auto& m : sqlite::migrations().first(sqlite::kAuditSchema - 1)) ASSERT_TRUE(db->execute(std::string(m.sql)));
    ASSERT_TRUE(db->execute("PRAGMA application_id = " + std::to_string(sqlite::kApplicationId) +
                            "; PRAGMA user_version = " + std::to_string(sqlite::kAuditSchema - 1)));
  }
  const auto report = examine_store_file(path());
  ASSERT_TRUE(report) << report.error().detail;
  EXPECT_TRUE(report->faults.empty());
  EXPECT_EQ(report->counts.audit_seq, 0);
  EXPECT_EQ(report->counts.audit_hash, "");
  EXPECT_EQ(append_to_audit(path(), {&kBackup, 1}).error().code, ErrorClass::kInvalid);
  auto store = open_sqlite_store(path());
  ASSERT_TRUE(store);
  EXPECT_EQ((*store)->audit_head()->seq, 0u);
  ASSERT_TRUE((*store)->acquire("test", Instant{7}));
  const auto rows = verified_log(path());
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].act, (audit::Act{Instant{7}, "test", "log.begin", "log", "ok"}));
}

/// Bytes of pages are either found, or change no row and no structure that anybody reads, or only the bytes of a body (which have
/// no checksum in format 0).
TEST_F(StoreFileTest, FindsDamagedPages) {
  fill(30);
  ASSERT_TRUE(make_copy());
  std::string good;
  {
    std::ifstream in(copy(), std::ios::binary);
    good.assign(std::istreambuf_iterator<char>(in), {});
  }
  const auto shape = [](const std::string& file) {
    auto db = sqlite::Database::open_read_only(file);
    return *db->text("SELECT group_concat(seq || aggregate || kind || at_ms || length(body), ';') FROM record") +
           *db->text("SELECT group_concat(aggregate || ':' || version || ':' || at_ms || length(event), ';') FROM journal") +
           *db->text("SELECT group_concat(number || id || kind || version || finished || length(state), ';') FROM aggregate");
  };
  const std::string sound = shape(copy());
  int found = 0;
  int irrelevant = 0;
  for (std::size_t at = 0; at < good.size(); at += 331) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x55);
    const std::string name = folder + "/bad.db";
    std::ofstream(name, std::ios::binary | std::ios::trunc) << bad;
    const auto report = examine_store_file(name);
    if (!report || !report->damage.empty() || !report->faults.empty()) {
      ++found;
      continue;
    }
    ++irrelevant;
    // What was not found: the kind, the time and the body of a row are its own and nothing else's; their lengths hold.
    EXPECT_EQ(shape(name).size(), sound.size()) << "byte " << at;
  }
  EXPECT_GT(found, 0);
  EXPECT_GT(irrelevant, 0);
}

}  // namespace
}  // namespace hansard
