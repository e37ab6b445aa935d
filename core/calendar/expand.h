#pragma once
// From events to occurrences in a window of time: recurrence rules, RDATE, EXDATE, overrides, THISANDFUTURE.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/calendar/event.h"
#include "core/calendar/zone.h"

namespace hansard::calendar {

enum class TimeKind : std::uint8_t { kInstant, kDate, kFloating };

/// One meeting that takes place, once.
struct Occurrence {
  /// Stable: UID and original start ("uid|2025-03-04T10:00:00Z"), whatever the instance was moved to.
  std::string key;
  Instant original_start;  ///< the one in the key; kDate and kFloating: the digits read as UTC
  std::string uid;
  std::string summary;
  std::string status;      ///< as written: "", CONFIRMED, TENTATIVE, CANCELLED
  bool cancelled = false;  ///< by STATUS or by METHOD:CANCEL
  TimeKind kind = TimeKind::kInstant;
  Instant start, end;  ///< kDate and kFloating: the digits read as UTC, or in `local_zone` when one was given. end >= start
  WallSeconds wall_start = 0, wall_end = 0;  ///< the digits, for kDate and kFloating
  std::size_t event = 0;  ///< index of the VEvent that describes it (an override or the master) in Calendar::events
  int attendees = 0, accepted = 0, declined = 0;

  bool all_day() const { return kind == TimeKind::kDate; }
};

struct ExpandLimits {
  std::size_t max_occurrences = 100'000;   ///< of the whole answer
  std::size_t max_per_series = 10'000;     ///< of one UID: a rule for every second must not crowd out the others
  std::int64_t work_per_series = 200'000;  ///< units of WorkBudget: some milliseconds
  std::int64_t work_total = 20'000'000;
  /// The reader's own zone for floating and all-day times; null: read as UTC.
  const TimeZone* local_zone = nullptr;
};

struct Expansion {
  std::vector<Occurrence> occurrences;  ///< by start, then UID, then key
  /// Sentences about rules that were cut short by a limit. Empty = complete.
  std::vector<std::string> problems;
};

/// All occurrences that overlap [from, to); one without length counts when it starts in it. Cancelled ones are in the
/// list. A limit that is reached cuts the list of one series (or the end of the answer) and is told in `problems`.
/// Errors: kInvalid when to < from.
Result<Expansion> expand(const Calendar& calendar, Instant from, Instant to, const ZoneTable& zones,
                         const ExpandLimits& limits = {});

/// {"uid", "summary", "status", "all_day", "start", "end", "kind"}: the form of `hansard calendar expand`.
Json occurrence_json(const Occurrence& occurrence);

}  // namespace hansard::calendar
