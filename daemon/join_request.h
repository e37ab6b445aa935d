#pragma once
// A meeting that is joined by hand.
#include <string>

#include "core/flow/types.h"

namespace hansard {

/// A meeting that a person asks for.
struct JoinRequest {
  std::string url;  ///< a room, a WHEP endpoint, or any platform's join link
  std::string title;
  std::string token;  ///< bearer token for the endpoint
};

/// The meeting that is meant, beginning now. Errors: kInvalid (no address of a meeting).
Result<flow::MeetingSpec> read_join_request(const JoinRequest& request, Instant now);

}  // namespace hansard
