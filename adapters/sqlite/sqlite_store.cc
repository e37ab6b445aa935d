#include "adapters/sqlite/sqlite_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "adapters/sqlite/audit_table.h"
#include "adapters/sqlite/database.h"
#include "adapters/sqlite/migrations.h"

namespace hansard {
namespace {

using sqlite::Database;
using sqlite::Statement;
using sqlite::Transaction;

class SqliteStore final : public Store {
 public:
  SqliteStore(Database db, std::string path) : db_(std::move(db)), path_(std::move(path)) {}
  ~SqliteStore() override {
    if (lock_ >= 0) ::close(lock_);
  }

  Result<std::uint64_t> acquire(std::string_view owner, Instant at) override;
  Result<std::vector<std::uint64_t>> commit(std::uint64_t fence, std::span<const Commit> commits) override;
  Result<std::optional<StoredAggregate>> load(std::string_view aggregate) override;
  Result<std::vector<StoredAggregate>> aggregates(std::string_view kind, bool living_only) override;
  Result<std::vector<StoredRecord>> records(const RecordQuery& query) override;
  Result<std::uint64_t> last_seq() override;
  Result<std::vector<StoredEffect>> effects() override;
  Result<std::vector<std::pair<Instant, std::string>>> journal(std::string_view aggregate) override;
  Result<std::optional<std::string>> context(std::string_view key) override;
  Result<std::size_t> expire_contexts(Instant now) override;
  Result<audit::Head> audit_head() override { return audit_.head(); }
  Result<std::vector<audit::Row>> audit_rows(std::uint64_t after, std::size_t limit) override {
    return audit_.rows(after, limit);
  }

  Result<void> prepare();

 private:
  Result<void> take_lock();
  Result<void> write(const Commit& commit, std::vector<std::uint64_t>& seqs);
  Result<std::int64_t> write_state(const Commit& commit);
  Result<void> write_rest(const Commit& commit);

  Database db_;
  std::string path_;
  int lock_ = -1;
  sqlite::AuditTable audit_;
  Statement fence_, find_, insert_, update_, journal_, record_, effect_, done_, set_context_, drop_context_;
};

std::unexpected<Error> conflict(const std::string& detail) { return fail(ErrorClass::kConflict, "store", detail); }

Result<void> SqliteStore::prepare() {
  struct Entry {
    Statement& statement;
    std::string_view sql;
  };
  const Entry entries[] = {
      {fence_, "SELECT fence FROM owner WHERE id = 1"},
      {find_, "SELECT number, version FROM aggregate WHERE id = ?1"},
      {insert_, "INSERT INTO aggregate (id, kind, version, finished, state) VALUES (?1, ?2, 1, ?3, ?4) RETURNING number"},
      {update_, "UPDATE aggregate SET version = version + 1, finished = ?2, state = ?3 WHERE number = ?1"},
      {journal_, "INSERT INTO journal (aggregate, version, at_ms, event) VALUES (?1, ?2, ?3, ?4)"},
      {record_, "INSERT INTO record (aggregate, kind, at_ms, body) VALUES (?1, ?2, ?3, ?4) RETURNING seq"},
      {effect_, "INSERT INTO effect (key, aggregate, held, body) VALUES (?1, ?2, ?3, ?4)"},
      {done_, "DELETE FROM effect WHERE key = ?1"},
      {set_context_,
       "INSERT INTO context (key, value, expires_ms) VALUES (?1, ?2, ?3) "
       "ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_ms = excluded.expires_ms"},
      {drop_context_, "DELETE FROM context WHERE key = ?1"},
  };
  for (const auto& e : entries) {
    auto s = db_.prepare(e.sql);
    if (!s) return pass(s);
    e.statement = std::move(*s);
  }
  return audit_.prepare(db_);
}

/// The lock goes with the process, however it ends.
Result<void> SqliteStore::take_lock() {
  if (lock_ >= 0) return {};
  const std::string name = path_ + "-lock";
  const int fd = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    return fail(errno == ENOSPC ? ErrorClass::kExhausted : ErrorClass::kDenied, "store",
                "the lock beside the store cannot be made: check the folder's permissions and space");
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    ::close(fd);
    return conflict("another hansard is running on this store: stop it first, or name another data directory");
  }
  lock_ = fd;
  return {};
}

Result<std::uint64_t> SqliteStore::acquire(std::string_view owner, Instant at) {
  if (auto r = take_lock(); !r) return pass(r);
  Transaction transaction(db_);
  if (auto r = transaction.begin(); !r) return pass(r);
  auto update = db_.prepare("UPDATE owner SET fence = fence + 1, name = ?1 WHERE id = 1");
  if (!update) return pass(update);
  if (auto r = update->bind(owner).run(); !r) return pass(r);
  const auto fence = db_.integer("SELECT fence FROM owner WHERE id = 1");
  if (!fence) return std::unexpected(fence.error());
  const audit::Act act{at, std::string(owner), std::string(audit::kStoreOpen), "epoch:" + std::to_string(*fence),
                       std::string(audit::kOk)};
  if (auto r = audit_.append({&act, 1}); !r) return pass(r);
  if (auto r = transaction.commit(); !r) return pass(r);
  return static_cast<std::uint64_t>(*fence);
}

Result<std::vector<std::uint64_t>> SqliteStore::commit(std::uint64_t fence, std::span<const Commit> commits) {
  Transaction transaction(db_);
  if (auto r = transaction.begin(); !r) return pass(r);
  const auto row = fence_.step();
  const std::int64_t current = row && *row ? fence_.integer(0) : -1;
  fence_.reset();
  if (!row) return std::unexpected(row.error());
  if (current != static_cast<std::int64_t>(fence)) return conflict("another hansard has taken over this store");
  std::vector<std::uint64_t> seqs;
  for (const Commit& c : commits) {
    if (auto r = write(c, seqs); !r) return pass(r);
  }
  if (auto r = transaction.commit(); !r) return pass(r);
  return seqs;
}

Result<void> SqliteStore::write(const Commit& commit, std::vector<std::uint64_t>& seqs) {
  if (commit.aggregate.empty()) return write_rest(commit);
  const auto number = write_state(commit);
  if (!number) return std::unexpected(number.error());
  if (auto r = journal_.bind(*number, commit.expected_version + 1, commit.at.ms).blob(4, commit.journal).run(); !r) return r;
  for (const StoredRecord& record : commit.records) {
    const auto row = record_.bind(*number, record.kind, record.at.ms).blob(4, record.body).step();
    if (row && *row) seqs.push_back(static_cast<std::uint64_t>(record_.integer(0)));
    record_.reset();
    if (!row) return std::unexpected(row.error());
  }
  for (const StoredEffect& effect : commit.effects) {
    if (auto r = effect_.bind(effect.key, *number, effect.held).blob(4, effect.body).run(); !r) return r;
  }
  return write_rest(commit);
}

/// The aggregate's number.
Result<std::int64_t> SqliteStore::write_state(const Commit& commit) {
  const auto found = find_.bind(commit.aggregate).step();
  std::int64_t number = found && *found ? find_.integer(0) : 0;
  const std::int64_t version = found && *found ? find_.integer(1) : 0;
  find_.reset();
  if (!found) return std::unexpected(found.error());
  if (version != static_cast<std::int64_t>(commit.expected_version)) return conflict("the aggregate has changed under its owner");
  if (version != 0) {
    if (auto r = update_.bind(number, commit.finished).blob(3, commit.state).run(); !r) return pass(r);
    return number;
  }
  const auto row = insert_.bind(commit.aggregate, commit.kind, commit.finished).blob(4, commit.state).step();
  if (row && *row) number = insert_.integer(0);
  insert_.reset();
  if (!row) return std::unexpected(row.error());
  return number;
}

Result<void> SqliteStore::write_rest(const Commit& commit) {
  for (const std::string& key : commit.done) {
    if (auto r = done_.bind(key).run(); !r) return r;
  }
  for (const StoredContext& c : commit.context) {
    auto r = c.value.empty() ? drop_context_.bind(c.key).run()
                             : set_context_.bind(c.key, std::string_view(), c.expires.ms).blob(2, c.value).run();
    if (!r) return r;
  }
  return audit_.append(commit.audit);
}

/// Calls `take` for each row of a statement.
template <class F>
Result<void> each_row(Statement& s, const F& take) {
  for (;;) {
    const auto row = s.step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return {};
    take();
  }
}

StoredAggregate aggregate_of(const Statement& s) {
  return {s.text(0), s.text(1), static_cast<std::uint64_t>(s.integer(2)), s.integer(3) != 0, s.text(4)};
}

Result<std::optional<StoredAggregate>> SqliteStore::load(std::string_view aggregate) {
  auto s = db_.prepare("SELECT id, kind, version, finished, state FROM aggregate WHERE id = ?1");
  if (!s) return pass(s);
  const auto row = s->bind(aggregate).step();
  if (!row) return std::unexpected(row.error());
  return *row ? std::optional(aggregate_of(*s)) : std::nullopt;
}

Result<std::vector<StoredAggregate>> SqliteStore::aggregates(std::string_view kind, bool living_only) {
  auto s = db_.prepare(
      "SELECT id, kind, version, finished, state FROM aggregate WHERE (?1 = '' OR kind = ?1) AND (?2 = 0 OR finished = 0) ORDER "
      "BY number");
  if (!s) return pass(s);
  s->bind(kind, living_only);
  std::vector<StoredAggregate> out;
  if (auto r = each_row(*s, [&] { out.push_back(aggregate_of(*s)); }); !r) return pass(r);
  return out;
}

Result<std::vector<StoredRecord>> SqliteStore::records(const RecordQuery& query) {
  std::string sql =
      "SELECT r.seq, a.id, r.kind, r.at_ms, r.body FROM record r JOIN aggregate a ON a.number = r.aggregate WHERE r.seq > ?1";
  if (!query.aggregate.empty()) sql += " AND r.aggregate = (SELECT number FROM aggregate WHERE id = ?3)";
  if (!query.kinds.empty()) sql += " AND r.kind IN (SELECT value FROM json_each(?4))";
  sql += " ORDER BY r.seq LIMIT ?2";
  // Kinds are names of ours: no character that JSON would escape.
  std::string kinds = "[";
  for (const std::string& kind : query.kinds) kinds += (kinds.size() > 1 ? ",\"" : "\"") + kind + "\"";
  kinds += "]";
  auto s = db_.prepare(sql);
  if (!s) return pass(s);
  s->bind(query.after_seq, std::uint64_t{query.limit}, query.aggregate, kinds);
  std::vector<StoredRecord> out;
  const auto r = each_row(*s, [&] {
    out.push_back({static_cast<std::uint64_t>(s->integer(0)), s->text(1), s->text(2), Instant{s->integer(3)}, s->text(4)});
  });
  if (!r) return std::unexpected(r.error());
  return out;
}

Result<std::uint64_t> SqliteStore::last_seq() {
  const auto seq = db_.integer("SELECT coalesce(max(seq), 0) FROM record");
  if (!seq) return std::unexpected(seq.error());
  return static_cast<std::uint64_t>(*seq);
}

Result<std::vector<StoredEffect>> SqliteStore::effects() {
  auto s = db_.prepare(
      "SELECT e.key, a.id, e.held, e.body FROM effect e JOIN aggregate a ON a.number = e.aggregate ORDER BY e.number");
  if (!s) return pass(s);
  std::vector<StoredEffect> out;
  if (auto r = each_row(*s, [&] { out.push_back({s->text(0), s->text(1), s->integer(2) != 0, s->text(3)}); }); !r) return pass(r);
  return out;
}

Result<std::vector<std::pair<Instant, std::string>>> SqliteStore::journal(std::string_view aggregate) {
  auto s = db_.prepare(
      "SELECT j.at_ms, j.event FROM journal j JOIN aggregate a ON a.number = j.aggregate WHERE a.id = ?1 ORDER BY j.version");
  if (!s) return pass(s);
  s->bind(aggregate);
  std::vector<std::pair<Instant, std::string>> out;
  if (auto r = each_row(*s, [&] { out.emplace_back(Instant{s->integer(0)}, s->text(1)); }); !r) return pass(r);
  return out;
}

Result<std::optional<std::string>> SqliteStore::context(std::string_view key) {
  auto s = db_.prepare("SELECT value FROM context WHERE key = ?1");
  if (!s) return pass(s);
  const auto row = s->bind(key).step();
  if (!row) return std::unexpected(row.error());
  return *row ? std::optional(s->text(0)) : std::nullopt;
}

Result<std::size_t> SqliteStore::expire_contexts(Instant now) {
  auto s = db_.prepare("DELETE FROM context WHERE expires_ms < ?1 RETURNING 1");
  if (!s) return pass(s);
  s->bind(now.ms);
  std::size_t removed = 0;
  if (auto r = each_row(*s, [&] { ++removed; }); !r) return pass(r);
  return removed;
}

/// Sets what durability needs and asserts that it took.
Result<void> configure(Database& db) {
  const auto mode = db.text("PRAGMA journal_mode = WAL");
  if (!mode) return std::unexpected(mode.error());
  if (*mode != "wal")
    return fail(ErrorClass::kDenied, "store",
                "the file system does not carry a write-ahead log: put the data directory on a local disk");
  if (auto r = db.execute(
          "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON;");
      !r)
    return r;
  const auto synchronous = db.integer("PRAGMA synchronous");
  if (!synchronous) return std::unexpected(synchronous.error());
  const auto foreign_keys = db.integer("PRAGMA foreign_keys");
  if (!foreign_keys) return std::unexpected(foreign_keys.error());
  if (*synchronous != 2 || *foreign_keys != 1)
    return fail(ErrorClass::kInternal, "store", "this SQLite does not take synchronous=FULL and foreign_keys=ON");
  const auto check = db.text("PRAGMA quick_check(1)");
  if (!check) return std::unexpected(check.error());
  if (*check != "ok")
    return fail(ErrorClass::kCorrupt, "store", "the store is damaged: keep a copy of it, then restore a backup");
  return {};
}

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite_store(const std::string& path) {
  std::error_code ignored;
  const auto folder = std::filesystem::path(path).parent_path();
  if (!folder.empty() && !std::filesystem::is_directory(folder, ignored)) {
    return fail(ErrorClass::kNotFound, "store",
                "there is no folder " + folder.string() + ": make it, or name another data directory");
  }
  // SQLite would create the file with the umask's rights; what people said is for its owner alone.
  // Only when it is new: closing a descriptor of a file drops the locks that this process holds on it.
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd >= 0) ::close(fd);
  auto db = Database::open(path);
  if (!db) return pass(db);
  // Before anything is written: a file of another program stays as it is.
  if (auto r = sqlite::check_schema(*db); !r) return pass(r);
  if (auto r = configure(*db); !r) return pass(r);
  if (auto r = sqlite::migrate(*db); !r) return pass(r);
  auto store = std::make_unique<SqliteStore>(std::move(*db), path);
  if (auto r = store->prepare(); !r) return pass(r);
  return std::unique_ptr<Store>(std::move(store));
}

Result<std::unique_ptr<Store>> open_sqlite_snapshot(const std::string& path) {
  auto db = Database::open_read_only(path);
  if (!db) return pass(db);
  // The first read after BEGIN fixes the moment.
  if (auto r = db->execute("PRAGMA trusted_schema = OFF; BEGIN"); !r) return pass(r);
  const auto version = sqlite::check_schema(*db);
  if (!version) return std::unexpected(version.error());
  const auto known = static_cast<std::int64_t>(sqlite::migrations().size());
  if (*version != known) {
    return fail(ErrorClass::kInvalid, "store",
                "the store has schema " + std::to_string(*version) + " and is brought to schema " + std::to_string(known) +
                    " by the next `hansard serve`: look again after that");
  }
  auto store = std::make_unique<SqliteStore>(std::move(*db), path);
  if (auto r = store->prepare(); !r) return pass(r);
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace hansard
