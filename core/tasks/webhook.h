#pragma once
// The webhook sink: a signed POST by Standard Webhooks 1.0.0. Its receivers recognise a repeat by `webhook-id`.
#include <string>

#include "core/tasks/task.h"

namespace hansard::tasks {

struct Webhook {
  std::string url;     ///< https
  std::string secret;  ///< "whsec_" + base64 of 24 to 64 bytes
};

/// Errors: kInvalid when it is not such a secret.
Result<std::string> webhook_key(std::string_view secret);

/// "v1,BASE64": HMAC-SHA-256 of "{id}.{timestamp}.{body}" (Standard Webhooks 1.0.0, symmetric).
std::string webhook_signature(std::string_view key, std::string_view id, std::int64_t timestamp_s, std::string_view body);

/// {"type": "task.created", "timestamp", "data": {...}}. `now` is the attempt's time; `created` the task's and the same at
/// every attempt. Errors: kInvalid (secret).
Result<HttpRequest> webhook_request(const Webhook& hook, const Task& task, Instant created, Instant now);

}  // namespace hansard::tasks
