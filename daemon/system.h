#pragma once
// The one place at which the program reads the system's clock and takes random numbers.
#include <cstdint>
#include <string>

#include "ports/clock.h"

namespace hansard {

class SystemClock final : public Clock {
 public:
  Instant now() const override;
  Duration monotonic() const override;
  std::string boot() const override;
};

/// Wall-clock time, as SystemClock tells it.
Instant system_now();

/// From the system's generator, fit for secrets. At most 256 bytes. Waits only until the system has been seeded once.
std::string random_bytes(std::size_t count);
/// Twice as many hexadecimal digits.
std::string random_hex(std::size_t bytes);
/// The seed of an aggregate, never 0.
std::uint64_t random_seed();

}  // namespace hansard
