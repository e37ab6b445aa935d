#pragma once
// A thin layer over SQLite's C interface: statements that end themselves, and error classes.
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace hansard::sqlite {

class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* s) : s_(s) {}
  Statement(Statement&& o) noexcept : s_(std::exchange(o.s_, nullptr)) {}
  Statement& operator=(Statement&& o) noexcept {
    std::swap(s_, o.s_);
    return *this;
  }
  ~Statement();

  /// Binds parameters ?1, ?2, ... (integers, text); blob() binds bytes. Text is not copied: it must live until reset().
  template <class... A>
  Statement& bind(const A&... values) {
    int i = 0;
    (bind_at(++i, values), ...);
    return *this;
  }
  Statement& blob(int index, std::string_view bytes);

  /// True when there is a row. Errors: the class of SQLite's code.
  Result<bool> step();
  /// Runs a statement that gives no rows, then resets it.
  Result<void> run();
  void reset();

  std::int64_t integer(int column) const;
  std::string text(int column) const;  ///< also a blob's bytes

 private:
  void bind_at(int index, std::string_view v);
  void bind_at(int index, const std::string& v) { bind_at(index, std::string_view(v)); }
  void bind_at(int index, std::int64_t v);
  void bind_at(int index, std::uint64_t v) { bind_at(index, static_cast<std::int64_t>(v)); }
  void bind_at(int index, bool v) { bind_at(index, std::int64_t{v}); }
  sqlite3_stmt* s_ = nullptr;
};

class Database {
 public:
  static Result<Database> open(const std::string& path);
  /// Reads only; makes no file. Errors: kNotFound, those of open.
  static Result<Database> open_read_only(const std::string& path);
  Database(Database&& o) noexcept : db_(std::exchange(o.db_, nullptr)) {}
  ~Database();

  Result<void> execute(const std::string& sql);
  Result<Statement> prepare(std::string_view sql);
  Result<std::int64_t> integer(std::string_view sql);
  Result<std::string> text(std::string_view sql);
  bool in_transaction() const;

  /// Copies every page into `to`, which is empty, by SQLite's online backup. Inside a read transaction it is that moment's
  /// content, however much others write. `progress` gets pages (done, of how many) and says whether to go on.
  /// Errors: those of the databases, kCancelled.
  Result<void> copy_to(Database& to, const std::function<bool(std::uint64_t, std::uint64_t)>& progress);

 private:
  explicit Database(sqlite3* db) : db_(db) {}
  sqlite3* db_ = nullptr;
};

/// BEGIN IMMEDIATE now, ROLLBACK at the end of the scope unless committed.
class Transaction {
 public:
  explicit Transaction(Database& db) : db_(db) {}
  ~Transaction() {
    if (db_.in_transaction()) (void)db_.execute("ROLLBACK");
  }
  Result<void> begin() { return db_.execute("BEGIN IMMEDIATE"); }
  Result<void> commit() { return db_.execute("COMMIT"); }

 private:
  Database& db_;
};

}  // namespace hansard::sqlite
