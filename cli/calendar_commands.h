#pragma once
#include <span>
#include <string>

namespace hansard::cli {

/// `hansard calendar expand FILE.ics --from T --to T` and `hansard calendar rrule [FILE|-]`. `args` begin after the word
/// "calendar". Returns the exit code: 0 ok, 1 failed, 2 wrong use.
int cmd_calendar(std::span<const std::string> args);

}  // namespace hansard::cli
