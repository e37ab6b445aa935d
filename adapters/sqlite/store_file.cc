#include "adapters/sqlite/store_file.h"

#include <fcntl.h>
#include <unistd.h>

#include "adapters/sqlite/audit_table.h"
#include "adapters/sqlite/database.h"
#include "adapters/sqlite/migrations.h"

namespace hansard {
namespace {

using sqlite::Database;
using sqlite::kAuditSchema;

Result<Database> open_moment(const std::string& path) {
  auto db = Database::open_read_only(path);
  if (!db) return db;
  // The first read after BEGIN fixes the moment.
  if (auto r = db->execute("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; BEGIN"); !r) return pass(r);
  const auto version = sqlite::check_schema(*db);
  if (!version) return std::unexpected(version.error());
  if (*version == 0) return fail(ErrorClass::kCorrupt, "store", path + " is not a store of hansard: name another file");
  return db;
}

/// What the rows say about each other. Each gives the number of rows that are wrong.
struct Rule {
  std::string_view what;
  std::string_view sql;
  std::int64_t since = 1;  ///< the schema
};
constexpr Rule kRules[] = {
    {"owner table without exactly one row", "SELECT count(*) <> 1 FROM owner"},
    {"journals with holes or without their end (meetings or calendars)",
     "SELECT count(*) FROM aggregate a WHERE a.version <> (SELECT count(*) FROM journal j WHERE j.aggregate = a.number) OR "
     "a.version "
     "<> (SELECT coalesce(max(j.version), 0) FROM journal j WHERE j.aggregate = a.number) OR a.version < 1"},
    {"records numbered beyond the counter: a number could come twice",
     "SELECT count(*) FROM record WHERE seq > (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'record')"},
    {"records with a number below one", "SELECT count(*) FROM record WHERE seq < 1"},
    {"effects numbered beyond the counter: a number could come twice",
     "SELECT count(*) FROM effect WHERE number > (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'effect')"},
    {"meetings numbered beyond the counter: a number could come twice",
     "SELECT count(*) FROM aggregate WHERE number > (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = "
     "'aggregate')"},
    {"join contexts without a living meeting",
     "SELECT count(*) FROM context c WHERE c.key <> 'host:clock' AND NOT EXISTS (SELECT 1 FROM aggregate a WHERE a.finished = 0 "
     "AND c.key = 'meeting:' || "
     "a.id "
     "|| ':context')"},
    {"rows of the audit log numbered below one", "SELECT count(*) FROM audit WHERE seq < 1", kAuditSchema},
};

Result<void> count_rows(Database& db, StoreCounts& out) {
  struct Entry {
    std::int64_t& to;
    std::string_view sql;
  };
  const Entry entries[] = {{out.schema, "PRAGMA user_version"},
                           {out.aggregates, "SELECT count(*) FROM aggregate"},
                           {out.journal, "SELECT count(*) FROM journal"},
                           {out.records, "SELECT count(*) FROM record"},
                           {out.effects, "SELECT count(*) FROM effect"},
                           {out.contexts, "SELECT count(*) FROM context"},
                           {out.last_seq, "SELECT coalesce(max(seq), 0) FROM record"}};
  for (const Entry& e : entries) {
    const auto n = db.integer(e.sql);
    if (!n) return std::unexpected(n.error());
    e.to = *n;
  }
  if (out.schema < kAuditSchema) return {};
  const auto seq = db.integer("SELECT coalesce(max(seq), 0) FROM audit");
  if (!seq) return std::unexpected(seq.error());
  auto hash = db.text("SELECT lower(hex(hash)) FROM audit ORDER BY seq DESC LIMIT 1");
  if (!hash) return pass(hash);
  out.audit_seq = *seq;
  out.audit_hash = std::move(*hash);
  return {};
}

/// Each row's first column as a line.
Result<void> lines(Database& db, std::string_view sql, std::string_view sound, std::vector<std::string>& out) {
  auto s = db.prepare(sql);
  if (!s) return pass(s);
  while (true) {
    const auto row = s->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return {};
    if (s->text(0) != sound) out.push_back(s->text(0));
  }
}

Result<void> examine(Database& db, StoreFileReport& out) {
  if (auto r = lines(db, "PRAGMA integrity_check(20)", "ok", out.damage); !r) return r;
  if (!out.damage.empty()) return {};
  if (auto r = count_rows(db, out.counts); !r) return r;
  if (auto r = lines(
          db,
          "SELECT count(*) || ' rows of ' || \"table\" || ' belong to nothing' FROM pragma_foreign_key_check GROUP BY \"table\"",
          "", out.faults);
      !r) {
    return r;
  }
  for (const Rule& rule : kRules) {
    if (out.counts.schema < rule.since) continue;
    const auto n = db.integer(rule.sql);
    if (!n) return std::unexpected(n.error());
    if (*n != 0) out.faults.push_back(std::to_string(*n) + " " + std::string(rule.what));
  }
  return {};
}

}  // namespace

Result<StoreFileReport> examine_store_file(const std::string& path) {
  auto db = open_moment(path);
  if (!db) return pass(db);
  StoreFileReport out;
  const auto r = examine(*db, out);
  if (r) return out;
  if (r.error().code != ErrorClass::kCorrupt) return std::unexpected(r.error());
  out.damage.push_back("a table cannot be read to its end");
  return out;
}

Result<void> append_to_audit(const std::string& path, std::span<const audit::Act> acts) {
  if (::access(path.c_str(), F_OK) != 0) return fail(ErrorClass::kNotFound, "store", "there is no store " + path + " yet");
  auto db = Database::open(path);
  if (!db) return pass(db);
  const auto version = sqlite::check_schema(*db);
  if (!version) return std::unexpected(version.error());
  if (*version != static_cast<std::int64_t>(sqlite::migrations().size())) {
    return fail(ErrorClass::kInvalid, "store",
                "the store has schema " + std::to_string(*version) + ", which the next `hansard serve` brings up to date");
  }
  if (auto r = db->execute("PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF"); !r) return r;
  sqlite::AuditTable table;
  if (auto r = table.prepare(*db); !r) return r;
  sqlite::Transaction transaction(*db);
  if (auto r = transaction.begin(); !r) return r;
  if (auto r = table.append(acts); !r) return r;
  return transaction.commit();
}

Result<void> copy_store_file(const std::string& from, const std::string& to, const std::function<Result<void>()>& pinned,
                             const std::function<bool(std::uint64_t, std::uint64_t)>& progress) {
  auto source = open_moment(from);
  if (!source) return pass(source);
  if (auto r = pinned(); !r) return r;
  const int fd = ::open(to.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0)
    return fail(ErrorClass::kDenied, "store",
                to + " cannot be made: check the folder's permissions, and that no such file is there");
  ::close(fd);
  {
    auto target = Database::open(to);
    if (!target) return pass(target);
    // Nobody reads the copy before it is whole: a crash needs no way back.
    if (auto r = target->execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF"); !r) return r;
    if (auto r = source->copy_to(*target, progress); !r) return r;
  }
  // The header says "write-ahead log": without that the copy is one file, whoever opens it. `serve` sets it again.
  auto target = Database::open(to);
  if (!target) return pass(target);
  const auto mode = target->text("PRAGMA journal_mode = DELETE");
  if (!mode) return std::unexpected(mode.error());
  if (*mode != "delete") return fail(ErrorClass::kInternal, "store", "the copy of the store keeps its write-ahead log");
  return {};
}

}  // namespace hansard
