#pragma once
// One line in the log when a recording gets into trouble that its owner should know of, and one when that is over.
#include <map>
#include <set>
#include <string>

#include "host/executor.h"

namespace hansard {

class HealthLog {
 public:
  /// Call it about once a second; it writes only what has changed since the last call.
  void look(const std::map<std::string, host::Executor::Health>& now);

 private:
  std::set<std::string> behind_;
  std::set<std::string> unwritable_;
};

}  // namespace hansard
