#include "core/calendar/sources/google_errors.h"

#include <algorithm>

#include "core/base/json.h"

namespace hansard::calendar {
namespace {

constexpr std::size_t kMaxReason = 64;
/// Usage limits of a calendar or a project are counted over minutes to a day: asking soon again only prolongs them.
constexpr Duration kQuotaWait = minutes(30);
/// What only an administrator can change is looked at again after this.
constexpr Duration kAdministratorWait = minutes(15);
constexpr Duration kRateWait = minutes(1);

std::string connect_again(const Connection& connection) {
  return "run `hansard calendar connect google --id " + connection.id + "`";
}

SyncFailed longer(SyncFailed failure, Duration least) {
  failure.retry_after = std::max(failure.retry_after, least);
  return failure;
}

SyncFailed forbidden(const std::string& reason, Duration asked, const Connection& connection) {
  if (reason == "userRateLimitExceeded" || reason == "rateLimitExceeded" || reason == "RATE_LIMIT_EXCEEDED") {
    return longer({"Google asks to slow down: too many requests of this account or project", asked}, kRateWait);
  }
  if (reason == "quotaExceeded" || reason == "dailyLimitExceeded") {
    return longer(
        {"Google's usage limit for this calendar or project is reached (" + reason + "); it is tried again later", asked},
        kQuotaWait);
  }
  if (reason == "insufficientPermissions" || reason == "ACCESS_TOKEN_SCOPE_INSUFFICIENT") {
    return {"the sign-in does not allow hansard to read events: " + connect_again(connection) + " and allow all that it asks for",
            asked, true};
  }
  if (reason == "accessNotConfigured" || reason == "SERVICE_DISABLED") {
    return longer({"the Google Calendar API is not switched on in the project of this client: an administrator must enable it in "
                   "the Google Cloud console",
                   asked},
                  kAdministratorWait);
  }
  return longer({"Google does not let this account read the calendar" + (reason.empty() ? "" : " (" + reason + ")") +
                     ": its owner or an administrator must allow it",
                 asked},
                kAdministratorWait);
}

}  // namespace

std::string google_reason(const HttpResponse& response) {
  const auto body = Json::parse(response.body);
  if (!body) return {};
  const Json& error = (*body)["error"];
  std::string reason;
  // The newer form has details with reasons of their own; they are the more exact ones.
  for (const Json& detail : error["details"].items()) {
    if (reason.empty()) reason = detail.text_or("reason");
  }
  const auto& errors = error["errors"].items();
  if (!errors.empty() && !errors.front().text_or("reason").empty()) {
    const std::string classic = errors.front().text_or("reason");
    if (reason.empty() || classic != "forbidden") reason = classic;
  }
  const bool plain = reason.size() <= kMaxReason && std::all_of(reason.begin(), reason.end(), [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
                     });
  return plain ? reason : "";
}

SyncFailed google_failure(const HttpResponse& response, const Connection& connection) {
  const std::string reason = google_reason(response);
  const Duration asked = retry_after(response);
  const std::string told = reason.empty() ? "" : " (" + reason + ")";
  switch (response.status) {
    case 400: return {"Google refused the request for this calendar" + told, asked};
    case 401: return {"Google no longer accepts this sign-in: " + connect_again(connection), asked, true};
    case 403: return forbidden(reason, asked, connection);
    case 404:
      return longer({"Google knows no such calendar, or it is no longer shared with this account: check the share, or " +
                         connect_again(connection) + " with another --calendar",
                     asked},
                    kAdministratorWait);
    case 429: return longer({"Google asks to slow down: too many requests of this account or project", asked}, kRateWait);
    default: return {"Google answered with status " + std::to_string(response.status) + told, asked};
  }
}

SyncFailed google_sign_in_failure(SyncFailed failure, const Connection& connection) {
  if (failure.reconnect) failure.detail += ": " + connect_again(connection);
  return failure;
}

}  // namespace hansard::calendar
