#pragma once
// The backup's container: what its entries are called, its first entry, and reading it with every byte verified.
#include <functional>
#include <string>
#include <string_view>
#include <tuple>

#include "adapters/files/posix.h"
#include "daemon/backup.h"

namespace hansard::backup_file {

/// Of the container. A reader takes its own and older ones.
constexpr std::int64_t kFormat = 1;
constexpr std::string_view kHead = "hansard-backup.json";  ///< the first entry
constexpr std::string_view kStore = "store.db";
constexpr std::string_view kConfiguration = "config/hansard.toml";
constexpr std::string_view kSecrets = "secrets/";
constexpr std::string_view kAudio = "audio/";
constexpr std::string_view kMinutes = "minutes/";
constexpr std::string_view kSums = "SHA256SUMS";  ///< the last entry

struct Head {
  std::int64_t format = 0;
  std::string hansard;  ///< version that made it
  std::string created;
  StoreCounts store;
  static constexpr auto fields = std::make_tuple(field("format", &Head::format), field("hansard", &Head::hansard),
                                                 field("created", &Head::created), field("store", &Head::store));
};

/// A relative name without "." or ".." parts and without control characters, in one of the folders above.
bool good_name(std::string_view name);

/// Reads all of it. `place` is asked for each file but the first and the last, and gives an open file to write it to, or none
/// (-1) to verify only; what is written is synced. Errors: kNotFound, kCorrupt, kInvalid (newer), kExhausted, kCancelled.
Result<BackupReport> read(const std::string& path, const std::function<Result<posix::Descriptor>(const std::string& name)>& place,
                          const WorkProgress& progress);

}  // namespace hansard::backup_file
