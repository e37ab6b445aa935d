#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace hansard {

/// Files that people see (minutes) or give (a calendar file, zone data).
class Files {
 public:
  virtual ~Files() = default;
  /// Writes whole or not at all (temporary name, fsync, rename, fsync of the directory). `name` is relative to the
  /// output directory; folders are made. The answer is the full path. Errors: kExhausted (disk full), kDenied.
  virtual Result<std::string> write(const std::string& name, const std::string& bytes) = 0;
  /// Errors: kNotFound, kDenied, kExhausted (larger than `max_bytes`).
  virtual Result<std::string> read(const std::string& path, std::size_t max_bytes) = 0;
  /// Names of the regular files in the folder that end in `suffix` (ASCII case does not count), sorted; hidden ones are left
  /// out. Errors: kNotFound, kDenied, kConflict (it is a file), kExhausted (more than `max_files`).
  virtual Result<std::vector<std::string>> list(const std::string& folder, std::string_view suffix, std::size_t max_files) = 0;
  /// Bytes free for the data directory.
  virtual Result<std::uint64_t> free_bytes() = 0;
};

}  // namespace hansard
