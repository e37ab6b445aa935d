#pragma once
#include <string>

namespace hansard::webrtc {

struct DtlsCertificate {
  std::string pem;          ///< certificate and key
  std::string fingerprint;  ///< SHA-256 as in SDP (RFC 8122): "AB:CD:..."
};

/// This process's certificate: ECDSA on P-256, self-signed, made once. GStreamer's own is RSA, which peers that offer
/// only ECDSA refuse (aiortc).
const DtlsCertificate& dtls_certificate();

}  // namespace hansard::webrtc
