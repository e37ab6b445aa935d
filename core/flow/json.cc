// The JSON of the flow's variants by core/base/reflect.h.
#include "core/flow/effects.h"
#include "core/flow/events.h"
#include "core/flow/records.h"
#include "core/flow/state.h"

namespace hansard {

template Result<flow::State> from_json<flow::State>(const Json&);
template Result<flow::Event> from_json<flow::Event>(const Json&);
template Result<flow::Record> from_json<flow::Record>(const Json&);
template Result<flow::Effect> from_json<flow::Effect>(const Json&);
template std::string json_text<flow::State>(const flow::State&);
template std::string json_text<flow::Event>(const flow::Event&);
template std::string json_text<flow::Record>(const flow::Record&);
template std::string json_text<flow::Effect>(const flow::Effect&);

}  // namespace hansard
