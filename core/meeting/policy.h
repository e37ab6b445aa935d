#pragma once
// When to join, when to leave, how to reconnect. Defaults are those of ARCHITECTURE.md.
#include <algorithm>
#include <cstdint>
#include <tuple>

#include "core/base/prng.h"
#include "core/base/reflect.h"
#include "core/base/time.h"

namespace hansard::meeting {

struct LeaveRules {
  Duration lobby = minutes(15);        ///< not admitted
  Duration alone = seconds(60);        ///< nobody else there
  Duration only_bots = seconds(60);    ///< others there, all of them bots
  Duration silent = minutes(10);       ///< no speech
  Duration grace = minutes(15);        ///< after the planned end
  Duration join_answer = seconds(30);  ///< no answer of any kind to an attempt
  Duration leave_answer = seconds(5);  ///< for a polite goodbye
  static constexpr auto fields = std::make_tuple(
      field("lobby_ms", &LeaveRules::lobby), field("alone_ms", &LeaveRules::alone), field("only_bots_ms", &LeaveRules::only_bots),
      field("silent_ms", &LeaveRules::silent), field("grace_ms", &LeaveRules::grace),
      field("join_answer_ms", &LeaveRules::join_answer), field("leave_answer_ms", &LeaveRules::leave_answer));
};

struct JoinRules {
  Duration validate_before = minutes(10);   ///< validation and preparation begin this long before the start
  Duration join_before = seconds(0);        ///< the bot joins this long before the start
  Duration not_started_retry = seconds(5);  ///< a meeting that is not there yet is asked for again after this
  static constexpr auto fields =
      std::make_tuple(field("validate_before_ms", &JoinRules::validate_before), field("join_before_ms", &JoinRules::join_before),
                      field("not_started_retry_ms", &JoinRules::not_started_retry));
};

constexpr int kReconnectAttempts = 5;
/// After this long in the call the count of attempts starts again.
constexpr Duration kStableCall = seconds(60);

/// Delay before attempt n = 1..5: 1000 ms x 2^n (2, 4, 8, 16, 32 s), plus jitter of up to an eighth of it so that many
/// bots do not return at once; never earlier than the other side's Retry-After.
inline Duration reconnect_delay(int attempt, Duration retry_after, Prng& prng) {
  const std::int64_t base = 1000ll << std::clamp(attempt, 1, kReconnectAttempts);
  const std::int64_t jitter = prng.between(0, base / 8);
  return {std::max(base + jitter, retry_after.ms)};
}

}  // namespace hansard::meeting
