#pragma once
// A task on its way to where people keep theirs, and what a sink says to it. Neutral: sinks map it to their own form.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>

#include "core/analysis/item.h"
#include "core/base/http.h"
#include "core/base/reflect.h"
#include "core/base/result.h"
#include "core/base/time.h"

namespace hansard::tasks {

/// How a sink recognises a repeat; it decides what is done after an attempt of which nobody knows whether it arrived.
enum class SinkClass : std::uint8_t {
  kIdempotent,  ///< takes our key: send again
  kFindable,    ///< our key can be searched there: look before sending again
  kOpaque,      ///< neither: a person must look
};
constexpr EnumName<SinkClass> kEnumNames_SinkClass[] = {
    {SinkClass::kIdempotent, "idempotent"}, {SinkClass::kFindable, "findable"}, {SinkClass::kOpaque, "opaque"}};
constexpr auto enum_names(SinkClass) { return std::span(kEnumNames_SinkClass); }

struct Task {
  std::string key;      ///< the idempotency key: the same at every attempt, 32 hexadecimal digits
  std::string meeting;  ///< id
  std::string title;    ///< of the meeting
  AnalysisItem item;
  static constexpr auto fields = std::make_tuple(field("key", &Task::key), field("meeting", &Task::meeting),
                                                 field("title", &Task::title), field("item", &Task::item));
  bool operator==(const Task&) const = default;
};

enum class Outcome : std::uint8_t {
  kAccepted,
  kRefused,      ///< will be refused again: a person must change something
  kBusy,         ///< asks to slow down; this attempt was not taken
  kUnavailable,  ///< surely not taken: no connection was made
  kUnknown,      ///< may have been taken: the answer did not come
};
constexpr EnumName<Outcome> kEnumNames_Outcome[] = {{Outcome::kAccepted, "accepted"},
                                                    {Outcome::kRefused, "refused"},
                                                    {Outcome::kBusy, "busy"},
                                                    {Outcome::kUnavailable, "unavailable"},
                                                    {Outcome::kUnknown, "unknown"}};
constexpr auto enum_names(Outcome) { return std::span(kEnumNames_Outcome); }

struct Answer {
  Outcome outcome = Outcome::kUnknown;
  std::string detail;  ///< one sentence for a person, without content
  Duration retry_after{};
  static constexpr auto fields = std::make_tuple(field("outcome", &Answer::outcome), field("detail", &Answer::detail),
                                                 field("retry_after_ms", &Answer::retry_after));
  bool operator==(const Answer&) const = default;
};

/// What an answer over HTTP means where nothing better is known: 2xx accepted; 408, 5xx and no answer unknown; 429 busy;
/// the rest refused.
Answer read_http_answer(const Result<HttpResponse>& response, std::string_view sink);

}  // namespace hansard::tasks
