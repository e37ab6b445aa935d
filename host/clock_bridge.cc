#include "host/clock_bridge.h"

#include "host/stored.h"

namespace hansard::host {
namespace {

/// By so much the wall clock must have been set before aggregates are told: less than the ledger's precision, more than what
/// lies between two readings.
constexpr Duration kClockStep = milliseconds(20);
constexpr Duration kClockReading = milliseconds(2);
constexpr int kMostReadings = 10;
constexpr Instant kNever{253'402'300'799'000};

struct KeptClock {
  std::string boot;
  Duration lead;
  static constexpr auto fields = std::make_tuple(field("boot", &KeptClock::boot), field("lead_ms", &KeptClock::lead));
};

/// nullopt: this process was interrupted while it read the clocks.
std::optional<Duration> read_lead(const Clock& clock) {
  const Duration before = clock.monotonic();
  const Duration lead{clock.now().ms - before.ms};
  if (clock.monotonic() - before > kClockReading) return std::nullopt;
  return lead;
}

}  // namespace

Result<void> ClockBridge::open(Store& store, const std::function<Result<Instant>()>& latest) {
  std::optional<Duration> lead = read_lead(clock_);
  for (int n = 1; !lead && n < kMostReadings; ++n) lead = read_lead(clock_);
  lead_ = lead.value_or(Duration{clock_.now().ms - clock_.monotonic().ms});
  auto stored = store.context(kClockKey);
  if (!stored) return pass(stored);
  if (*stored) {
    kept_ = **stored;
    auto known = decode<KeptClock>(kept_, context_binding(kClockKey));
    if (!known) return pass(known);
    if (!known->boot.empty() && known->boot == clock_.boot()) {
      lead_ = known->lead;
      return {};
    }
    machine_restarted_ = known->boot != clock_.boot();
  }
  const auto moment = latest();
  if (!moment) return std::unexpected(moment.error());
  if (const Duration early = *moment - clock_.now(); early.ms > 0) lead_ = lead_ + early;
  return {};
}

std::optional<Duration> ClockBridge::moved_to() const {
  const std::optional<Duration> lead = read_lead(clock_);
  if (!lead) return std::nullopt;
  const Duration by = *lead - lead_;
  return by < kClockStep && by > Duration{} - kClockStep ? std::nullopt : lead;
}

std::optional<StoredContext> ClockBridge::to_keep(Duration lead) const {
  std::string body = encode(KeptClock{clock_.boot(), lead}, context_binding(kClockKey));
  if (body == kept_) return std::nullopt;
  return StoredContext{kClockKey, std::move(body), kNever};
}

}  // namespace hansard::host
