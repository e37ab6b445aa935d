#pragma once
// GLib's main loop of this process, and the calls into it. Everything runs on the thread of run(), except what says
// otherwise.
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "core/base/json.h"

namespace hansard::webrtc {

/// Runs until quit(); returns its exit code.
int run_loop();
void quit_loop(int exit_code);
/// Has `task` run on the loop. From any thread.
void post(std::function<void()> task);

/// Microseconds of the monotonic clock. From any thread.
std::int64_t monotonic_us();
/// Milliseconds since 1970. From any thread.
std::int64_t unix_ms();

/// A timer that ends with its owner.
class Timer {
 public:
  Timer() = default;
  ~Timer() { cancel(); }
  Timer(Timer&& other) noexcept : id_(std::exchange(other.id_, 0)) {}
  Timer& operator=(Timer&& other) noexcept {
    if (this != &other) {
      cancel();
      id_ = std::exchange(other.id_, 0);
    }
    return *this;
  }

  static Timer every(unsigned ms, std::function<void()> task);
  static Timer after(unsigned ms, std::function<void()> task);
  void cancel();

 private:
  unsigned id_ = 0;
};

/// Calls back while a descriptor is readable (`wants_write` returning true: or writable). Stops with its owner.
class FdWatch {
 public:
  FdWatch(int fd, std::function<void()> readable);
  ~FdWatch();
  FdWatch(const FdWatch&) = delete;
  FdWatch& operator=(const FdWatch&) = delete;
  /// Calls `writable` once when the descriptor takes bytes again.
  void when_writable(std::function<void()> writable);

 private:
  int fd_;
  unsigned read_id_ = 0;
  unsigned write_id_ = 0;
};

/// One line of JSON on standard error: {"ts","level","part":"media","event",...}. Never meeting content or secrets. From
/// any thread.
void log_line(std::string_view level, std::string_view event,
              std::initializer_list<std::pair<std::string_view, Json>> fields = {});

}  // namespace hansard::webrtc
