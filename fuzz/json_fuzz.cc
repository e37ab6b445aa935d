// The JSON reader: any bytes give a value or an error, and a value survives being written and read again.
#include <cstdint>
#include <string_view>

#include "core/base/check.h"
#include "core/base/json.h"
#include "core/transcript/utterance.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto json = hansard::Json::parse({reinterpret_cast<const char*>(data), size});
  if (!json) return 0;
  const auto again = hansard::Json::parse(json->dump());
  CHECK(again);
  CHECK(again->dump() == json->dump());
  // Reading into a struct never fails otherwise than by an error.
  if (const auto utterance = hansard::from_json<hansard::Utterance>(*json)) {
    const auto copy = hansard::from_json<hansard::Utterance>(hansard::to_json(*utterance));
    CHECK(copy);
    CHECK(*copy == *utterance);
  }
  return 0;
}
