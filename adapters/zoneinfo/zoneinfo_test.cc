#include "adapters/zoneinfo/zoneinfo.h"

#include <gtest/gtest.h>

#include "core/calendar/zone.h"

namespace hansard {
namespace {

TEST(SystemZones, ReadsAZoneAndRefusesPaths) {
  const auto bytes = read_system_zone("Europe/Berlin");
  if (!bytes) GTEST_SKIP() << "no zone files on this machine (apt-get install tzdata)";
  const auto zone = calendar::TimeZone::from_tzif(*bytes);
  ASSERT_TRUE(zone);
  EXPECT_EQ(zone->offset_at(1'751'328'000), 7200);  // 2025-07-01
  EXPECT_EQ(zone->offset_at(1'735'689'600), 3600);  // 2025-01-01
  EXPECT_FALSE(read_system_zone("../../../etc/passwd"));
  EXPECT_FALSE(read_system_zone("tzdata.zi"));
  EXPECT_FALSE(read_system_zone("Europe"));
  EXPECT_FALSE(read_system_zone("Nowhere/Atlantis"));
}

TEST(SystemZones, NamesThisMachinesZone) { EXPECT_TRUE(calendar::is_zone_name(system_zone_name())); }

}  // namespace
}  // namespace hansard
