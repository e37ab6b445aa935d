#include "daemon/join_request.h"

#include "adapters/curl/guard.h"
#include "core/base/text.h"
#include "core/calendar/invite_platform.h"

namespace hansard {
namespace {

constexpr Duration kLength = hours(4);
constexpr std::size_t kMaxUrl = 4096;
constexpr std::size_t kMaxTitle = 500;

}  // namespace

Result<flow::MeetingSpec> read_join_request(const JoinRequest& request, Instant now) {
  flow::MeetingSpec spec;
  spec.url = std::string(trim(request.url));
  if (spec.url.empty() || spec.url.size() > kMaxUrl) {
    return fail(ErrorClass::kInvalid, "join", "give the meeting's address: a room (http://host/rooms/NAME) or a WHEP URL");
  }
  if (const auto link = calendar::read_join_link(spec.url, {}); link) {
    spec.platform = link->platform;
    spec.meeting_key = link->meeting_id.empty() ? link->url : link->meeting_id;
    spec.url = link->url;
  } else {
    if (const auto parts = read_url(spec.url); !parts) return std::unexpected(parts.error());
    spec.platform = "generic";
    spec.meeting_key = spec.url;
  }
  spec.title =
      request.title.empty() ? "Meeting joined by hand" : sanitize_utf8(std::string_view(request.title).substr(0, kMaxTitle));
  spec.token = request.token;
  spec.start = now;
  spec.end = now + kLength;
  spec.source = "manual";
  spec.by_hand = true;
  return spec;
}

}  // namespace hansard
