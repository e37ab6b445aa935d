// The iCalendar reader and the expansion of what it reads: any bytes give a calendar or an error, and every expansion
// ends, is ordered, stays in its window and within its limits.
#include <cstdint>
#include <string_view>

#include "core/base/check.h"
#include "core/calendar/expand.h"
#include "core/calendar/invite.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace cal = hansard::calendar;
  const auto calendar = cal::read_calendar({reinterpret_cast<const char*>(data), size});
  if (!calendar) return 0;
  cal::ExpandLimits limits;
  limits.max_occurrences = 500;
  limits.max_per_series = 200;
  limits.work_per_series = 20'000;
  limits.work_total = 100'000;
  const hansard::Instant from{1'735'689'600'000};  // 2025-01-01
  const hansard::Instant to = from + hansard::hours(24 * 400);
  const auto expansion = cal::expand(*calendar, from, to, cal::ZoneTable{}, limits);
  CHECK(expansion);
  CHECK(expansion->occurrences.size() <= limits.max_occurrences);
  hansard::Instant last = {INT64_MIN};
  for (const cal::Occurrence& o : expansion->occurrences) {
    CHECK(o.start >= last);
    CHECK(o.end >= o.start);
    CHECK(o.start < to);
    CHECK(o.event < calendar->events.size());
    last = o.start;
  }
  if (!calendar->events.empty()) static_cast<void>(cal::find_invite(calendar->events.front()));
  return 0;
}
