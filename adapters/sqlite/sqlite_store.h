#pragma once
// The Store over one SQLite file: write-ahead log, synchronous=FULL, one transaction a commit call.
// docs/formats/store.md describes the tables.
#include <memory>
#include <string>

#include "ports/store.h"

namespace hansard {

/// Opens or creates the store at `path`, checks it (quick_check) and brings its schema to this version.
/// acquire() also takes a lock on `path`-lock that lasts as long as the store is open, so that a second process is
/// refused before it becomes owner; the fence still guards every commit.
/// Errors: kNotFound (no such folder), kDenied, kCorrupt (damaged, or not a hansard store), kInvalid (written by a newer
/// version), kUnavailable (locked), kExhausted (disk full).
Result<std::unique_ptr<Store>> open_sqlite_store(const std::string& path);

/// A store as it was at the moment of this call, to read: writers go on beside it, and every write through it is refused.
/// Errors: kNotFound, kCorrupt, kInvalid (an older or newer schema), kUnavailable, kDenied.
Result<std::unique_ptr<Store>> open_sqlite_snapshot(const std::string& path);

}  // namespace hansard
