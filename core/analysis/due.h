#pragma once
// Due dates as people say them: "by Friday", "next Tuesday", "in two weeks", "the third of March", "end of the month".
#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "core/analysis/tokens.h"
#include "core/base/time.h"

namespace hansard::analysis {

/// A future time in tokens [begin, end).
struct DuePhrase {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool deadline = false;          ///< said with "by", "until", "before" or "no later than"
  std::optional<CivilDate> date;  ///< absent when it depends on what is not known ("by the next meeting", no meeting date)
};

/// The first future time in the tokens; one said as a deadline goes before one that is not. Past times ("last Friday",
/// "yesterday") and repeated ones ("every Friday") are not found. `today` is the day of the meeting.
///
/// Choices where English is ambiguous: a bare weekday is the next such day after today ("this Friday" may be today);
/// "next Friday" is the Friday of the next calendar week, weeks beginning on Monday; "this week" and "next week" end on
/// their Friday; a day and month that have passed are next year's.
std::optional<DuePhrase> find_due(std::span<const Token> tokens, std::optional<CivilDate> today);

/// ISO 8601: "2026-03-13".
std::string format_date(CivilDate date);
/// Errors: kInvalid for anything but YYYY-MM-DD of a real day.
Result<CivilDate> parse_date(std::string_view text);

}  // namespace hansard::analysis
