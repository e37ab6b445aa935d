#pragma once
// Which meeting holds which place, where a place is a platform, the meeting's key there and its start: so that one bot goes to
// one place, whatever the calendars call the meeting.
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "core/flow/step.h"

namespace hansard::host {

class Places {
 public:
  /// Of the meeting whose place this state holds (flow::holds_place); nullopt: it holds none.
  static std::optional<flow::MeetingSpec> held(const flow::State& state);

  /// The aggregate's state was `before` and is `after`; nullptr: it is not there.
  void update(const std::string& aggregate, const flow::State* before, const flow::State* after);

  /// The first meeting at the place of `spec` of those that `counts`, or "".
  std::string holder(const flow::MeetingSpec& spec, const std::function<bool(const std::string& aggregate)>& counts) const;

 private:
  using Place = std::tuple<std::string, std::string, Instant>;
  static Place place_of(const flow::MeetingSpec& spec) { return {spec.platform, spec.meeting_key, spec.start}; }

  std::set<std::pair<Place, std::string>> holders_;
};

}  // namespace hansard::host
