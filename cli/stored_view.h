#pragma once
// What a running daemon says, or what its store says when none runs.
#include <functional>
#include <string>

#include "core/base/json.h"
#include "daemon/config.h"
#include "ports/store.h"

namespace hansard::cli {

/// GET `path` of the daemon's API; without a daemon the same view, straight from the store. Errors: kNotFound with `nothing_yet`
/// when there is no store, else the API's or the store's.
Result<Json> read_view(const Config& config, const std::string& path, const std::function<Result<Json>(Store&)>& view,
                       const std::string& nothing_yet);

/// The same for a view that is a list: without a store it is empty, as it is right after the first start.
Result<Json> read_list(const Config& config, const std::string& path, const std::function<Result<Json>(Store&)>& view);

}  // namespace hansard::cli
