#include "core/tasks/task.h"

namespace hansard::tasks {

Answer read_http_answer(const Result<HttpResponse>& response, std::string_view sink) {
  const std::string name(sink);
  if (!response) {
    // A request that our own guard refused never left; whether another failed one arrived is not known.
    const bool refused = response.error().code == ErrorClass::kDenied || response.error().code == ErrorClass::kInvalid;
    return {refused ? Outcome::kRefused : Outcome::kUnknown, response.error().detail, {}};
  }
  const int status = response->status;
  const std::string detail = name + " answered with status " + std::to_string(status);
  if (status >= 200 && status < 300) return {Outcome::kAccepted, {}, {}};
  if (status == 429) return {Outcome::kBusy, detail, retry_after(*response)};
  if (status == 503 && retry_after(*response).ms > 0) return {Outcome::kBusy, detail, retry_after(*response)};
  if (status == 408 || status >= 500) return {Outcome::kUnknown, detail, retry_after(*response)};
  return {Outcome::kRefused, detail + ": the task was not taken", {}};
}

}  // namespace hansard::tasks
