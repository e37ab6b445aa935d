#include "adapters/sqlite/audit_table.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

namespace hansard::sqlite {
namespace {

std::string_view bytes(const audit::Hash& hash) { return {reinterpret_cast<const char*>(hash.data()), hash.size()}; }

audit::Hash hash_from(const std::string& blob) {
  audit::Hash out;
  out.fill(0xFF);  // is no row's hash
  if (blob.size() == out.size())
    std::transform(blob.begin(), blob.end(), out.begin(), [](char c) { return static_cast<std::uint8_t>(c); });
  return out;
}

}  // namespace

Result<void> AuditTable::prepare(Database& db) {
  const std::pair<Statement*, std::string_view> statements[] = {
      {&head_, "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1"},
      {&insert_,
       "INSERT INTO audit (seq, at_ms, actor, action, object, outcome, previous, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"},
      {&rows_,
       "SELECT seq, at_ms, actor, action, object, outcome, previous, hash FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2"}};
  for (const auto& [to, sql] : statements) {
    auto s = db.prepare(sql);
    if (!s) return pass(s);
    *to = std::move(*s);
  }
  return {};
}

Result<audit::Head> AuditTable::head() {
  const auto row = head_.step();
  audit::Head out;
  if (row && *row) out = {static_cast<std::uint64_t>(head_.integer(0)), hash_from(head_.text(1))};
  head_.reset();
  if (!row) return std::unexpected(row.error());
  return out;
}

Result<void> AuditTable::append(std::span<const audit::Act> acts) {
  if (acts.empty()) return {};
  auto last = head();
  if (!last) return std::unexpected(last.error());
  for (const audit::Row& row : audit::append(*last, acts)) {
    insert_.bind(row.seq, row.act.at.ms, row.act.actor, row.act.action, row.act.object, row.act.outcome);
    if (auto r = insert_.blob(7, bytes(row.previous)).blob(8, bytes(row.hash)).run(); !r) return r;
  }
  return {};
}

Result<std::vector<audit::Row>> AuditTable::rows(std::uint64_t after, std::size_t limit) {
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  std::vector<audit::Row> out;
  rows_.bind(std::min(after, kMost), std::min<std::uint64_t>(limit, kMost));
  for (;;) {
    const auto row = rows_.step();
    if (!row || !*row) {
      rows_.reset();
      if (!row) return std::unexpected(row.error());
      return out;
    }
    out.push_back({static_cast<std::uint64_t>(rows_.integer(0)),
                   {Instant{rows_.integer(1)}, rows_.text(2), rows_.text(3), rows_.text(4), rows_.text(5)},
                   hash_from(rows_.text(6)),
                   hash_from(rows_.text(7))});
  }
}

}  // namespace hansard::sqlite
