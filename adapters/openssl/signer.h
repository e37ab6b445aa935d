#pragma once
#include "ports/signer.h"

namespace hansard {

/// Signatures by OpenSSL 3.
class OpensslSigner final : public Signer {
 public:
  Result<std::string> sign_rs256(std::string_view key_pem, std::string_view bytes) override;
};

}  // namespace hansard
