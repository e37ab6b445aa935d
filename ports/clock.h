#pragma once
#include <string>

#include "core/base/time.h"

namespace hansard {

class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall-clock time: for calendars and people. It may be set at any moment.
  virtual Instant now() const = 0;
  /// Time since some moment in the past that is the same for all processes of this boot. Nobody sets it, it does not stop while
  /// the machine sleeps: what lengths and the media's time are measured with.
  virtual Duration monotonic() const = 0;
  /// Names the moment since which monotonic() counts: two processes that are given one name can compare their readings. Empty:
  /// nobody can tell.
  virtual std::string boot() const { return {}; }
};

}  // namespace hansard
