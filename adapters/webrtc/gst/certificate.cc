#include "adapters/webrtc/gst/certificate.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include <memory>

#include "core/base/check.h"

namespace hansard::webrtc {
namespace {

constexpr long kBackdatedSeconds = 24 * 3600;  // the other side's clock may be behind
constexpr long kValidSeconds = 30 * 24 * 3600;

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string fingerprint_of(const X509* cert) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  CHECK(X509_digest(cert, EVP_sha256(), digest, &size) == 1);
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (unsigned i = 0; i < size; ++i) {
    if (i > 0) out += ':';
    out += kHex[digest[i] >> 4];
    out += kHex[digest[i] & 15];
  }
  return out;
}

DtlsCertificate make() {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> cert(X509_new(), X509_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
  CHECK(key && cert && out);
  std::uint64_t serial = 0;
  CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1);
  X509_set_version(cert.get(), 2);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert.get()), serial >> 1 | 1);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), -kBackdatedSeconds);
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), kValidSeconds);
  X509_set_pubkey(cert.get(), key.get());
  X509_NAME* subject = X509_get_subject_name(cert.get());
  const std::string name = "webrtc";
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(cert.get(), subject);
  CHECK(X509_sign(cert.get(), key.get(), EVP_sha256()) > 0);
  CHECK(PEM_write_bio_X509(out.get(), cert.get()) == 1);
  CHECK(PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return {text_of(out.get()), fingerprint_of(cert.get())};
}

}  // namespace

const DtlsCertificate& dtls_certificate() {
  static const DtlsCertificate certificate = make();
  return certificate;
}

}  // namespace hansard::webrtc
