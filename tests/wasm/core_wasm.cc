// Core as a WebAssembly reactor: what a host on another platform would call. Text crosses as a pointer and a length in
// the module's memory; a reply is owned by the module until the next call.
#include <cstddef>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "tests/wasm/core_calls.h"

#define HANSARD_EXPORT(name) extern "C" __attribute__((export_name(name), visibility("default")))

namespace {

std::string g_reply;

std::size_t reply(std::string text) {
  g_reply = std::move(text);
  return g_reply.size();
}

}  // namespace

/// Memory for an argument of `size` bytes; the host writes it and passes it on.
HANSARD_EXPORT("hansard_alloc") char* hansard_alloc(std::size_t size) { return static_cast<char*>(std::malloc(size)); }
HANSARD_EXPORT("hansard_free") void hansard_free(char* memory) { std::free(memory); }
HANSARD_EXPORT("hansard_reply") const char* hansard_reply() { return g_reply.data(); }

// Each returns the length of its reply.
HANSARD_EXPORT("hansard_json") std::size_t hansard_json(const char* text, std::size_t size) {
  return reply(hansard::core_calls::json({text, size}));
}
HANSARD_EXPORT("hansard_utterance") std::size_t hansard_utterance(const char* text, std::size_t size) {
  return reply(hansard::core_calls::utterance({text, size}));
}
HANSARD_EXPORT("hansard_step") std::size_t hansard_step(const char* text, std::size_t size) {
  return reply(hansard::core_calls::step({text, size}));
}
