#pragma once
// Reading a meeting's rows back out of the store, page by page.
#include <functional>
#include <string>
#include <vector>

#include "host/engine.h"
#include "ports/store.h"

namespace hansard::host {

/// Calls `f` for each record of the aggregate (all aggregates when empty) with a seq above `after_seq`, in order. `kinds`
/// empty: all. Errors: those of the store, kCorrupt when a row cannot be read.
Result<void> for_each_record(Store& store, const std::string& aggregate, const std::vector<std::string>& kinds,
                             const std::function<void(const LiveRecord&)>& f, std::uint64_t after_seq = 0);

}  // namespace hansard::host
