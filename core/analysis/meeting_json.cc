#include "core/analysis/meeting_json.h"

#include <cmath>
#include <set>

#include "core/analysis/due.h"
#include "core/base/text.h"

namespace hansard {
namespace {

std::unexpected<Error> bad(std::string detail) { return fail(ErrorClass::kInvalid, "analysis", std::move(detail)); }

Result<Utterance> read_utterance(const Json& json, std::size_t number) {
  const std::string where = "utterance " + std::to_string(number) + ": ";
  if (!json.is_object()) return bad(where + "expected an object");
  Utterance u;
  if (!json["text"].is_string()) return bad(where + "\"text\" must be a string");
  u.text = *json["text"].as_string();
  if (!json["id"].is_string()) return bad(where + "\"id\" must be a string");
  u.id = *json["id"].as_string();
  for (const auto key : {"speaker", "start", "end"}) {
    const Json& member = json[key];
    const bool fits = std::string_view(key) == "speaker" ? member.is_string() : member.is_number();
    if (!member.is_null() && !fits) return bad(where + "\"" + key + "\" has a wrong type");
  }
  u.speaker = u.participant = json.text_or("speaker");
  const double start = json.double_or("start", 0), end = json.double_or("end", start);
  constexpr double kLongest = 1e9;
  if (!(start >= -kLongest && start <= kLongest && end >= -kLongest && end <= kLongest)) return bad(where + "time out of range");
  u.start.ms = std::llround(start * 1000);
  u.end.ms = std::llround(end * 1000);
  return u;
}

Json item_json(const AnalysisItem& item) {
  Json out = Json::object();
  out.set("text", item.text);
  out.set("utterance_ids", to_json(item.utterance_ids));
  if (item.owner) out.set("owner", *item.owner);
  if (item.due) out.set("due", *item.due);
  out.set("quote", item.quote);
  return out;
}

}  // namespace

Result<MeetingInput> read_meeting(const Json& json) {
  if (!json.is_object()) return bad("expected an object");
  MeetingInput out;
  if (!json["meeting"].is_string()) return bad("\"meeting\" must be a string");
  out.meeting = *json["meeting"].as_string();
  if (json["date"].is_string()) {
    const auto date = analysis::parse_date(*json["date"].as_string());
    if (!date) return bad("\"date\": " + date.error().detail);
    out.info.date = *date;
  }
  for (const Json& p : json["participants"].items()) {
    if (!p["speaker"].is_string()) return bad("\"participants\": \"speaker\" must be a string");
    Attendee a{*p["speaker"].as_string(), std::nullopt};
    if (p["role"].is_string()) a.role = *p["role"].as_string();
    out.info.participants.push_back(std::move(a));
  }
  if (!json["utterances"].is_array()) return bad("\"utterances\" must be an array");
  std::set<std::string> ids;
  std::size_t number = 0;
  for (const Json& entry : json["utterances"].items()) {
    auto u = read_utterance(entry, ++number);
    if (!u) return pass(u);
    if (!ids.insert(u->id).second) return bad("utterance " + std::to_string(number) + ": the id occurs twice");
    if (!trim(u->text).empty()) out.utterances.push_back(std::move(*u));
  }
  return out;
}

Json write_analysis(const std::string& meeting, const MeetingAnalysis& analysis) {
  Json actions = Json::array(), decisions = Json::array();
  for (const auto& item : analysis.items) {
    if (item.kind == ItemKind::kActionItem) actions.push(item_json(item));
    if (item.kind == ItemKind::kDecision) decisions.push(item_json(item));
  }
  Json out = Json::object();
  out.set("meeting", meeting);
  out.set("action_items", std::move(actions));
  out.set("decisions", std::move(decisions));
  out.set("summary", analysis.summary);
  return out;
}

}  // namespace hansard
