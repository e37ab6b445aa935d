#pragma once
// What lies where in the data directory, and the lock on it.
#include <string>

#include "adapters/files/posix.h"

namespace hansard {

inline std::string store_path(const std::string& data_dir) { return data_dir + "/hansard.db"; }
inline std::string audio_folder(const std::string& data_dir) { return data_dir + "/audio"; }
/// Where the daemon that runs can be reached: DaemonInfo.
inline std::string daemon_info_path(const std::string& data_dir) { return data_dir + "/daemon.json"; }
inline std::string api_token_path(const std::string& data_dir) { return data_dir + "/api-token"; }
/// Tokens and keys of connected calendars.
inline std::string secrets_folder(const std::string& data_dir) { return data_dir + "/secrets"; }
/// Locked as long as a daemon, or a restore, works on the directory.
inline std::string data_lock_path(const std::string& data_dir) { return data_dir + "/lock"; }

/// Makes and takes the lock and writes this process's id into it; it goes with the descriptor, however the process ends.
/// Errors: kConflict (somebody has it; says who), kDenied, kNotFound.
Result<posix::Descriptor> lock_data_dir(const std::string& data_dir);

/// The token of the API, kept there and made at the first start. Errors: those of writing a file.
Result<std::string> keep_api_token(const std::string& data_dir);

/// Whether somebody has the lock.
bool data_dir_in_use(const std::string& data_dir);

}  // namespace hansard
