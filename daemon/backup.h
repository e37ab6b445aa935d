#pragma once
// Backup, restore and check of a data directory. docs/formats/backup.md has the format and why it loses nothing.
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/sqlite/store_file.h"
#include "daemon/config.h"
#include "host/store_check.h"

namespace hansard {

/// Long work says where it is: what it does, how much is done, of how much (0: unknown). False: stop.
using WorkProgress = std::function<bool(std::string_view what, std::uint64_t done, std::uint64_t total)>;

struct BackupReport {
  std::string path;
  std::string created;  ///< RFC 3339: the moment of the store
  std::string made_by;  ///< version of hansard
  std::uint64_t bytes = 0;
  StoreCounts store;
  std::uint64_t secrets = 0;
  std::uint64_t audio = 0;    ///< tracks that wait for a recognizer
  std::uint64_t minutes = 0;  ///< files
  bool configuration = false;
  std::vector<std::string> notes;  ///< what a person should know, a sentence each
};

/// The backup and its time are also a row of the store's audit log; where none can be added, a note says so.
/// Backs up to `target`, a new file or a folder that gets one, beside a running daemon. The file is written whole, synced and
/// read back before it gets its name; after an error nothing is left.
/// Errors: kNotFound (no store), kConflict (the file exists), kCorrupt (the store is damaged), kExhausted (disk full),
/// kDenied, kCancelled.
Result<BackupReport> make_backup(const Config& config, const std::string& target, Instant now, const WorkProgress& progress);

/// Reads a backup and verifies every byte against its sums. Errors: kNotFound, kCorrupt, kInvalid (a newer format).
Result<BackupReport> verify_backup(const std::string& path, const WorkProgress& progress);

struct RestoreReport {
  BackupReport backup;
  std::string kept_aside;  ///< where the data directory of before is now; empty: there was none
  std::vector<std::string> notes;
};

/// Puts a backup in the place of the data directory, in one step after all of it is verified. The restored audit log goes on
/// with a row that says so. Without `force` only where there
/// is none, or an empty one. Errors: those of verify_backup, kConflict (a daemon runs; the directory is not empty), kExhausted.
Result<RestoreReport> restore_backup(const Config& config, const std::string& path, bool force, Instant now,
                                     const WorkProgress& progress);

struct DataCheck {
  std::vector<host::Fault> faults;
  std::vector<std::string> notes;
  StoreCounts store;
  audit::Verdict audit;
  std::uint64_t meetings = 0;
  std::uint64_t utterances = 0;
  std::uint64_t audio = 0;  ///< tracks
};

/// Reads all of a data directory, beside a running daemon, and changes nothing. Errors: kNotFound, kDenied, kUnavailable,
/// kInvalid (another schema), kCancelled; damage is a fault, not an error.
Result<DataCheck> check_data(const Config& config, const WorkProgress& progress);

}  // namespace hansard
