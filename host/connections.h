#pragma once
// The connections that `hansard calendar connect` makes and the calendar reader renews, in the store of secrets.
#include <string>
#include <string_view>
#include <vector>

#include "core/calendar/sources/connection.h"
#include "ports/secrets.h"

namespace hansard::host {

/// The secret's name of a connection.
std::string connection_secret(std::string_view id);

/// Errors: those of SecretStore, kCorrupt.
Result<calendar::Connection> load_connection(SecretStore& secrets, std::string_view id);
Result<void> save_connection(SecretStore& secrets, const calendar::Connection& connection);
Result<void> remove_connection(SecretStore& secrets, std::string_view id);
/// Ids of all connections, in order.
Result<std::vector<std::string>> connection_ids(SecretStore& secrets);

}  // namespace hansard::host
