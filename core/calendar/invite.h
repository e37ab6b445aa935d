#pragma once
// Invitations: which meeting is to be joined, and with what passcode. Rules: the notes beside tests/data/invites.
#include <optional>
#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/calendar/event.h"
#include "core/calendar/invite_platform.h"

namespace hansard::calendar {

/// What there is to join. Nothing when `platform` is empty.
struct InviteLink {
  std::string platform;  ///< zoom, teams, meet, webex, jitsi, generic
  std::optional<std::string> meeting_id;
  std::optional<std::string> passcode;  ///< what a person would type; never the encoded parameter of a link
  std::optional<std::string> url;       ///< none when the text has only an id and a passcode

  explicit operator bool() const { return !platform.empty(); }
  bool operator==(const InviteLink&) const = default;
};

/// Reads a body or location. `html` says that it is HTML; a plain text with tags in it is read as HTML too. Texts beyond
/// 1 MiB are cut.
InviteLink find_invite(std::string_view text, bool html, const InviteConfig& config = {});

/// Looks where calendars hide links: CONFERENCE with VIDEO first, then Google's and Microsoft's properties, URL, LOCATION,
/// the HTML body, DESCRIPTION, ATTACH. A passcode or number that stands elsewhere in the event is added.
InviteLink find_invite(const VEvent& event, const InviteConfig& config = {});

/// {"platform", "meeting_id", "passcode", "url"} or {"platform": null}: the form of `hansard invite`.
Json invite_json(const InviteLink& link);

/// Reads {"jitsi_hosts": [...], "zoom_hosts": [...], "webex_hosts": [...], "generic_hosts": [...]}; absent members are empty.
InviteConfig invite_config(const Json& json);

}  // namespace hansard::calendar
