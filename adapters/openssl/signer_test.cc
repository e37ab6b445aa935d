#include "adapters/openssl/signer.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <memory>

namespace hansard {
namespace {

struct FreeKey {
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

std::string pem_of(const Key& key) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string out(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return out;
}

bool verifies(const Key& key, std::string_view bytes, std::string_view signature) {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key.get());
  const bool good = EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                                     reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()) == 1;
  EVP_MD_CTX_free(context);
  return good;
}

TEST(OpensslSigner, ItsSignaturesVerify) {
  const Key key(EVP_RSA_gen(2048));
  OpensslSigner signer;
  const auto signature = signer.sign_rs256(pem_of(key), "header.claims");
  ASSERT_TRUE(signature) << signature.error().detail;
  EXPECT_EQ(signature->size(), 256u);
  EXPECT_TRUE(verifies(key, "header.claims", *signature));
  EXPECT_FALSE(verifies(key, "header.claimz", *signature));
}

TEST(OpensslSigner, RefusesWhatIsNoRsaKey) {
  OpensslSigner signer;
  const auto why = [&](const std::string& pem) {
    const auto signature = signer.sign_rs256(pem, "x");
    EXPECT_FALSE(signature);
    return signature ? "" : signature.error().detail;
  };
  EXPECT_NE(why("not a key").find("PEM"), std::string::npos);
  EXPECT_NE(why(pem_of(Key(EVP_EC_gen("P-256")))).find("RSA"), std::string::npos);
  EXPECT_NE(why(pem_of(Key(EVP_RSA_gen(1024)))).find("2048"), std::string::npos);
}

}  // namespace
}  // namespace hansard
