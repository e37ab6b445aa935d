#include "host/seal.h"

namespace hansard::host {
namespace {
constexpr char kPlain = 0;
}

std::string seal(std::string_view plain, std::string_view) {
  std::string out;
  out.reserve(plain.size() + 1);
  out += kPlain;
  out += plain;
  return out;
}

Result<std::string> unseal(std::string_view sealed, std::string_view) {
  if (sealed.empty()) return fail(ErrorClass::kCorrupt, "seal", "a stored body is empty: restore the store from a backup");
  if (sealed[0] != kPlain) {
    return fail(ErrorClass::kCorrupt, "seal",
                "a stored body has format " + std::to_string(static_cast<unsigned char>(sealed[0])) +
                    ", which this version does not know: use a newer version of hansard");
  }
  return std::string(sealed.substr(1));
}

}  // namespace hansard::host
