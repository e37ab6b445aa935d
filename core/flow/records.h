#pragma once
// Append-only rows that step() emits into the same commit. They are what people read: the store gives each a sequence
// number, and the live stream is these rows in that order (partial results are the only live events that are not rows).
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "core/analysis/item.h"
#include "core/meeting/lifecycle.h"
#include "core/transcript/utterance.h"

namespace hansard::flow {

struct StateRecord {
  static constexpr std::string_view kType = "meeting.state";
  meeting::State state = meeting::State::kNew;
  std::string title;
  std::string platform;
  Instant start;
  Instant end;
  Instant origin;  ///< of media time; 0 before capture
  meeting::FailureCode code = meeting::FailureCode::kNone;
  std::string vendor_code;
  std::string note;  ///< one sentence for people
  static constexpr auto fields = std::make_tuple(
      field("state", &StateRecord::state), field("title", &StateRecord::title), field("platform", &StateRecord::platform),
      field("start_unix_ms", &StateRecord::start), field("end_unix_ms", &StateRecord::end),
      field("origin_unix_ms", &StateRecord::origin), field("code", &StateRecord::code),
      field("vendor_code", &StateRecord::vendor_code), field("note", &StateRecord::note));
};

struct ParticipantRecord {
  static constexpr std::string_view kType = "participant";
  std::string id;
  std::string name;
  bool present = true;
  bool bot = false;
  MediaTime at;  ///< 0 before capture
  static constexpr auto fields = std::make_tuple(field("id", &ParticipantRecord::id), field("name", &ParticipantRecord::name),
                                                 field("present", &ParticipantRecord::present),
                                                 field("bot", &ParticipantRecord::bot), field("at_ms", &ParticipantRecord::at));
};

struct UtteranceRecord {
  static constexpr std::string_view kType = "utterance.final";
  Utterance utterance;
  static constexpr auto fields = std::make_tuple(field("utterance", &UtteranceRecord::utterance));
};

struct CoverageRecord {
  static constexpr std::string_view kType = "coverage";
  CoverageInterval interval;
  static constexpr auto fields = std::make_tuple(field("interval", &CoverageRecord::interval));
};

struct ItemRecord {
  static constexpr std::string_view kType = "analysis.item";
  ItemChange change;
  static constexpr auto fields = std::make_tuple(field("change", &ItemRecord::change));
};

struct SummaryRecord {
  static constexpr std::string_view kType = "analysis.summary";
  std::string text;
  static constexpr auto fields = std::make_tuple(field("text", &SummaryRecord::text));
};

struct TaskRecord {
  static constexpr std::string_view kType = "task.state";
  std::string task;   ///< idempotency key
  std::string item;   ///< id of the action item
  std::string sink;   ///< empty: none configured
  std::string state;  ///< "held", "recorded", "delivered", "dead" (a person must decide), "discarded"
  std::string detail;
  static constexpr auto fields =
      std::make_tuple(field("task", &TaskRecord::task), field("item", &TaskRecord::item), field("sink", &TaskRecord::sink),
                      field("state", &TaskRecord::state), field("detail", &TaskRecord::detail));
};

/// The consent log: who was told or asked what, and how.
struct ConsentRecord {
  static constexpr std::string_view kType = "consent";
  std::string what;  ///< "announced", "paused", "resumed", "stopped"
  std::string how;
  std::string by;
  MediaTime at;
  static constexpr auto fields = std::make_tuple(field("what", &ConsentRecord::what), field("how", &ConsentRecord::how),
                                                 field("by", &ConsentRecord::by), field("at_ms", &ConsentRecord::at));
};

struct MinutesRecord {
  static constexpr std::string_view kType = "minutes";
  std::vector<std::string> files;
  static constexpr auto fields = std::make_tuple(field("files", &MinutesRecord::files));
};

/// A calendar source's last scan, for `status`.
struct CalendarRecord {
  static constexpr std::string_view kType = "calendar";
  std::string source;
  std::string state;  ///< "ok", "failing", "reconnect" (a person must connect it again), "removed"
  std::string detail;
  int meetings = 0;
  static constexpr auto fields =
      std::make_tuple(field("source", &CalendarRecord::source), field("state", &CalendarRecord::state),
                      field("detail", &CalendarRecord::detail), field("meetings", &CalendarRecord::meetings));
};

using Record = std::variant<StateRecord, ParticipantRecord, UtteranceRecord, CoverageRecord, ItemRecord, SummaryRecord,
                            TaskRecord, ConsentRecord, MinutesRecord, CalendarRecord>;

}  // namespace hansard::flow

namespace hansard {
// Compiled in json.cc alone: it takes longer than most sources that need it.
extern template Result<flow::Record> from_json<flow::Record>(const Json&);
extern template std::string json_text<flow::Record>(const flow::Record&);
}  // namespace hansard
