// Recurrence rules: any text is refused or gives ascending times from DTSTART on, and a seek changes none of them.
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/check.h"
#include "core/calendar/rrule.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace cal = hansard::calendar;
  const auto rule = cal::parse_rrule({reinterpret_cast<const char*>(data), size});
  if (!rule) return 0;
  const cal::WallSeconds dtstart = 1'740'000'000 + static_cast<std::int64_t>(size) * 977;
  const cal::WallSeconds stop = dtstart + 40 * 366 * cal::kDaySeconds;
  cal::WorkBudget budget{100'000};
  cal::RecurrenceIterator it(*rule, dtstart, stop, budget);
  std::vector<cal::WallSeconds> all;
  while (all.size() < 300) {
    const auto wall = it.next();
    if (!wall) break;
    CHECK(*wall >= dtstart && *wall <= stop);
    CHECK(all.empty() || *wall > all.back());
    all.push_back(*wall);
  }
  if (all.size() < 4) return 0;
  const std::size_t middle = all.size() / 2;
  cal::WorkBudget again{1'000'000};
  cal::RecurrenceIterator sought(*rule, dtstart, stop, again);
  sought.seek(all[middle]);
  for (std::size_t i = middle; i < all.size(); ++i) {
    const auto wall = sought.next();
    if (sought.out_of_budget()) return 0;
    CHECK(wall && *wall == all[i]);
  }
  return 0;
}
