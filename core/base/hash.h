#pragma once
// Hashes as pure code: SHA-256 (FIPS 180-4) for ids and idempotency keys, HMAC for signed webhooks, CRC-32C (RFC 3720) for framed
// files, FNV-1a for feature hashing. None of them protects a secret by itself.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace hansard {

std::array<std::uint8_t, 32> sha256(std::string_view bytes);

/// SHA-256 of bytes that come piece by piece.
class Sha256 {
 public:
  void update(std::string_view bytes);
  /// The hash of everything so far; nothing may be added after it.
  std::array<std::uint8_t, 32> finish();
  /// As finish(), in lower-case hexadecimal.
  std::string finish_hex();

 private:
  std::array<std::uint32_t, 8> h_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<unsigned char, 64> block_{};  ///< the beginning of a block
  std::uint64_t size_ = 0;
};

/// Lower-case hexadecimal of the first `hex_digits` (at most 64) digits of SHA-256.
std::string sha256_hex(std::string_view bytes, std::size_t hex_digits = 64);
/// HMAC-SHA-256 (RFC 2104), 32 raw bytes.
std::string hmac_sha256(std::string_view key, std::string_view bytes);
std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed = 0);

constexpr std::uint64_t fnv1a(std::string_view s, std::uint64_t h = 0xcbf29ce484222325u) {
  for (const char c : s) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return h;
}

}  // namespace hansard
