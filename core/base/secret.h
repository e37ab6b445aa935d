#pragma once
#include <string_view>

#include "core/base/hash.h"

namespace hansard {

/// SHA-256 of both is compared, so that neither content nor length shows in the time it takes.
inline bool same_secret(std::string_view a, std::string_view b) {
  const auto x = sha256(a);
  const auto y = sha256(b);
  unsigned difference = 0;
  for (std::size_t i = 0; i < x.size(); ++i) difference |= static_cast<unsigned>(x[i] ^ y[i]);
  return difference == 0;
}

}  // namespace hansard
