#pragma once
// The store's file as a whole: examined from inside, and copied while others write. docs/formats/backup.md.
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "core/audit/chain.h"
#include "core/base/reflect.h"

namespace hansard {

struct StoreCounts {
  std::int64_t schema = 0;
  std::int64_t aggregates = 0;
  std::int64_t journal = 0;
  std::int64_t records = 0;
  std::int64_t effects = 0;
  std::int64_t contexts = 0;
  std::int64_t last_seq = 0;   ///< the newest record's
  std::int64_t audit_seq = 0;  ///< the newest row's of the audit log; 0 also in a store of an earlier schema, which has none
  std::string audit_hash;      ///< its hash, 64 hexadecimal digits
  static constexpr auto fields = std::make_tuple(
      field("schema", &StoreCounts::schema), field("aggregates", &StoreCounts::aggregates),
      field("journal", &StoreCounts::journal), field("records", &StoreCounts::records), field("effects", &StoreCounts::effects),
      field("contexts", &StoreCounts::contexts), field("last_seq", &StoreCounts::last_seq),
      field("audit_seq", &StoreCounts::audit_seq), field("audit_hash", &StoreCounts::audit_hash));
  bool operator==(const StoreCounts&) const = default;
};

struct StoreFileReport {
  StoreCounts counts;
  std::vector<std::string> damage;  ///< what SQLite finds in the file: pages, indexes, constraints
  std::vector<std::string> faults;  ///< rows that do not fit each other
};

/// Reads the whole file at one moment, beside a writer: integrity_check, foreign keys, and what the schema cannot say (journals
/// without holes, numbers that could come twice, join contexts without a living meeting). Lines hold no content.
/// Errors: kNotFound, kCorrupt (no store of hansard), kInvalid (a newer schema), kUnavailable, kDenied.
Result<StoreFileReport> examine_store_file(const std::string& path);

/// Adds to the audit log of the store at `path`, beside its owner and without becoming it: what a command did. In one
/// transaction, durable when it returns. Errors: kNotFound, kInvalid (another schema), kUnavailable, kExhausted, kDenied,
/// kCorrupt.
Result<void> append_to_audit(const std::string& path, std::span<const audit::Act> acts);

/// Copies the store at `from` to the new file `to` (mode 0600, no side files, not synced) as it is at one moment; `pinned` is
/// called when that moment is fixed, before anything is copied. Pages are copied as they are (SQLite's online backup) and not
/// written anew as VACUUM INTO would: it would build new indexes, and so hide that the old ones were damaged.
/// Errors: those of examine_store_file and of `pinned`, kExhausted (disk full), kCancelled (`progress`, of pages, said no).
Result<void> copy_store_file(const std::string& from, const std::string& to, const std::function<Result<void>()>& pinned,
                             const std::function<bool(std::uint64_t, std::uint64_t)>& progress);

}  // namespace hansard
