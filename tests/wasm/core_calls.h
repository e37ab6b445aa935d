#pragma once
// What the smoke test calls in core, the same when built as WebAssembly and natively: one text in, one text out.
#include <string>
#include <string_view>

namespace hansard::core_calls {

/// Reads JSON and writes it again.
std::string json(std::string_view text);
/// Reads one utterance and writes it again through the description of its members.
std::string utterance(std::string_view text);
/// {"state": STATE or absent, "event": EVENT, "now_unix_ms": N} -> {"state", "records", "context", "effects", "due",
/// "deadline_unix_ms", "finished"}: one step of a meeting or a calendar; without a state the event begins one.
std::string step(std::string_view text);

}  // namespace hansard::core_calls
