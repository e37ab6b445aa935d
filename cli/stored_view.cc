#include "cli/stored_view.h"

#include "adapters/files/files.h"
#include "adapters/sqlite/sqlite_store.h"
#include "cli/daemon_client.h"
#include "daemon/data_dir.h"

namespace hansard::cli {

Result<Json> read_view(const Config& config, const std::string& path, const std::function<Result<Json>(Store&)>& view,
                       const std::string& nothing_yet) {
  if (auto client = DaemonClient::find(config)) return client->get(path);
  const std::string file = store_path(config.data_dir);
  if (auto there = read_file(file, 16); !there && there.error().code == ErrorClass::kNotFound) {
    return fail(ErrorClass::kNotFound, "cli", nothing_yet);
  }
  auto store = open_sqlite_store(file);
  if (!store) return pass(store);
  return view(**store);
}

}  // namespace hansard::cli
