#include "host/minutes_writer.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/transcript/export.h"
#include "core/transcript/ledger.h"
#include "host/live_analysis.h"
#include "host/record_reader.h"

namespace hansard::host {
namespace {

/// Folds a meeting's rows.
class Gatherer {
 public:
  void take(const LiveRecord& row) {
    last_ = row.at;
    std::visit([this](const auto& r) { on(r); }, row.record);
  }

  Minutes finish(const std::string& meeting) {
    Minutes m;
    m.meeting = meeting;
    m.title = state_.title;
    m.platform = state_.platform;
    m.start = state_.start;
    m.origin = state_.origin;
    m.summary = std::move(summary_);
    m.length = (ended_.ms != 0 ? ended_ : last_) - state_.origin;
    if (state_.origin.ms == 0) m.length = {};
    if (state_.code != meeting::FailureCode::kNone) m.outcome = meeting::failure_advice(state_.code);
    if (ended_.ms != 0) ledger_.close(MediaTime{m.length.ms});
    for (const auto& [id, p] : people_) add_participant(m, id, p);
    std::stable_sort(m.missing.begin(), m.missing.end(), [](const auto& a, const auto& b) { return a.start < b.start; });
    for (auto& [id, item] : items_) {
      (item.kind == ItemKind::kActionItem ? m.tasks
       : item.kind == ItemKind::kDecision ? m.decisions
                                          : m.key_points)
          .push_back(std::move(item));
    }
    std::stable_sort(utterances_.begin(), utterances_.end(), [](const auto& a, const auto& b) { return a.start < b.start; });
    m.utterances = std::move(utterances_);
    sort_items(m);
    return m;
  }

 private:
  void on(const flow::StateRecord& r) {
    state_ = r;
    if (r.state >= meeting::State::kLeaving && ended_.ms == 0 && r.origin.ms != 0) ended_ = last_;
  }
  void on(const flow::ParticipantRecord& r) {
    people_[r.id] = r;
    if (r.present) {
      ledger_.joined(r.id, r.at);
    } else {
      ledger_.left(r.id, r.at);
    }
  }
  void on(const flow::UtteranceRecord& r) { utterances_.push_back(r.utterance); }
  void on(const flow::CoverageRecord& r) { ledger_.add(r.interval); }
  void on(const flow::ItemRecord& r) { apply_changes(items_, {r.change}); }
  void on(const flow::SummaryRecord& r) { summary_ = r.text; }
  void on(const flow::TaskRecord&) {}
  void on(const flow::ConsentRecord&) {}
  void on(const flow::MinutesRecord&) {}
  void on(const flow::CalendarRecord&) {}

  void add_participant(Minutes& m, const std::string& id, const flow::ParticipantRecord& p) const {
    const CoverageTotals t = ledger_.totals(id, MediaTime{m.length.ms});
    m.participants.push_back({id, p.name, p.bot, t.transcribed, t.silent, t.pending, t.withheld, t.unrecognized, t.lost});
    for (auto& i : ledger_.intervals(id, MediaTime{m.length.ms})) {
      if (i.state != Coverage::kTranscribed && i.state != Coverage::kSilent) m.missing.push_back(std::move(i));
    }
  }

  /// Items in the order in which their words were said.
  void sort_items(Minutes& m) const {
    std::map<std::string, std::size_t> place;
    for (std::size_t i = 0; i < m.utterances.size(); ++i) place.emplace(m.utterances[i].id, i);
    const auto at = [&](const AnalysisItem& item) {
      const auto it = item.utterance_ids.empty() ? place.end() : place.find(item.utterance_ids.front());
      return it == place.end() ? place.size() : it->second;
    };
    for (auto* list : {&m.tasks, &m.decisions, &m.key_points}) {
      std::stable_sort(list->begin(), list->end(), [&](const auto& a, const auto& b) { return at(a) < at(b); });
    }
  }

  flow::StateRecord state_;
  Instant last_;
  Instant ended_;
  std::map<std::string, flow::ParticipantRecord> people_;
  CoverageLedger ledger_;
  std::map<std::string, AnalysisItem> items_;
  std::vector<Utterance> utterances_;
  std::string summary_;
};

/// A folder name that people can find again: date and title, then the id so that it is unique.
std::string folder_name(const Minutes& m) {
  std::string title;
  for (const char c : m.title) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain) {
      title += c;
    } else if (!title.empty() && title.back() != '-') {
      title += '-';
    }
    if (title.size() >= 40) break;
  }
  while (!title.empty() && title.back() == '-') title.pop_back();
  const std::string day = format_rfc3339(m.origin.ms != 0 ? m.origin : m.start).substr(0, 10);
  return day + (title.empty() ? "" : "-" + title) + "-" + m.meeting;
}

}  // namespace

Result<Minutes> gather_minutes(Store& store, const std::string& meeting) {
  Gatherer gatherer;
  bool any = false;
  const auto read = for_each_record(store, meeting, {}, [&](const LiveRecord& row) {
    any = true;
    gatherer.take(row);
  });
  if (!read) return std::unexpected<Error>(read.error());
  if (!any) return fail(ErrorClass::kNotFound, "minutes", "there is no meeting with this id");
  return gatherer.finish(meeting);
}

Result<std::vector<std::string>> MinutesWriter::write(const std::string& meeting) {
  const auto minutes = gather_minutes(ports_.store, meeting);
  if (!minutes) return std::unexpected<Error>(minutes.error());
  const std::string folder = folder_name(*minutes);
  const std::pair<const char*, std::string> files[] = {{"minutes.md", to_markdown(*minutes)},
                                                       {"minutes.json", json_text(*minutes) + "\n"},
                                                       {"transcript.vtt", to_vtt(minutes->utterances)},
                                                       {"transcript.srt", to_srt(minutes->utterances)}};
  std::vector<std::string> paths;
  for (const auto& [name, bytes] : files) {
    auto path = ports_.files.write(folder + "/" + name, bytes);
    if (!path) return pass(path);
    paths.push_back(std::move(*path));
  }
  return paths;
}

}  // namespace hansard::host
