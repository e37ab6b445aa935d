#include "daemon/health_log.h"

#include "daemon/log.h"

namespace hansard {

void HealthLog::look(const std::map<std::string, host::Executor::Health>& now) {
  for (const auto& [meeting, health] : now) {
    if (health.far_behind && behind_.insert(meeting).second) {
      log::warning("the recognizer is behind, no partial results", {{"meeting", meeting}, {"behind_s", health.behind.ms / 1000}});
    } else if (!health.far_behind && behind_.erase(meeting) != 0) {
      log::info("the recognizer has caught up", {{"meeting", meeting}});
    }
    if (health.unwritable && unwritable_.insert(meeting).second) {
      log::error("audio cannot be written", {{"meeting", meeting}, {"detail", "the disk may be full"}});
    } else if (!health.unwritable && unwritable_.erase(meeting) != 0) {
      log::info("audio is written again", {{"meeting", meeting}});
    }
  }
  const auto over = [&](const std::string& meeting) { return !now.contains(meeting); };
  std::erase_if(behind_, over);
  std::erase_if(unwritable_, over);
}

}  // namespace hansard
