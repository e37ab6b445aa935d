#pragma once
// The schema's history: of the tables, and of the form of the bodies in them (a new member that an older program would drop is
// a new schema, even if the tables stay). A migration that has been released is never changed; a change is a new one at the end.
#include <span>
#include <string_view>

#include "adapters/sqlite/database.h"

namespace hansard::sqlite {

/// The schema since which a store has an audit log.
constexpr std::int64_t kAuditSchema = 3;

/// "HANS": marks the file as ours (PRAGMA application_id).
constexpr std::int64_t kApplicationId = 0x48414E53;

struct Migration {
  std::string_view name;
  std::string_view sql;
};

/// In order; the schema version (PRAGMA user_version) is the number of those applied.
std::span<const Migration> migrations();

/// The schema version, 0 for an empty file. Writes nothing. Errors: kInvalid (a newer version wrote it), kCorrupt (not
/// ours), those of the database.
Result<std::int64_t> check_schema(Database& db);

/// Applies what is missing, each in one transaction. Errors: those of check_schema and of the database.
Result<void> migrate(Database& db);

}  // namespace hansard::sqlite
