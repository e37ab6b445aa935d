// Core as a WebAssembly reactor, for the smoke test: what a host on another platform would call. Text crosses as a
// pointer and a length in the module's memory; every reply is owned by the module until the next call.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/json.h"
#include "core/base/reflect.h"
#include "core/transcript/utterance.h"

#define HANSARD_EXPORT(name) extern "C" __attribute__((export_name(name), visibility("default")))

namespace {

using hansard::Json;

std::string g_reply;

std::size_t reply(std::string text) {
  g_reply = std::move(text);
  return g_reply.size();
}

std::string refusal(const hansard::Error& error) {
  return Json::object().set("error", hansard::name(error.code)).set("detail", error.detail).dump();
}

}  // namespace

/// Memory for an argument of `size` bytes; the host writes it and passes it on.
HANSARD_EXPORT("hansard_alloc") char* hansard_alloc(std::size_t size) { return static_cast<char*>(std::malloc(size)); }
HANSARD_EXPORT("hansard_free") void hansard_free(char* memory) { std::free(memory); }
HANSARD_EXPORT("hansard_reply") const char* hansard_reply() { return g_reply.data(); }

/// Reads JSON and writes it again. Returns the length of the reply.
HANSARD_EXPORT("hansard_json") std::size_t hansard_json(const char* text, std::size_t size) {
  const auto json = Json::parse(std::string_view(text, size));
  return reply(json ? json->dump() : refusal(json.error()));
}

/// Reads one utterance and writes it again through the description of its members.
HANSARD_EXPORT("hansard_utterance") std::size_t hansard_utterance(const char* text, std::size_t size) {
  const auto json = Json::parse(std::string_view(text, size));
  if (!json) return reply(refusal(json.error()));
  const auto utterance = hansard::from_json<hansard::Utterance>(*json);
  return reply(utterance ? hansard::to_json(*utterance).dump() : refusal(utterance.error()));
}
