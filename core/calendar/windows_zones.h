#pragma once
// Windows time zone names and their IANA zones: Unicode CLDR windowsZones, territory 001.
#include <string_view>

namespace hansard::calendar {

/// The IANA zone of a Windows zone id ("W. Europe Standard Time"), compared without case; empty when unknown.
std::string_view iana_of_windows_zone(std::string_view windows_id);

/// The IANA zone of the display text that Outlook writes, from its list of cities ("Amsterdam, Berlin, Bern, Rome,
/// Stockholm, Vienna", with or without "(UTC+01:00)" before it); empty when unknown.
std::string_view iana_of_display_name(std::string_view text);

}  // namespace hansard::calendar
