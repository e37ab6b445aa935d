#pragma once
// What Google's refusals mean (guide "Handle API errors"): the reason decides, the status alone does not.
#include <string>

#include "core/calendar/sources/source.h"

namespace hansard::calendar {

/// `reason` of the first error in the body ("rateLimitExceeded"), letters only; empty when there is none.
std::string google_reason(const HttpResponse& response);

/// The sentence and the wait for an answer that ends a sync. `connection` names the command that heals it.
SyncFailed google_failure(const HttpResponse& response, const Connection& connection);

/// A failure of the token endpoint; a dead grant is told with the command that heals it.
SyncFailed google_sign_in_failure(SyncFailed failure, const Connection& connection);

}  // namespace hansard::calendar
