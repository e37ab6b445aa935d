#include "daemon/live.h"

#include "host/stored.h"

namespace hansard {
namespace {

constexpr std::size_t kRecent = 512;
constexpr std::size_t kPieceRows = 100;
/// Partials of more participants than this at a time are dropped for a viewer that does not read.
constexpr std::size_t kMaxPartials = 64;

std::string partial_key(const std::string& meeting, const std::string& participant) { return meeting + '\n' + participant; }

}  // namespace

LiveEvent live_event(const host::LiveRecord& record) {
  Json body = Json::object();
  body.set("meeting", record.aggregate).set("seq", record.seq).set("at_unix_ms", record.at.ms);
  const Json members = to_json(record.record);
  for (const auto& [name, value] : members.members()) body.set(name, value);
  return {record.seq, std::string(host::type_of(record.record)), body.dump()};
}

LiveEvent live_event(const host::LivePartial& partial) {
  Json body = Json::object();
  body.set("meeting", partial.meeting)
      .set("type", "utterance.partial")
      .set("participant", partial.participant)
      .set("speaker", partial.speaker);
  body.set("start_ms", partial.start.ms).set("end_ms", partial.end.ms).set("text", partial.text);
  return {0, "utterance.partial", body.dump()};
}

std::string sse_text(const LiveEvent& event) {
  std::string out;
  if (event.seq != 0) out += "id: " + std::to_string(event.seq) + "\n";
  // The body is one line: JSON writes line breaks as \n.
  return out + "event: " + event.kind + "\ndata: " + event.body + "\n\n";
}

void LiveHub::publish(const host::LiveRecord& record) {
  recent_.emplace_back(record.seq, sse_text(live_event(record)));
  last_seq_ = record.seq;
  if (recent_.size() > kRecent) {
    recent_after_ = recent_.front().first;
    recent_.pop_front();
  }
  const auto* final = std::get_if<flow::UtteranceRecord>(&record.record);
  for (auto& [_, viewer] : viewers_) {
    if (final != nullptr) viewer.partials.erase(partial_key(record.aggregate, final->utterance.participant));
    viewer.wake();
  }
}

void LiveHub::publish(const host::LivePartial& partial) {
  if (viewers_.empty()) return;
  const std::string text = sse_text(live_event(partial));
  for (auto& [_, viewer] : viewers_) {
    if (viewer.partials.size() >= kMaxPartials) viewer.partials.clear();
    viewer.partials[partial_key(partial.meeting, partial.participant)] = text;
    viewer.wake();
  }
}

LiveHub::ViewerId LiveHub::add(std::uint64_t after, std::function<void()> wake) {
  viewers_[++last_viewer_] = {std::min(after, last_seq_), {}, std::move(wake)};
  return last_viewer_;
}

Result<void> LiveHub::read_stored(Viewer& viewer, std::string& out) {
  const auto rows = store_.records({"", viewer.cursor, kPieceRows, {}});
  if (!rows) return std::unexpected(rows.error());
  for (const auto& row : *rows) {
    auto record = host::decode_record(row);
    if (!record) return std::unexpected(record.error());
    out += sse_text(live_event(host::LiveRecord{row.seq, row.aggregate, row.at, std::move(*record)}));
    viewer.cursor = row.seq;
  }
  // Nothing between here and the newest row: rows of another kind do not exist.
  if (rows->empty()) viewer.cursor = last_seq_;
  return {};
}

Result<std::string> LiveHub::next(ViewerId id) {
  const auto it = viewers_.find(id);
  if (it == viewers_.end()) return fail(ErrorClass::kCancelled, "live", "the viewer is gone");
  Viewer& viewer = it->second;
  std::string out;
  if (viewer.cursor < last_seq_) {
    if (viewer.cursor < recent_after_) {
      if (auto r = read_stored(viewer, out); !r) return pass(r);
      return out;
    }
    std::size_t taken = 0;
    for (const auto& [seq, text] : recent_) {
      if (seq <= viewer.cursor) continue;
      out += text;
      viewer.cursor = seq;
      if (++taken >= kPieceRows) return out;
    }
  }
  for (const auto& [_, text] : viewer.partials) out += text;
  viewer.partials.clear();
  return out;
}

}  // namespace hansard
