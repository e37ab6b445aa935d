#include "adapters/sqlite/migrations.h"

#include <string>

namespace hansard::sqlite {
namespace {

constexpr std::string_view kFirstTables = R"sql(
CREATE TABLE owner (
  id    INTEGER PRIMARY KEY CHECK (id = 1),
  fence INTEGER NOT NULL,
  name  TEXT NOT NULL
) STRICT;
INSERT INTO owner (id, fence, name) VALUES (1, 0, '');

CREATE TABLE aggregate (
  number   INTEGER PRIMARY KEY AUTOINCREMENT,
  id       TEXT NOT NULL UNIQUE,
  kind     TEXT NOT NULL,
  version  INTEGER NOT NULL,
  finished INTEGER NOT NULL CHECK (finished IN (0, 1)),
  state    BLOB NOT NULL
) STRICT;
CREATE INDEX aggregate_living ON aggregate (number) WHERE finished = 0;

CREATE TABLE journal (
  aggregate INTEGER NOT NULL REFERENCES aggregate (number),
  version   INTEGER NOT NULL,
  at_ms     INTEGER NOT NULL,
  event     BLOB NOT NULL,
  PRIMARY KEY (aggregate, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE record (
  seq       INTEGER PRIMARY KEY AUTOINCREMENT,
  aggregate INTEGER NOT NULL REFERENCES aggregate (number),
  kind      TEXT NOT NULL,
  at_ms     INTEGER NOT NULL,
  body      BLOB NOT NULL
) STRICT;
CREATE INDEX record_of_aggregate ON record (aggregate, seq);

CREATE TABLE effect (
  number    INTEGER PRIMARY KEY AUTOINCREMENT,
  key       TEXT NOT NULL UNIQUE,
  aggregate INTEGER NOT NULL REFERENCES aggregate (number),
  held      INTEGER NOT NULL CHECK (held IN (0, 1)),
  body      BLOB NOT NULL
) STRICT;

CREATE TABLE context (
  key        TEXT PRIMARY KEY,
  value      BLOB NOT NULL,
  expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

/// The tables stay. States and records know of places, views of calendars and task sinks since then: a program that does not
/// would drop them at its next commit, so it must not open the store.
constexpr std::string_view kSecondForm = "";

/// Empty until the next owner says that the log begins. The triggers keep our own mistakes away; whoever writes to the file
/// can drop them.
constexpr std::string_view kAuditLog = R"sql(
CREATE TABLE audit (
  seq      INTEGER PRIMARY KEY CHECK (seq > 0),
  at_ms    INTEGER NOT NULL,
  actor    TEXT NOT NULL,
  action   TEXT NOT NULL,
  object   TEXT NOT NULL,
  outcome  TEXT NOT NULL,
  previous BLOB NOT NULL CHECK (length(previous) = 32),
  hash     BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE TRIGGER audit_not_changed BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;
CREATE TRIGGER audit_not_removed BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;
)sql";

constexpr Migration kMigrations[] = {
    {"first tables", kFirstTables}, {"second form of bodies", kSecondForm}, {"audit log", kAuditLog}};

}  // namespace

std::span<const Migration> migrations() { return kMigrations; }

Result<std::int64_t> check_schema(Database& db) {
  const auto id = db.integer("PRAGMA application_id");
  if (!id) return std::unexpected(id.error());
  const auto version = db.integer("PRAGMA user_version");
  if (!version) return std::unexpected(version.error());
  const auto objects = db.integer("SELECT count(*) FROM sqlite_schema");
  if (!objects) return std::unexpected(objects.error());
  if (*id != kApplicationId && (*objects != 0 || *id != 0)) {
    return fail(ErrorClass::kCorrupt, "store", "the file is a database of another program: name another data directory");
  }
  const auto known = static_cast<std::int64_t>(migrations().size());
  if (*version > known) {
    return fail(ErrorClass::kInvalid, "store",
                "the store has schema " + std::to_string(*version) + ", this version of hansard knows " + std::to_string(known) +
                    ": use the newer version, or restore a backup");
  }
  return *version;
}

Result<void> migrate(Database& db) {
  const auto version = check_schema(db);
  if (!version) return std::unexpected(version.error());
  for (auto next = static_cast<std::size_t>(*version); next < migrations().size(); ++next) {
    Transaction transaction(db);
    if (auto r = transaction.begin(); !r) return r;
    // Somebody else may have migrated while this process waited for the lock.
    const auto now = db.integer("PRAGMA user_version");
    if (!now) return std::unexpected(now.error());
    if (*now != static_cast<std::int64_t>(next)) continue;
    std::string sql(migrations()[next].sql);
    sql +=
        "PRAGMA application_id = " + std::to_string(kApplicationId) + "; PRAGMA user_version = " + std::to_string(next + 1) + ";";
    if (auto r = db.execute(sql); !r) return r;
    if (auto r = transaction.commit(); !r) return r;
  }
  return {};
}

}  // namespace hansard::sqlite
