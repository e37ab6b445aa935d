#include "core/flow/step.h"

#include <algorithm>

#include "core/base/hash.h"

namespace hansard::flow {

std::string meeting_id(std::string_view platform, std::string_view meeting_key, Instant original_start) {
  std::string name(platform);
  name += '\n';
  name += meeting_key;
  name += '\n' + std::to_string(original_start.ms);
  return "m" + sha256_hex(name, 15);
}

Batch step(State& state, const Event& event, Instant now) {
  return std::visit([&](auto& s) { return step(s, event, now); }, state);
}

std::optional<State> begin(const Event& event) {
  if (std::holds_alternative<MeetingSeen>(event)) return MeetingState{};
  if (std::holds_alternative<CalendarConfigured>(event)) return CalendarState{};
  return std::nullopt;
}

namespace {

const std::map<std::string, Instant>& timers(const State& state) {
  return std::visit([](const auto& s) -> const auto& { return s.timers; }, state);
}

}  // namespace

std::optional<Instant> next_deadline(const State& state) {
  std::optional<Instant> out;
  for (const auto& [name, at] : timers(state)) {
    if (!out || at < *out) out = at;
  }
  return out;
}

std::vector<std::string> due_timers(const State& state, Instant now) {
  std::vector<std::pair<Instant, std::string>> due;
  for (const auto& [name, at] : timers(state)) {
    if (at <= now) due.emplace_back(at, name);
  }
  std::sort(due.begin(), due.end());
  std::vector<std::string> out;
  for (auto& d : due) out.push_back(std::move(d.second));
  return out;
}

bool finished(const State& state) {
  const auto* m = std::get_if<MeetingState>(&state);
  return m != nullptr && meeting::is_final(m->state);
}

}  // namespace hansard::flow
