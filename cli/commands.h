#pragma once
// The commands and their dispatcher.
#include <span>
#include <string>

namespace hansard::cli {

/// Runs the program: `args` without the program's name. The exit code: 0 ok, 1 failed, 2 wrong use.
int run(std::span<const std::string> args);

int cmd_serve(std::span<const std::string> args);
int cmd_demo(std::span<const std::string> args);
int cmd_join(std::span<const std::string> args);
int cmd_stop(std::span<const std::string> args);
int cmd_status(std::span<const std::string> args);
int cmd_meetings(std::span<const std::string> args);
int cmd_tasks(std::span<const std::string> args);
int cmd_doctor(std::span<const std::string> args);
int cmd_config(std::span<const std::string> args);
int cmd_backup(std::span<const std::string> args);
int cmd_restore(std::span<const std::string> args);
int cmd_check(std::span<const std::string> args);
int cmd_audit(std::span<const std::string> args);
int cmd_lifecycle(std::span<const std::string> args);
int cmd_room(std::span<const std::string> args);
/// `child media|speech ...`: loads the module and runs its role. Not for people.
int cmd_child(std::span<const std::string> args);

}  // namespace hansard::cli
