#include "tests/wasm/core_calls.h"

#include <utility>

#include "core/base/json.h"
#include "core/base/reflect.h"
#include "core/flow/step.h"
#include "core/transcript/utterance.h"

namespace hansard::core_calls {
namespace {

std::string refusal(const Error& error) {
  Json out;
  out.set("error", name(error.code)).set("detail", error.detail);
  return out.dump();
}

Json to_json(const flow::ContextChange& change) {
  Json out;
  out.set("key", change.key).set("value", change.value).set("expires_unix_ms", change.expires.ms);
  return out;
}

Json reply_of(const flow::State& state, const flow::Batch& batch, Instant now) {
  Json context = Json::array();
  for (const auto& change : batch.context) context.push(to_json(change));
  Json out;
  out.set("state", hansard::to_json(state));
  out.set("records", hansard::to_json(batch.records));
  out.set("context", std::move(context));
  out.set("effects", hansard::to_json(batch.effects));
  out.set("due", hansard::to_json(flow::due_timers(state, now)));
  const auto deadline = flow::next_deadline(state);
  out.set("deadline_unix_ms", deadline ? Json(deadline->ms) : Json());
  out.set("finished", flow::finished(state));
  return out;
}

}  // namespace

std::string json(std::string_view text) {
  const auto value = Json::parse(text);
  return value ? value->dump() : refusal(value.error());
}

std::string utterance(std::string_view text) {
  const auto value = Json::parse(text);
  if (!value) return refusal(value.error());
  const auto read = from_json<Utterance>(*value);
  return read ? hansard::json_text(*read) : refusal(read.error());
}

std::string step(std::string_view text) {
  const auto input = Json::parse(text);
  if (!input) return refusal(input.error());
  const auto event = from_json<flow::Event>((*input)["event"]);
  if (!event) return refusal(event.error());
  flow::State state;
  if (input->has("state")) {
    auto read = from_json<flow::State>((*input)["state"]);
    if (!read) return refusal(read.error());
    state = std::move(*read);
  } else {
    auto fresh = flow::begin(*event);
    if (!fresh) return refusal({ErrorClass::kInvalid, "wasm", "this event begins nothing"});
    state = std::move(*fresh);
  }
  const Instant now{input->int_or("now_unix_ms", 0)};
  const flow::Batch batch = flow::step(state, *event, now);
  return reply_of(state, batch, now).dump();
}

}  // namespace hansard::core_calls
