#include "adapters/sqlite/sqlite_store.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "adapters/sqlite/migrations.h"
#include "ports/store_conformance.h"

namespace hansard {
namespace {

namespace fs = std::filesystem;

struct Folder {
  Folder() {
    char name[] = "/tmp/hansard_sqlite_XXXXXX";
    path = mkdtemp(name);
  }
  ~Folder() { fs::remove_all(path); }
  std::string file() const { return path / "store.db"; }
  fs::path path;
};

class SqliteHarness final : public StoreHarness {
 public:
  SqliteHarness() { reopen(); }
  Store& store() override { return *store_; }
  void reopen() override {
    store_.reset();
    auto opened = open_sqlite_store(folder_.file());
    if (!opened) throw std::runtime_error(opened.error().detail);
    store_ = std::move(*opened);
  }

 private:
  Folder folder_;
  std::unique_ptr<Store> store_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreConformance,
                         testing::Values(StoreFactory{[] { return std::make_unique<SqliteHarness>(); }}));

Commit numbered(std::uint64_t n, std::size_t size = 200) {
  Commit c;
  c.aggregate = "m";
  c.kind = "meeting";
  c.expected_version = n;
  c.state = std::to_string(n + 1);
  c.journal = std::to_string(n);
  c.records = {{0, {}, "r", Instant{}, std::string(size, 'x')}};
  c.effects = {{"m:" + std::to_string(n + 1), "m", false, std::to_string(n)}};
  if (n > 0) c.done = {"m:" + std::to_string(n)};
  return c;
}

void execute(const std::string& file, const std::string& sql) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  sqlite3_close(db);
}

/// After any crash: the tables tell of the same number of whole commits. Returns it.
std::uint64_t whole_commits(Store& store) {
  const auto a = store.load("m");
  EXPECT_TRUE(a) << a.error().detail;
  if (!a || !*a) {
    EXPECT_TRUE(store.records({})->empty());
    return 0;
  }
  const std::uint64_t version = (*a)->version;
  EXPECT_EQ((*a)->state, std::to_string(version));
  EXPECT_EQ(store.journal("m")->size(), version);
  EXPECT_EQ(store.records({"m", 0, 1'000'000, {}})->size(), version);
  const auto effects = *store.effects();
  EXPECT_EQ(effects.size(), 1u);
  EXPECT_TRUE(effects.empty() || effects[0].key == "m:" + std::to_string(version));
  return version;
}

TEST(SqliteStore, IsForItsOwnerAlone) {
  const Folder folder;
  ASSERT_TRUE(open_sqlite_store(folder.file()));
  struct stat info{};
  ASSERT_EQ(stat(folder.file().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST(SqliteStore, SaysWhatIsWrong) {
  const Folder folder;
  EXPECT_EQ(open_sqlite_store((folder.path / "none" / "store.db").string()).error().code, ErrorClass::kNotFound);
  std::ofstream(folder.file()) << std::string(4096, 'z');
  const auto garbage = open_sqlite_store(folder.file());
  ASSERT_FALSE(garbage);
  EXPECT_EQ(garbage.error().code, ErrorClass::kCorrupt);
}

TEST(SqliteStore, LeavesTheDatabaseOfAnotherProgramAlone) {
  const Folder folder;
  execute(folder.file(), "CREATE TABLE theirs (x); PRAGMA journal_mode = DELETE;");
  const auto size = fs::file_size(folder.file());
  const auto r = open_sqlite_store(folder.file());
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, ErrorClass::kCorrupt);
  EXPECT_NE(r.error().detail.find("another program"), std::string::npos);
  EXPECT_EQ(fs::file_size(folder.file()), size);
}

std::string bytes_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(SqliteStore, RefusesANewerSchemaAndLeavesItAsItIs) {
  const Folder folder;
  ASSERT_TRUE(open_sqlite_store(folder.file()));
  execute(folder.file(), "PRAGMA user_version = 999");
  const std::string before = bytes_of(folder.file());
  const auto r = open_sqlite_store(folder.file());
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, ErrorClass::kInvalid);
  EXPECT_NE(r.error().detail.find("999"), std::string::npos);
  EXPECT_EQ(bytes_of(folder.file()), before);
}

TEST(SqliteStore, MigratesFromEverySchemaThatWasReleased) {
  for (std::size_t version = 0; version <= sqlite::migrations().size(); ++version) {
    const Folder folder;
    std::string sql;
    for (std::size_t i = 0; i < version; ++i) sql += sqlite::migrations()[i].sql;
    if (version > 0) {
      sql += "PRAGMA application_id = " + std::to_string(sqlite::kApplicationId) +
             "; PRAGMA user_version = " + std::to_string(version);
      execute(folder.file(), sql);
    }
    auto store = open_sqlite_store(folder.file());
    ASSERT_TRUE(store) << version << ": " << store.error().detail;
    const auto fence = (*store)->acquire("test", Instant{1});
    const Commit c = numbered(0);
    EXPECT_TRUE((*store)->commit(*fence, {&c, 1})) << version;
  }
}

TEST(SqliteStore, AFailedMigrationLeavesNothing) {
  const Folder folder;
  // A table of the same name makes the first migration fail half way.
  execute(folder.file(), "CREATE TABLE record (x); PRAGMA application_id = " + std::to_string(sqlite::kApplicationId));
  ASSERT_FALSE(open_sqlite_store(folder.file()));
  auto db = sqlite::Database::open(folder.file());
  ASSERT_TRUE(db);
  EXPECT_EQ(*db->integer("PRAGMA user_version"), 0);
  EXPECT_EQ(*db->integer("SELECT count(*) FROM sqlite_schema WHERE name = 'owner'"), 0);
}

TEST(SqliteStore, FindsADamagedPage) {
  const Folder folder;
  {
    auto store = open_sqlite_store(folder.file());
    ASSERT_TRUE(store);
    const auto fence = *(*store)->acquire("test", Instant{1});
    for (std::uint64_t n = 0; n < 50; ++n) {
      const Commit c = numbered(n);
      ASSERT_TRUE((*store)->commit(fence, {&c, 1}));
    }
  }
  std::fstream file(folder.file(), std::ios::in | std::ios::out | std::ios::binary);
  for (std::uintmax_t at = 4096; at + 4096 <= fs::file_size(folder.file()); at += 4096) {
    file.seekp(static_cast<std::streamoff>(at));
    file << std::string(64, '\x55');
  }
  file.close();
  const auto r = open_sqlite_store(folder.file());
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, ErrorClass::kCorrupt);
  EXPECT_NE(r.error().detail.find("backup"), std::string::npos);
}

TEST(SqliteStore, ASecondOwnerIsRefusedWhileTheFirstLives) {
  const Folder folder;
  auto first = open_sqlite_store(folder.file());
  ASSERT_TRUE(first && (*first)->acquire("first", Instant{1}));
  {
    auto second = open_sqlite_store(folder.file());  // reading is allowed
    ASSERT_TRUE(second);
    const auto r = (*second)->acquire("second", Instant{1});
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, ErrorClass::kConflict);
  }
  first->reset();
  auto third = open_sqlite_store(folder.file());
  EXPECT_TRUE(third && (*third)->acquire("third", Instant{1}));
}

/// What the lock cannot stop (a file system without locks, a lock file that somebody removed), the fence does.
TEST(SqliteStore, AnOwnerInAnotherProcessMakesTheFirstOneStale) {
  const Folder folder;
  int go[2];
  ASSERT_EQ(pipe(go), 0);
  // The other process begins before this one has the file open, as a real one would.
  const pid_t child = fork();
  if (child == 0) {
    close(go[1]);
    char begin = 0;
    if (read(go[0], &begin, 1) != 1) _exit(2);
    auto store = open_sqlite_store(folder.file());
    const auto fence =
        store ? (*store)->acquire("second", Instant{1}) : Result<std::uint64_t>(fail(ErrorClass::kInternal, "test", ""));
    const Commit one = numbered(1);
    _exit(fence && (*store)->commit(*fence, {&one, 1}) ? 0 : 1);
  }
  auto first = open_sqlite_store(folder.file());
  ASSERT_TRUE(first);
  const auto fence = (*first)->acquire("first", Instant{1});
  const Commit zero = numbered(0);
  ASSERT_TRUE(fence && (*first)->commit(*fence, {&zero, 1}));
  ASSERT_TRUE(fs::remove(folder.file() + "-lock"));
  ASSERT_EQ(write(go[1], "x", 1), 1);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  close(go[0]);
  close(go[1]);
  ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  const Commit two = numbered(2);
  const auto late = (*first)->commit(*fence, {&two, 1});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorClass::kConflict);
  EXPECT_NE(late.error().detail.find("taken over"), std::string::npos);
  EXPECT_EQ(whole_commits(**first), 2u) << "the other one's is there, the late one is not";
}

TEST(SqliteStore, ALockedStoreIsUnavailableAndLosesNothing) {
  const Folder folder;
  auto store = open_sqlite_store(folder.file());
  ASSERT_TRUE(store);
  const auto fence = *(*store)->acquire("test", Instant{1});
  auto other = sqlite::Database::open(folder.file());
  ASSERT_TRUE(other && other->execute("BEGIN IMMEDIATE"));
  const Commit c = numbered(0);
  const auto r = (*store)->commit(fence, {&c, 1});
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, ErrorClass::kUnavailable);
  ASSERT_TRUE(other->execute("ROLLBACK"));
  EXPECT_TRUE((*store)->commit(fence, {&c, 1}));
}

/// Runs `body` in a child process and returns its wait status.
template <class F>
int in_child(const F& body) {
  const pid_t child = fork();
  if (child == 0) {
    body();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

TEST(SqliteStore, AFullDiskIsExhaustedAndLosesNothing) {
  const Folder folder;
  const int status = in_child([&] {
    auto store = open_sqlite_store(folder.file());
    if (!store) _exit(2);
    const auto fence = (*store)->acquire("test", Instant{1});
    // A file size limit fails writes as a full disk does, in the middle of a commit.
    std::signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit{};
    getrlimit(RLIMIT_FSIZE, &limit);
    const struct rlimit small{400'000, limit.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    std::uint64_t n = 0;
    Result<std::vector<std::uint64_t>> r;
    do {
      const Commit c = numbered(n, 5000);
      r = (*store)->commit(*fence, {&c, 1});
    } while (r && ++n < 10'000);
    if (r || r.error().code != ErrorClass::kExhausted) _exit(3);
    if (whole_commits(**store) != n) _exit(4);
    setrlimit(RLIMIT_FSIZE, &limit);
    const Commit c = numbered(n, 5000);
    if (!(*store)->commit(*fence, {&c, 1})) _exit(5);
    if (whole_commits(**store) != n + 1) _exit(6);
  });
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  auto store = open_sqlite_store(folder.file());
  ASSERT_TRUE(store) << store.error().detail;
  EXPECT_GT(whole_commits(**store), 1u);
}

/// kill -9 at an arbitrary moment of a loop of commits; the parent is told of each commit that returned.
TEST(SqliteStore, AKilledWriterLeavesWholeCommitsAndAllItWasToldOf) {
  const Folder folder;
  std::uint64_t base = 0;
  for (int round = 0; round < 20; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      auto store = open_sqlite_store(folder.file());
      if (!store) _exit(2);
      const auto fence = (*store)->acquire("child", Instant{1});
      if (!fence) _exit(3);
      for (std::uint64_t n = base;; ++n) {
        const Commit c = numbered(n, 100 + 700 * (n % 13));
        if (!(*store)->commit(*fence, {&c, 1})) _exit(4);
        const char told = 1;
        if (write(pipe_ends[1], &told, 1) != 1) _exit(5);
      }
    }
    close(pipe_ends[1]);
    std::uint64_t told = 0;
    char byte = 0;
    while (told < static_cast<std::uint64_t>(3 + round * 2) && read(pipe_ends[0], &byte, 1) == 1) ++told;
    usleep(static_cast<useconds_t>(round * 173));  // varies where in the next commit the kill falls
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    while (read(pipe_ends[0], &byte, 1) == 1) ++told;
    close(pipe_ends[0]);
    ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
    auto store = open_sqlite_store(folder.file());
    ASSERT_TRUE(store) << store.error().detail;
    const std::uint64_t found = whole_commits(**store);
    ASSERT_GE(found, base + told);
    ASSERT_LE(found, base + told + 1);  // at most the one that was on its way
    base = found;
  }
}

}  // namespace
}  // namespace hansard
