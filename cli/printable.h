#pragma once
// What others wrote (people, vendors, files) on its way to a terminal.
#include <string>
#include <string_view>

namespace hansard::cli {

/// The text with a space for every control character and every character that turns the direction of writing, so that what
/// people say cannot steer the terminal.
std::string printable(std::string_view text);

}  // namespace hansard::cli
