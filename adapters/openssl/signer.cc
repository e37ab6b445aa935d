#include "adapters/openssl/signer.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>

namespace hansard {
namespace {

constexpr std::string_view kArea = "keys";
constexpr int kLeastKeyBits = 2048;

struct FreeBio {
  void operator()(BIO* p) const { BIO_free(p); }
};
struct FreeKey {
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
};
struct FreeDigest {
  void operator()(EVP_MD_CTX* p) const { EVP_MD_CTX_free(p); }
};

/// A key with a pass phrase would make OpenSSL ask on the terminal.
int no_pass_phrase(char*, int, int, void*) { return 0; }

std::unexpected<Error> refused(std::string detail) {
  ERR_clear_error();
  return fail(ErrorClass::kInvalid, kArea, std::move(detail));
}

}  // namespace

Result<std::string> OpensslSigner::sign_rs256(std::string_view key_pem, std::string_view bytes) {
  const std::unique_ptr<BIO, FreeBio> bio(BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size())));
  if (!bio) return fail(ErrorClass::kExhausted, kArea, "no memory for a key");
  const std::unique_ptr<EVP_PKEY, FreeKey> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, &no_pass_phrase, nullptr));
  if (!key) return refused("it is not a PEM key without a pass phrase");
  if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) return refused("it is not an RSA key");
  if (EVP_PKEY_get_bits(key.get()) < kLeastKeyBits) return refused("an RSA key must have at least 2048 bits");
  const std::unique_ptr<EVP_MD_CTX, FreeDigest> context(EVP_MD_CTX_new());
  std::string out(static_cast<std::size_t>(EVP_PKEY_get_size(key.get())), '\0');
  std::size_t size = out.size();
  const auto* in = reinterpret_cast<const unsigned char*>(bytes.data());
  if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, in, bytes.size()) != 1) {
    return refused("the key cannot sign");
  }
  out.resize(size);
  return out;
}

}  // namespace hansard
