#pragma once
// The simulated store of secrets, durable as the disk is, and a signer: nothing in the simulated world asks for signatures.
#include <map>
#include <string>

#include "ports/secrets.h"
#include "ports/signer.h"

namespace hansard::sim {

class Secrets final : public SecretStore {
 public:
  Result<std::string> read(std::string_view name) override {
    const auto it = kept_.find(std::string(name));
    if (it == kept_.end()) return fail(ErrorClass::kNotFound, "secrets", "no such secret");
    return it->second;
  }
  Result<void> write(std::string_view name, std::string_view bytes) override {
    kept_[std::string(name)] = std::string(bytes);
    return {};
  }
  Result<void> remove(std::string_view name) override {
    kept_.erase(std::string(name));
    return {};
  }
  Result<std::vector<std::string>> names() override {
    std::vector<std::string> out;
    for (const auto& [name, value] : kept_) out.push_back(name);
    return out;
  }

 private:
  std::map<std::string, std::string> kept_;
};

class NoSigner final : public Signer {
 public:
  Result<std::string> sign_rs256(std::string_view, std::string_view) override {
    return fail(ErrorClass::kInvalid, "keys", "there are no private keys in the simulated world");
  }
};

}  // namespace hansard::sim
