#pragma once
// What the flow puts in the audit log: the one place that says which events are acts, and of what. docs/audit.md lists them.
#include <string>
#include <string_view>
#include <vector>

#include "core/audit/chain.h"
#include "core/flow/step.h"

namespace hansard::flow {

/// An event that took effect on an aggregate: what was before it (null: nothing, the event began it), and what it led to.
struct Applied {
  const std::string& aggregate;
  const State* before;
  const Event& event;
  const State& after;
  const Batch& batch;
};

/// The acts that belong into the same commit. `actor`: who posted the event, a kind of core/audit/chain.h. Nothing of what comes
/// out is content of a meeting, an address or a name, but for the names of task sinks.
std::vector<audit::Act> audited(const Applied& applied, Instant now, std::string_view actor);

}  // namespace hansard::flow
