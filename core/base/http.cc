#include "core/base/http.h"

#include <algorithm>

namespace hansard {
namespace {

constexpr Duration kLongestRetryAfter = hours(6);

}  // namespace

Duration retry_after(const HttpResponse& response) {
  std::int64_t n = 0;
  if (!parse_digits(trim(find_header(response.headers, "retry-after")), n)) return {};
  return std::min(seconds(std::min<std::int64_t>(n, kLongestRetryAfter.ms)), kLongestRetryAfter);
}

}  // namespace hansard
