#pragma once
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace hansard {

/// Signatures with private keys: core has no arithmetic for them.
class Signer {
 public:
  virtual ~Signer() = default;
  /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 8.2) by a PKCS#8 or PKCS#1 PEM key; raw bytes. Errors: kInvalid (no RSA key).
  virtual Result<std::string> sign_rs256(std::string_view key_pem, std::string_view bytes) = 0;
};

}  // namespace hansard
