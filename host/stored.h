#pragma once
// The form of the flow's data in a store: JSON by core/base/reflect.h, sealed and bound to the row it belongs to.
#include <string>

#include "core/base/reflect.h"
#include "core/flow/step.h"
#include "host/seal.h"
#include "ports/store.h"

namespace hansard::host {

// What a sealed body is bound to.
inline std::string state_binding(std::string_view aggregate) { return "state:" + std::string(aggregate); }
inline std::string journal_binding(std::string_view aggregate) { return "journal:" + std::string(aggregate); }
inline std::string record_binding(std::string_view aggregate, std::string_view kind) {
  return "record:" + std::string(aggregate) + ":" + std::string(kind);
}
inline std::string effect_binding(std::string_view key) { return "effect:" + std::string(key); }
inline std::string context_binding(std::string_view key) { return "context:" + std::string(key); }

/// Where a store keeps what the clocks read (Engine), beside the meetings' contexts.
inline constexpr const char* kClockKey = "host:clock";

template <class T>
std::string encode(const T& value, const std::string& binding) {
  return seal(json_text(value), binding);
}

/// Errors: kCorrupt, naming the row and not its content.
template <class T>
Result<T> decode(std::string_view body, const std::string& binding) {
  const auto text = unseal(body, binding);
  if (!text) return fail(text.error().code, "store", binding + ": " + text.error().detail);
  const auto json = Json::parse(*text);
  if (!json) return fail(ErrorClass::kCorrupt, "store", binding + " is not readable: restore the store from a backup");
  auto value = from_json<T>(*json);
  if (!value)
    return fail(ErrorClass::kCorrupt, "store",
                binding + " was written by another version or is damaged (" + value.error().detail + ")");
  return value;
}

/// Name of the alternative that a variant of the flow holds ("meeting", "utterance.final", ...).
template <class Variant>
std::string_view type_of(const Variant& v) {
  return std::visit([](const auto& a) { return std::remove_cvref_t<decltype(a)>::kType; }, v);
}

inline Result<flow::Record> decode_record(const StoredRecord& row) {
  return decode<flow::Record>(row.body, record_binding(row.aggregate, row.kind));
}

}  // namespace hansard::host
