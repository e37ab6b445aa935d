#pragma once
// `hansard calendar list|sync|plan|disconnect`: each gets the words after its name and gives the exit code.
#include <span>
#include <string>

namespace hansard::cli {

int cmd_calendar_list(std::span<const std::string> args);
int cmd_calendar_sync(std::span<const std::string> args);
int cmd_calendar_plan(std::span<const std::string> args);
int cmd_calendar_disconnect(std::span<const std::string> args);

}  // namespace hansard::cli
