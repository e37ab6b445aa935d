#pragma once
// Structured logs: one JSON object a line on standard error. No meeting content, no names of people, no addresses of
// meetings or calendars, no tokens.
#include <initializer_list>
#include <string_view>
#include <utility>

#include "core/base/json.h"

namespace hansard::log {

enum class Level { kDebug, kInfo, kWarning, kError };

void set_level(Level level);
/// `event` is a stable phrase ("meeting state"), `values` what belongs to it.
void write(Level level, std::string_view event, std::initializer_list<std::pair<std::string_view, Json>> values = {});

inline void debug(std::string_view event, std::initializer_list<std::pair<std::string_view, Json>> values = {}) {
  write(Level::kDebug, event, values);
}
inline void info(std::string_view event, std::initializer_list<std::pair<std::string_view, Json>> values = {}) {
  write(Level::kInfo, event, values);
}
inline void warning(std::string_view event, std::initializer_list<std::pair<std::string_view, Json>> values = {}) {
  write(Level::kWarning, event, values);
}
inline void error(std::string_view event, std::initializer_list<std::pair<std::string_view, Json>> values = {}) {
  write(Level::kError, event, values);
}

}  // namespace hansard::log
