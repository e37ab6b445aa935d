#pragma once
// The clock that the daemon and its children share. Unlike the wall clock nobody sets it; unlike CLOCK_MONOTONIC it goes on
// while the machine sleeps, so that a meeting that went on without us is a gap and not a jump.
#include <time.h>

#include <cstdint>

namespace hansard::ipc {

/// Microseconds of CLOCK_BOOTTIME. The same in all processes of this boot; from any thread.
inline std::int64_t boot_clock_us() {
  timespec t{};
  ::clock_gettime(CLOCK_BOOTTIME, &t);
  return std::int64_t{t.tv_sec} * 1'000'000 + t.tv_nsec / 1000;
}

}  // namespace hansard::ipc
