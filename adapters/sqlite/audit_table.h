#pragma once
// Internal to adapters/sqlite: the rows of the audit log in the table `audit`.
#include <cstdint>
#include <span>
#include <vector>

#include "adapters/sqlite/database.h"
#include "core/audit/chain.h"

namespace hansard::sqlite {

class AuditTable {
 public:
  Result<void> prepare(Database& db);

  /// Inside the caller's transaction: the rows follow the newest one that is stored then.
  Result<void> append(std::span<const audit::Act> acts);
  Result<audit::Head> head();
  /// By number; what is no row of a log (a hash of another length) comes as one that does not verify.
  Result<std::vector<audit::Row>> rows(std::uint64_t after, std::size_t limit);

 private:
  Statement head_, insert_, rows_;
};

}  // namespace hansard::sqlite
