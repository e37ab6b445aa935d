#include "daemon/task_outbox.h"

#include <algorithm>
#include <cstdlib>

#include "core/flow/step.h"
#include "daemon/system.h"
#include "host/stored.h"
#include "host/webhook_sink.h"

namespace hansard {
namespace {

constexpr std::string_view kArea = "tasks";

Json task_json(const std::string& key, const std::string& sink, std::string_view state, const std::string& meeting,
               const AnalysisItem& item) {
  Json out = Json::object();
  out.set("key", key).set("sink", sink).set("state", state).set("meeting", meeting).set("text", item.text);
  return out.set("owner", item.owner.value_or("")).set("due", item.due.value_or(""));
}

void add_deliveries(const flow::SinkState& sink, Json& out) {
  for (const flow::Delivery& d : sink.deliveries) {
    Json one = task_json(d.task.key, sink.settings.id, enum_name(d.state), d.task.meeting, d.task.item);
    one.set("title", d.task.title).set("attempts", std::int64_t{d.attempts});
    one.set("detail",
            sink.configured || d.state == flow::DeliveryState::kDead ? d.detail : "this sink is not configured any more");
    const bool waits = d.state != flow::DeliveryState::kDead && sink.configured && d.not_before.ms > 0;
    out.push(one.set("next", waits ? format_rfc3339(std::max(d.not_before, sink.paused_until)) : ""));
  }
}

}  // namespace

Result<std::map<std::string, std::shared_ptr<host::TaskSink>>> make_task_sinks(const Config& config, HttpClient& http,
                                                                               const Clock& clock) {
  std::map<std::string, std::shared_ptr<host::TaskSink>> out;
  for (const TaskSinkConfig& sink : config.task_sinks) {
    const char* secret = std::getenv(sink.secret_env.c_str());
    const tasks::Webhook hook{sink.url, secret == nullptr ? "" : secret};
    if (const auto key = tasks::webhook_key(hook.secret); !key) {
      return fail(ErrorClass::kInvalid, kArea,
                  "the task sink '" + sink.id + "' needs its secret in the environment variable " + sink.secret_env + ": " +
                      key.error().detail);
    }
    out.emplace(sink.id, std::make_shared<host::WebhookSink>(hook, http, clock));
  }
  return out;
}

void begin_task_sinks(const Config& config, const std::map<std::string, std::shared_ptr<host::TaskSink>>& sinks,
                      host::Engine& engine) {
  for (const TaskSinkConfig& sink : config.task_sinks) {
    flow::SinkConfigured configured;
    configured.settings.id = sink.id;
    configured.settings.sink_class = sinks.at(sink.id)->sink_class();
    configured.settings.per_minute = sink.per_minute;
    configured.seed = random_seed();
    engine.post(flow::sink_id(sink.id), configured);
  }
  engine.for_each([&](const std::string& id, const flow::State& state) {
    const auto* sink = std::get_if<flow::SinkState>(&state);
    if (sink != nullptr && !sinks.contains(sink->settings.id)) engine.post(id, flow::SinkConfigured{sink->settings, false, 0});
  });
}

Result<Json> tasks_view(Store& store) {
  Json out = Json::array();
  auto stored = store.aggregates(flow::SinkState::kType, true);
  if (!stored) return pass(stored);
  for (const StoredAggregate& a : *stored) {
    auto state = host::decode<flow::State>(a.state, host::state_binding(a.id));
    if (!state) return pass(state);
    if (const auto* sink = std::get_if<flow::SinkState>(&*state)) add_deliveries(*sink, out);
  }
  auto effects = store.effects();
  if (!effects) return pass(effects);
  for (const StoredEffect& e : *effects) {
    if (!e.held) continue;
    auto effect = host::decode<flow::Effect>(e.body, host::effect_binding(e.key));
    if (!effect) return pass(effect);
    const auto* held = std::get_if<flow::HoldTask>(&*effect);
    if (held != nullptr) out.push(task_json(held->key, "", "held", e.aggregate, held->item));
  }
  return out;
}

Result<void> decide_task(host::Engine& engine, const std::string& key, bool retry) {
  std::string aggregate;
  bool dead = false;
  engine.for_each([&](const std::string& id, const flow::State& state) {
    const auto* sink = std::get_if<flow::SinkState>(&state);
    if (sink == nullptr) return;
    for (const flow::Delivery& d : sink->deliveries) {
      if (d.task.key != key) continue;
      aggregate = id;
      dead = d.state == flow::DeliveryState::kDead;
    }
  });
  if (aggregate.empty()) return fail(ErrorClass::kNotFound, kArea, "no such task waits; `hansard tasks list` shows them");
  if (!dead) return fail(ErrorClass::kConflict, kArea, "this task is still on its way by itself");
  engine.post(aggregate, flow::TaskDecided{key, retry}, {}, audit::kByApi);
  return {};
}

}  // namespace hansard
