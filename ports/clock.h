#pragma once
#include "core/base/time.h"

namespace hansard {

/// Wall-clock time, the only source of `now` in a host.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
};

}  // namespace hansard
