#pragma once
// Errors as values. The class of an error alone decides whether a caller retries.
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace hansard {

/// The closed set of error classes. `unavailable` and `rate_limited` may be retried; the others may not.
enum class ErrorClass : std::uint8_t {
  kInvalid,      ///< the input is wrong: tell the person what to change
  kNotFound,     ///< no such thing
  kConflict,     ///< the state does not allow it, or another owner changed it
  kDenied,       ///< not allowed
  kRateLimited,  ///< the other side asks us to slow down
  kUnavailable,  ///< the other side cannot be reached now
  kCorrupt,      ///< stored data does not verify
  kExhausted,    ///< a limit of ours was reached (size, time, disk, memory)
  kCancelled,    ///< somebody asked to stop
  kInternal,     ///< a fault of ours
};

/// Stable lower-case name of a class ("invalid", "not_found", ...), as it appears in JSON and logs.
constexpr std::string_view name(ErrorClass c) {
  switch (c) {
    case ErrorClass::kInvalid: return "invalid";
    case ErrorClass::kNotFound: return "not_found";
    case ErrorClass::kConflict: return "conflict";
    case ErrorClass::kDenied: return "denied";
    case ErrorClass::kRateLimited: return "rate_limited";
    case ErrorClass::kUnavailable: return "unavailable";
    case ErrorClass::kCorrupt: return "corrupt";
    case ErrorClass::kExhausted: return "exhausted";
    case ErrorClass::kCancelled: return "cancelled";
    case ErrorClass::kInternal: return "internal";
  }
  return "internal";
}

constexpr bool retryable(ErrorClass c) { return c == ErrorClass::kUnavailable || c == ErrorClass::kRateLimited; }

/// `area` names the part that failed ("calendar", "store"); it must outlive the error (a literal).
/// `detail` is one sentence for a person. It never holds meeting content or secrets.
struct Error {
  ErrorClass code = ErrorClass::kInternal;
  std::string_view area;
  std::string detail;
};

template <class T>
using Result = std::expected<T, Error>;

/// `return fail(ErrorClass::kInvalid, "calendar", "...")` in a function that returns Result.
inline std::unexpected<Error> fail(ErrorClass code, std::string_view area, std::string detail) {
  return std::unexpected<Error>(Error{code, area, std::move(detail)});
}

/// Passes another result's error on.
template <class T>
std::unexpected<Error> pass(Result<T>& r) {
  return std::unexpected<Error>(std::move(r.error()));
}

}  // namespace hansard
