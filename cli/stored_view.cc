#include "cli/stored_view.h"

#include "adapters/files/files.h"
#include "adapters/sqlite/sqlite_store.h"
#include "cli/daemon_client.h"
#include "daemon/data_dir.h"

namespace hansard::cli {
namespace {

bool has_store(const Config& config) {
  const auto there = read_file(store_path(config.data_dir), 16);
  return there || there.error().code != ErrorClass::kNotFound;
}

}  // namespace

Result<Json> read_view(const Config& config, const std::string& path, const std::function<Result<Json>(Store&)>& view,
                       const std::string& nothing_yet) {
  if (auto client = DaemonClient::find(config)) return client->get(path);
  if (!has_store(config)) return fail(ErrorClass::kNotFound, "cli", nothing_yet);
  auto store = open_sqlite_store(store_path(config.data_dir));
  if (!store) return pass(store);
  return view(**store);
}

Result<Json> read_list(const Config& config, const std::string& path, const std::function<Result<Json>(Store&)>& view) {
  if (!DaemonClient::find(config) && !has_store(config)) return Json::array();
  return read_view(config, path, view, {});
}

}  // namespace hansard::cli
