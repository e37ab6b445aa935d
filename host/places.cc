#include "host/places.h"

namespace hansard::host {

std::optional<flow::MeetingSpec> Places::held(const flow::State& state) {
  if (!flow::holds_place(state)) return std::nullopt;
  return std::get<flow::MeetingState>(state).spec;
}

void Places::update(const std::string& aggregate, const flow::State* before, const flow::State* after) {
  const auto place = [](const flow::State* state) -> std::optional<Place> {
    const auto spec = state == nullptr ? std::nullopt : held(*state);
    return spec ? std::optional(place_of(*spec)) : std::nullopt;
  };
  const auto from = place(before);
  const auto to = place(after);
  if (from == to) return;
  if (from) holders_.erase({*from, aggregate});
  if (to) holders_.emplace(*to, aggregate);
}

std::string Places::holder(const flow::MeetingSpec& spec, const std::function<bool(const std::string&)>& counts) const {
  const Place place = place_of(spec);
  for (auto it = holders_.lower_bound({place, ""}); it != holders_.end() && it->first == place; ++it) {
    if (counts(it->second)) return it->second;
  }
  return "";
}

}  // namespace hansard::host
