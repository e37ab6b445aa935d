#include "core/flow/step.h"

#include <algorithm>

#include "core/base/hash.h"

namespace hansard::flow {

namespace {

std::string identify(std::string_view platform, std::string_view meeting_key, std::string_view occurrence) {
  std::string name(platform);
  name += '\n';
  name += meeting_key;
  name += '\n';
  name += occurrence;
  return "m" + sha256_hex(name, 15);
}

}  // namespace

std::string meeting_id(std::string_view platform, std::string_view meeting_key, Instant original_start) {
  return identify(platform, meeting_key, std::to_string(original_start.ms));
}

std::string meeting_id(const SeenOccurrence& o) {
  if (o.identity.empty()) return meeting_id(o.spec.platform, o.spec.meeting_key, o.original_start);
  return identify(o.spec.platform, o.spec.meeting_key, "uid\n" + o.identity);
}

Batch step(State& state, const Event& event, Instant now) {
  return std::visit([&](auto& s) { return step(s, event, now); }, state);
}

std::optional<State> begin(const Event& event) {
  if (std::holds_alternative<MeetingSeen>(event) || std::holds_alternative<PlaceTaken>(event)) return MeetingState{};
  if (std::holds_alternative<CalendarConfigured>(event)) return CalendarState{};
  if (std::holds_alternative<SinkConfigured>(event)) return SinkState{};
  if (const auto* wanted = std::get_if<TaskWanted>(&event)) {
    SinkState state;
    state.settings.id = wanted->sink;  // until the configuration says more
    return state;
  }
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

bool holds_place(const State& state) {
  const auto* m = std::get_if<MeetingState>(&state);
  return m != nullptr && m->behind.empty() && !m->spec.meeting_key.empty() && !finished(state);
}

bool finished(const State& state) {
  if (const auto* calendar = std::get_if<CalendarState>(&state)) return calendar->removed();
  const auto* m = std::get_if<MeetingState>(&state);
  if (m == nullptr) return false;
  // One that never began only passes on what calendars say. One that is over keeps its place until a timer ends that.
  return m->state == meeting::State::kNew || (meeting::is_final(m->state) && m->timers.empty());
}

}  // namespace hansard::flow
