#include "daemon/log.h"

#include <unistd.h>

#include "core/base/time.h"
#include "daemon/system.h"

namespace hansard::log {
namespace {

Level g_level = Level::kInfo;

const char* level_name(Level level) {
  switch (level) {
    case Level::kDebug: return "debug";
    case Level::kInfo: return "info";
    case Level::kWarning: return "warning";
    case Level::kError: return "error";
  }
  return "info";
}

}  // namespace

void set_level(Level level) { g_level = level; }

void write(Level level, std::string_view event, std::initializer_list<std::pair<std::string_view, Json>> values) {
  if (level < g_level) return;
  Json line = Json::object();
  line.set("at", format_rfc3339(system_now())).set("level", level_name(level)).set("event", event);
  for (const auto& [name, value] : values) line.set(name, value);
  const std::string text = line.dump() + "\n";
  // One write a line, so that lines of several processes do not mix.
  (void)!::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace hansard::log
