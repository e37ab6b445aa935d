#include "host/connections.h"

#include <algorithm>

#include "host/seal.h"

namespace hansard::host {
namespace {

constexpr std::string_view kPrefix = "calendar-";

}  // namespace

std::string connection_secret(std::string_view id) { return std::string(kPrefix) + std::string(id); }

Result<calendar::Connection> load_connection(SecretStore& secrets, std::string_view id) {
  const std::string name = connection_secret(id);
  auto sealed = secrets.read(name);
  if (!sealed) return pass(sealed);
  auto plain = unseal(*sealed, name);
  if (!plain) return pass(plain);
  auto json = Json::parse(*plain);
  if (!json)
    return fail(ErrorClass::kCorrupt, "calendar", "the stored connection '" + std::string(id) + "' is damaged: connect it again");
  return from_json<calendar::Connection>(*json);
}

Result<void> save_connection(SecretStore& secrets, const calendar::Connection& connection) {
  const std::string name = connection_secret(connection.id);
  return secrets.write(name, seal(json_text(connection), name));
}

Result<void> remove_connection(SecretStore& secrets, std::string_view id) { return secrets.remove(connection_secret(id)); }

Result<std::vector<std::string>> connection_ids(SecretStore& secrets) {
  auto names = secrets.names();
  if (!names) return names;
  std::vector<std::string> out;
  for (const std::string& name : *names) {
    if (name.starts_with(kPrefix)) out.push_back(name.substr(kPrefix.size()));
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace hansard::host
