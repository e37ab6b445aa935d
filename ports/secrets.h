#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace hansard {

/// Small secrets by name: tokens, keys, passwords. Names are letters, digits, '-', '_' and '.', at most 100 characters.
class SecretStore {
 public:
  virtual ~SecretStore() = default;
  /// Errors: kNotFound, kDenied, kInvalid (the name), kExhausted (larger than 1 MiB).
  virtual Result<std::string> read(std::string_view name) = 0;
  /// Whole or not at all; durable when it returns. Errors: kDenied, kExhausted (disk full), kInvalid.
  virtual Result<void> write(std::string_view name, std::string_view bytes) = 0;
  /// One that is not there is no error.
  virtual Result<void> remove(std::string_view name) = 0;
  virtual Result<std::vector<std::string>> names() = 0;
};

}  // namespace hansard
