#include "daemon/meeting_view.h"

#include <algorithm>
#include <map>

#include "core/transcript/ledger.h"
#include "host/stored.h"

namespace hansard {
namespace {

constexpr std::size_t kPage = 1000;

/// Applies rows in order and writes the result.
struct Collected {
  std::vector<flow::ParticipantRecord> participants;
  Json utterances = Json::array();
  std::vector<AnalysisItem> items;
  std::string summary;
  CoverageLedger ledger;
  MediaTime last;  ///< latest position that any row names
  std::vector<flow::TaskRecord> tasks;
  std::vector<std::string> files;
  Json consent = Json::array();
  Json history = Json::array();
  std::uint64_t seq = 0;

  void operator()(const flow::StateRecord& r) {
    Json one = Json::object();
    one.set("state", enum_name(r.state)).set("note", r.note);
    history.push(std::move(one));
  }
  void operator()(const flow::ParticipantRecord& r) {
    if (!r.bot) r.present ? ledger.joined(r.id, r.at) : ledger.left(r.id, r.at);
    const auto it = std::find_if(participants.begin(), participants.end(), [&](const auto& p) { return p.id == r.id; });
    if (it == participants.end()) {
      participants.push_back(r);
    } else {
      *it = r;
    }
  }
  void operator()(const flow::UtteranceRecord& r) { utterances.push(to_json(r.utterance)); }
  void operator()(const flow::CoverageRecord& r) {
    ledger.add(r.interval);
    last = std::max(last, r.interval.end);
  }
  void operator()(const flow::ItemRecord& r) {
    const auto it = std::find_if(items.begin(), items.end(), [&](const auto& i) { return i.id == r.change.item.id; });
    if (r.change.change == ItemChangeKind::kWithdrawn) {
      if (it != items.end()) items.erase(it);
    } else if (it == items.end()) {
      items.push_back(r.change.item);
    } else {
      *it = r.change.item;
    }
  }
  void operator()(const flow::SummaryRecord& r) { summary = r.text; }
  void operator()(const flow::TaskRecord& r) {
    const auto it = std::find_if(tasks.begin(), tasks.end(), [&](const auto& t) { return t.task == r.task && t.sink == r.sink; });
    if (it == tasks.end()) {
      tasks.push_back(r);
    } else {
      *it = r;
    }
  }
  void operator()(const flow::ConsentRecord& r) { consent.push(to_json(r)); }
  void operator()(const flow::MinutesRecord& r) { files = r.files; }
  void operator()(const flow::CalendarRecord&) {}

  Json coverage_json() const {
    Json out = Json::array();
    for (const auto& participant : ledger.participants()) {
      const auto intervals = ledger.intervals(participant);
      if (intervals.empty()) continue;
      CoverageTotals totals = ledger.totals(participant);
      Json sums = Json::object();
      for (const auto& [state, name] : enum_names(Coverage{})) sums.set(name, totals.of(state).ms);
      Json list = Json::array();
      for (const auto& i : intervals) {
        Json one = Json::object();
        one.set("start_ms", i.start.ms).set("end_ms", i.end.ms).set("state", enum_name(i.state));
        if (!i.reason.empty()) one.set("reason", i.reason);
        list.push(std::move(one));
      }
      Json entry = Json::object();
      entry.set("participant", participant).set("totals_ms", std::move(sums)).set("intervals", std::move(list));
      out.push(std::move(entry));
    }
    return out;
  }
};

}  // namespace

Json meeting_summary(const flow::MeetingState& state) {
  Json out = Json::object();
  out.set("id", state.id)
      .set("state", enum_name(state.state))
      .set("title", state.spec.title)
      .set("platform", state.spec.platform);
  out.set("start", format_rfc3339(state.spec.start)).set("end", format_rfc3339(state.spec.end));
  if (state.origin.ms != 0) out.set("recorded_since", format_rfc3339(state.origin));
  out.set("sources", to_json(state.sources)).set("utterances", state.utterances);
  if (state.code != meeting::FailureCode::kNone) {
    out.set("code", enum_name(state.code)).set("advice", meeting::failure_advice(state.code));
    if (!state.vendor_code.empty()) out.set("vendor_code", state.vendor_code);
  }
  if (!state.note.empty()) out.set("note", state.note);
  return out;
}

Result<flow::MeetingState> load_meeting(Store& store, const std::string& id) {
  auto stored = store.load(id);
  if (!stored) return pass(stored);
  if (!*stored || (*stored)->kind != flow::MeetingState::kType)
    return fail(ErrorClass::kNotFound, "meetings", "there is no meeting " + id);
  auto state = host::decode<flow::State>((*stored)->state, host::state_binding(id));
  if (!state) return pass(state);
  return std::get<flow::MeetingState>(std::move(*state));
}

Result<Json> meetings_view(Store& store) {
  auto stored = store.aggregates(flow::MeetingState::kType, false);
  if (!stored) return pass(stored);
  Json out = Json::array();
  for (auto it = stored->rbegin(); it != stored->rend(); ++it) {
    const auto state = host::decode<flow::State>(it->state, host::state_binding(it->id));
    if (!state) return std::unexpected(state.error());
    const auto& meeting = std::get<flow::MeetingState>(*state);
    // One that never began is another name of a meeting that is in the list.
    if (meeting.state != meeting::State::kNew) out.push(meeting_summary(meeting));
  }
  return out;
}

Result<Json> meeting_view(Store& store, const std::string& id) {
  const auto state = load_meeting(store, id);
  if (!state) return std::unexpected(state.error());
  Collected all;
  while (true) {
    const auto rows = store.records({id, all.seq, kPage, {}});
    if (!rows) return std::unexpected(rows.error());
    for (const auto& row : *rows) {
      const auto record = host::decode_record(row);
      if (!record) return std::unexpected(record.error());
      std::visit(all, *record);
      all.seq = row.seq;
    }
    if (rows->size() < kPage) break;
  }
  if (state->state >= meeting::State::kProcessing) all.ledger.close(all.last);
  Json out = meeting_summary(*state);
  out.set("participants", to_json(all.participants))
      .set("utterances", std::move(all.utterances))
      .set("items", to_json(all.items));
  out.set("summary", all.summary)
      .set("coverage", all.coverage_json())
      .set("tasks", to_json(all.tasks))
      .set("files", to_json(all.files));
  out.set("consent", std::move(all.consent)).set("history", std::move(all.history)).set("seq", all.seq);
  return out;
}

}  // namespace hansard
