// Invitation texts: any bytes give a link or none; a link is https on a known host, and found again when it stands alone.
#include <cstdint>
#include <string_view>

#include "core/base/check.h"
#include "core/base/text.h"
#include "core/calendar/invite.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace cal = hansard::calendar;
  if (size == 0) return 0;
  const bool html = (data[0] & 1) != 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const cal::InviteLink link = cal::find_invite(text, html);
  if (!link) {
    CHECK(!link.url && !link.passcode && !link.meeting_id);
    return 0;
  }
  CHECK(link.url || link.meeting_id);
  if (link.meeting_id) CHECK(hansard::is_valid_utf8(*link.meeting_id));
  if (link.url) {
    CHECK(link.url->starts_with("https://"));
    const auto again = cal::read_join_link(*link.url, {});
    CHECK(again);
    CHECK(again->platform == link.platform);
  }
  return 0;
}
