// A fault on purpose: reads one byte past the input when it begins with "canary". A sanitizer run that passes it does
// not work.
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (!std::string_view(reinterpret_cast<const char*>(data), size).starts_with("canary")) return 0;
  const volatile std::uint8_t* bytes = data;
  return bytes[size] == 0 ? 0 : -1;
}
