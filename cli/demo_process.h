#pragma once
// A program that the demo starts and watches.
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace hansard::cli {

class DemoProcess {
 public:
  /// Starts `argv` with its output appended to `log`. It dies with this process. Errors: kUnavailable.
  static Result<DemoProcess> start(const std::vector<std::string>& argv, const std::string& log);
  ~DemoProcess();
  DemoProcess(DemoProcess&& other) noexcept;
  DemoProcess& operator=(DemoProcess&& other) noexcept;
  DemoProcess(const DemoProcess&) = delete;
  DemoProcess& operator=(const DemoProcess&) = delete;

  /// The exit code (128 + signal when killed), nothing while it runs.
  std::optional<int> poll();
  /// SIGTERM, then SIGKILL after `limit_ms`. Waits.
  void stop(int limit_ms);
  pid_t pid() const { return pid_; }

 private:
  explicit DemoProcess(pid_t pid) : pid_(pid) {}
  pid_t pid_ = -1;
  std::optional<int> code_;
};

}  // namespace hansard::cli
