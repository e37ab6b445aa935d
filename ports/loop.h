#pragma once
// The event loop as adapters see it: descriptors, timers, posted functions. One thread runs all callbacks; only post()
// may be called from another one.
#include <cstdint>
#include <functional>

#include "core/base/time.h"

namespace hansard {

class Loop {
 public:
  using TimerId = std::uint64_t;

  virtual ~Loop() = default;

  /// Calls `ready` whenever the descriptor can be read or written, until it is unwatched. Watching a descriptor again
  /// replaces what was asked for. The caller unwatches before it closes the descriptor.
  virtual void watch(int fd, bool read, bool write, std::function<void(bool readable, bool writable)> ready) = 0;
  virtual void unwatch(int fd) = 0;

  /// Calls `f` once, not earlier than `delay` from now.
  virtual TimerId after(Duration delay, std::function<void()> f) = 0;
  /// Nothing happens when the timer has fired already.
  virtual void cancel(TimerId timer) = 0;

  /// Calls `f` on the loop's thread, never from inside this call. Thread-safe.
  virtual void post(std::function<void()> f) = 0;
};

}  // namespace hansard
