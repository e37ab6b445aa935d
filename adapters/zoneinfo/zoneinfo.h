#pragma once
// The system's time zone files (Debian's tzdata).
#include <optional>
#include <string>
#include <string_view>

namespace hansard {

/// TZif bytes of an IANA zone from $TZDIR or /usr/share/zoneinfo; nothing when the name is unknown or is no zone name.
std::optional<std::string> read_system_zone(std::string_view iana_name);

/// The IANA name of this machine's zone ($TZ, /etc/timezone, /etc/localtime), or "UTC".
std::string system_zone_name();

}  // namespace hansard
