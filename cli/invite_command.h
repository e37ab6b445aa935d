#pragma once
#include <span>
#include <string>

namespace hansard::cli {

/// `hansard invite [FILE|-]`. `args` begin after the word "invite". Returns the exit code: 0 ok, 1 failed, 2 wrong use.
int cmd_invite(std::span<const std::string> args);

}  // namespace hansard::cli
