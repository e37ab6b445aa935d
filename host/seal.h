#pragma once
// The one seam through which bodies go on their way into and out of a store. Its first byte names the format.
// Format 0 is plain text: until encryption at rest has landed, nothing is encrypted, and `hansard doctor` says so.
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace hansard::host {

/// `binding` names the row (aggregate, kind, ...) that the body belongs to; encrypted formats bind to it.
std::string seal(std::string_view plain, std::string_view binding);
/// Errors: kCorrupt (empty, or a format this version does not know).
Result<std::string> unseal(std::string_view sealed, std::string_view binding);

}  // namespace hansard::host
