#pragma once
#include <string>

#include "ports/secrets.h"

namespace hansard {

/// One file a secret in a folder that only its owner may read.
class FileSecrets final : public SecretStore {
 public:
  explicit FileSecrets(std::string folder) : folder_(std::move(folder)) {}

  Result<std::string> read(std::string_view name) override;
  Result<void> write(std::string_view name, std::string_view bytes) override;
  Result<void> remove(std::string_view name) override;
  Result<std::vector<std::string>> names() override;

 private:
  Result<std::string> path_of(std::string_view name) const;

  std::string folder_;
};

}  // namespace hansard
