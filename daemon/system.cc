#include "daemon/system.h"

#include <sys/random.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "ipc/boot_clock.h"

namespace hansard {

Instant system_now() {
  return {std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count()};
}

Instant SystemClock::now() const { return system_now(); }
Duration SystemClock::monotonic() const { return {ipc::boot_clock_us() / 1000}; }

/// The kernel's name of this boot. A time namespace (a container may have one) has a boot clock of its own.
std::string SystemClock::boot() const {
  std::string id;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), id);
  if (id.empty()) return id;
  std::error_code none;
  return id + " " + std::filesystem::read_symlink("/proc/self/ns/time", none).string();
}

std::string random_bytes(std::size_t count) {
  // As many as getrandom gives in one piece.
  std::string raw(std::min<std::size_t>(count, 256), '\0');
  while (::getrandom(raw.data(), raw.size(), 0) != static_cast<ssize_t>(raw.size())) {
  }
  return raw;
}

std::string random_hex(std::size_t bytes) {
  std::string out;
  for (const char c : random_bytes(bytes)) {
    constexpr const char* kDigits = "0123456789abcdef";
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  while (seed == 0) std::memcpy(&seed, random_bytes(sizeof seed).data(), sizeof seed);
  return seed;
}

}  // namespace hansard
