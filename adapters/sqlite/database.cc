#include "adapters/sqlite/database.h"

#include <sqlite3.h>

#include <unistd.h>

#include <cerrno>

namespace hansard::sqlite {
namespace {

constexpr int kBusyTimeoutMs = 2000;
/// Copied between two calls of a progress function: 4 MiB of usual pages.
constexpr int kPagesAtATime = 1024;

/// The errors of a full disk that SQLite does not report as SQLITE_FULL itself: quotas and file size limits.
bool out_of_space(int system_errno) { return system_errno == ENOSPC || system_errno == EDQUOT || system_errno == EFBIG; }

/// `system_errno`: errno after the call, which began with 0 (sqlite3_system_errno does not tell of a failed COMMIT).
std::unexpected<Error> error_of(int code, int system_errno) {
  const int primary = code & 0xff;
  // After a failed fsync nobody knows what is on the disk: that is never "full".
  const bool sync_failed = code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC;
  if (primary == SQLITE_FULL || (primary == SQLITE_IOERR && !sync_failed && out_of_space(system_errno))) {
    return fail(ErrorClass::kExhausted, "store",
                "the disk of the data directory is full: free some space; nothing is lost, hansard goes on by itself");
  }
  switch (primary) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return fail(ErrorClass::kUnavailable, "store", "another program holds the store: end it, or wait");
    case SQLITE_CORRUPT:
      return fail(ErrorClass::kCorrupt, "store", "the store is damaged: keep a copy of it, then restore a backup");
    case SQLITE_NOTADB:
      return fail(ErrorClass::kCorrupt, "store", "the file is not a store of hansard: name another data directory");
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH: return fail(ErrorClass::kDenied, "store", "the store may not be written: check its owner and permissions");
    case SQLITE_CANTOPEN:
      return fail(ErrorClass::kDenied, "store", "the store cannot be opened: check that its folder exists and may be written");
    case SQLITE_IOERR:
      return fail(ErrorClass::kInternal, "store",
                  "the disk failed (SQLite " + std::to_string(code) + ", errno " + std::to_string(system_errno) +
                      "): check it, then start again");
    case SQLITE_NOMEM: return fail(ErrorClass::kInternal, "store", "out of memory");
    default: return fail(ErrorClass::kInternal, "store", "SQLite error " + std::to_string(code) + ": " + sqlite3_errstr(code));
  }
}

}  // namespace

Statement::~Statement() { sqlite3_finalize(s_); }

void Statement::bind_at(int index, std::string_view v) {
  // A null pointer would bind NULL.
  sqlite3_bind_text(s_, index, v.data() == nullptr ? "" : v.data(), static_cast<int>(v.size()), SQLITE_STATIC);
}
void Statement::bind_at(int index, std::int64_t v) { sqlite3_bind_int64(s_, index, v); }

Statement& Statement::blob(int index, std::string_view bytes) {
  sqlite3_bind_blob(s_, index, bytes.data() == nullptr ? "" : bytes.data(), static_cast<int>(bytes.size()), SQLITE_STATIC);
  return *this;
}

Result<bool> Statement::step() {
  errno = 0;
  const int code = sqlite3_step(s_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return error_of(code, errno);
}

Result<void> Statement::run() {
  const auto r = step();
  reset();
  if (!r) return std::unexpected(r.error());
  return {};
}

void Statement::reset() {
  sqlite3_reset(s_);
  sqlite3_clear_bindings(s_);
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(s_, column); }

std::string Statement::text(int column) const {
  const void* bytes = sqlite3_column_blob(s_, column);
  return bytes == nullptr
             ? std::string()
             : std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(sqlite3_column_bytes(s_, column)));
}

Result<Database> Database::open(const std::string& path) {
  sqlite3* raw = nullptr;
  errno = 0;
  const int code = sqlite3_open_v2(
      path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  Database db(raw);
  if (code != SQLITE_OK) return error_of(code, errno);
  sqlite3_busy_timeout(raw, kBusyTimeoutMs);
  return db;
}

Result<Database> Database::open_read_only(const std::string& path) {
  if (::access(path.c_str(), F_OK) != 0) return fail(ErrorClass::kNotFound, "store", "there is no store " + path + " yet");
  sqlite3* raw = nullptr;
  errno = 0;
  const int code =
      sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  Database db(raw);
  if (code != SQLITE_OK) return error_of(code, errno);
  sqlite3_busy_timeout(raw, kBusyTimeoutMs);
  return db;
}

Database::~Database() { sqlite3_close_v2(db_); }

Result<void> Database::execute(const std::string& sql) {
  errno = 0;
  const int code = sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error_of(code, errno);
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  errno = 0;
  const int code = sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (code != SQLITE_OK) return error_of(code, errno);
  return Statement(raw);
}

Result<std::int64_t> Database::integer(std::string_view sql) {
  auto s = prepare(sql);
  if (!s) return pass(s);
  const auto row = s->step();
  if (!row) return std::unexpected(row.error());
  return *row ? s->integer(0) : 0;
}

Result<std::string> Database::text(std::string_view sql) {
  auto s = prepare(sql);
  if (!s) return pass(s);
  const auto row = s->step();
  if (!row) return std::unexpected(row.error());
  return *row ? s->text(0) : std::string();
}

Result<void> Database::copy_to(Database& to, const std::function<bool(std::uint64_t, std::uint64_t)>& progress) {
  errno = 0;
  sqlite3_backup* backup = sqlite3_backup_init(to.db_, "main", db_, "main");
  if (backup == nullptr) return error_of(sqlite3_extended_errcode(to.db_), errno);
  int code = SQLITE_OK;
  bool go_on = true;
  while (code == SQLITE_OK && go_on) {
    errno = 0;
    code = sqlite3_backup_step(backup, kPagesAtATime);
    const auto total = static_cast<std::uint64_t>(sqlite3_backup_pagecount(backup));
    go_on = progress(total - static_cast<std::uint64_t>(sqlite3_backup_remaining(backup)), total);
  }
  const int system_errno = errno;
  sqlite3_backup_finish(backup);
  if (code != SQLITE_DONE && code != SQLITE_OK) return error_of(code, system_errno);
  if (code != SQLITE_DONE) return fail(ErrorClass::kCancelled, "store", "interrupted");
  return {};
}

bool Database::in_transaction() const { return sqlite3_get_autocommit(db_) == 0; }

}  // namespace hansard::sqlite
