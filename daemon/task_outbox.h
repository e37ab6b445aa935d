#pragma once
// The daemon's task sinks: which there are, what waits for them, and what a person decides about dead letters.
#include <map>
#include <memory>
#include <string>

#include "daemon/config.h"
#include "host/engine.h"
#include "host/task_sink.h"
#include "ports/clock.h"
#include "ports/http_client.h"
#include "ports/store.h"

namespace hansard {

/// The sinks of the configuration by name. Errors: kInvalid (a secret that is missing or none; names its variable).
Result<std::map<std::string, std::shared_ptr<host::TaskSink>>> make_task_sinks(const Config& config, HttpClient& http,
                                                                               const Clock& clock);

/// Tells the flow which sinks there are, and which of a run before are no more: their tasks wait. Call after Engine::start.
void begin_task_sinks(const Config& config, const std::map<std::string, std::shared_ptr<host::TaskSink>>& sinks,
                      host::Engine& engine);

/// What is not delivered: [{"key", "sink", "state", "attempts", "detail", "next", "meeting", "title", "text", "owner", "due"}],
/// in the order in which it came; state is "waiting", "sending", "looking", "dead" (a person must decide) or "held" (no sink is
/// configured); `next` is RFC 3339 or "". Errors: those of the store.
Result<Json> tasks_view(Store& store);

/// Decides about a dead letter: send it again, or drop it. Errors: kNotFound, kConflict (it is not a dead letter).
Result<void> decide_task(host::Engine& engine, const std::string& key, bool retry);

}  // namespace hansard
