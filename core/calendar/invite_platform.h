#pragma once
// Which meeting does a URL lead to? Hosts are matched on label borders, then the path decides.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/calendar/invite_url.h"

namespace hansard::calendar {

/// What the detector is told about this installation. Hosts may be given with port or as whole URLs.
struct InviteConfig {
  std::vector<std::string> jitsi_hosts;
  std::vector<std::string> zoom_hosts;   ///< vanity domains
  std::vector<std::string> webex_hosts;  ///< vanity domains
  /// Hosts (with port) of plain WHEP endpoints and of our own rooms: any path on them is a meeting.
  std::vector<std::string> generic_hosts;
};

/// A join link, read.
struct JoinLink {
  std::string platform;            ///< zoom, teams, meet, webex, jitsi, generic
  std::string meeting_id;          ///< empty for personal names
  std::string url;                 ///< normalised as data/invites/README says
  bool has_passcode = false;       ///< a passcode parameter is in it
  bool numeric_id_in_url = false;  ///< Teams: the id is that of /meet/ID
  bool mtid = false;               ///< Webex: the id is only the MTID
  std::string identity;            ///< equal for two links to the same meeting
};

/// Opens wrappers (at most 5 deep) and reads the link. Nothing when it is no join link.
std::optional<JoinLink> read_join_link(std::string_view url, const InviteConfig& config);

/// True when the host belongs to a platform, the configuration or a known wrapper, so that a link to it may be written
/// without "https://".
bool is_known_host(std::string_view host, std::string_view port, const InviteConfig& config);

/// True when room names on this host may hold letters beyond ASCII.
bool is_jitsi_host(std::string_view host, std::string_view port, const InviteConfig& config);

}  // namespace hansard::calendar
