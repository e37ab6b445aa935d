#include "sim/check.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <set>

#include "core/transcript/ledger.h"
#include "host/stored.h"
#include "sim/audit_check.h"

namespace hansard::sim {
namespace {

enum Bit : std::uint8_t { kTranscribed = 1, kSilent = 2, kLost = 4, kWithheld = 8, kUnrecognized = 16, kPending = 32 };

std::uint8_t bit_of(Coverage c) {
  switch (c) {
    case Coverage::kTranscribed: return kTranscribed;
    case Coverage::kSilent: return kSilent;
    case Coverage::kPending: return kPending;
    case Coverage::kWithheld: return kWithheld;
    case Coverage::kUnrecognized: return kUnrecognized;
    case Coverage::kLost: return kLost;
  }
  return 0;
}

class Checker {
 public:
  Checker(Machine& m, const Scenario& s, bool replays, Outcome& out) : m_(m), s_(s), replays_(replays), out_(out) {}

  void run() {
    for (const auto* list :
         {&m_.violations, &m_.rooms.violations, &m_.ear.violations, &m_.spool.violations, &m_.sinks.violations}) {
      for (const std::string& v : *list) wrong(v);
    }
    shown_is_stored();
    for (const StoredAggregate& a : got(m_.store.aggregates({}, false))) {
      if (replays_) replay(a);
      if (a.kind == "meeting") meeting(a);
    }
    leftovers();
    sinks();
    attendance();
    check_audit(m_, out_.violations);
  }

 private:
  void wrong(const std::string& what) { out_.violations.push_back(what); }

  void shown_is_stored() {
    const auto all = got(m_.store.records({{}, 0, 10'000'000, {}}));
    std::map<std::uint64_t, const StoredRecord*> stored;
    for (const StoredRecord& r : all) {
      stored[r.seq] = &r;
      no_content(r.body, "a record");
    }
    for (const auto& [seq, body] : m_.shown) {
      const auto it = stored.find(seq);
      if (it == stored.end() || it->second->body != body) return wrong("a record was shown that is not in the store");
    }
  }

  /// The journal alone must give the state and the records again.
  void replay(const StoredAggregate& a) {
    std::optional<flow::State> state;
    std::vector<std::string> records;
    for (const auto& [at, body] : got(m_.store.journal(a.id))) {
      no_content(body, "an event");
      const auto event = host::decode<flow::Event>(body, host::journal_binding(a.id));
      if (!event) return wrong("a journal entry is not readable");
      if (!state) state = flow::begin(*event);
      if (!state) return wrong("a journal does not begin with a beginning");
      for (const auto& r : flow::step(*state, *event, at).records) records.push_back(json_text(r));
    }
    if (!state || host::encode(*state, host::state_binding(a.id)) != a.state)
      wrong("the journal of " + a.id + " does not lead to its state");
    const auto stored = got(m_.store.records({a.id, 0, 10'000'000, {}}));
    bool same = stored.size() == records.size();
    for (std::size_t i = 0; same && i < records.size(); ++i) same = host::unseal(stored[i].body, {}).value_or("") == records[i];
    if (!same) wrong("the journal of " + a.id + " does not lead to its records");
  }

  // ---- one meeting ----

  void meeting(const StoredAggregate& a) {
    const auto state = host::decode<flow::State>(a.state, host::state_binding(a.id));
    if (!state) return wrong("the state of " + a.id + " is not readable");
    const auto& m = std::get<flow::MeetingState>(*state);
    ++out_.meetings;
    if (!meeting::is_final(m.state)) wrong("meeting " + a.id + " did not end: it is " + std::string(enum_name(m.state)));
    ended_[m.spec.url] = m;
    if (m.origin.ms == 0) return;
    ++out_.recorded;
    std::uint64_t finals = out_.finals;
    std::map<std::string, std::vector<std::uint8_t>> ledger;
    CoverageLedger official;
    std::size_t task_records = 0;
    std::set<std::string> tasks;
    for (const StoredRecord& row : got(m_.store.records({a.id, 0, 10'000'000, {}}))) {
      const auto record = host::decode_record(row);
      if (!record) return wrong("a record is not readable");
      if (const auto* u = std::get_if<flow::UtteranceRecord>(&*record)) utterance(a.id, u->utterance);
      if (const auto* c = std::get_if<flow::CoverageRecord>(&*record)) {
        cover(ledger[c->interval.participant], c->interval);
        official.add(c->interval);
      }
      if (const auto* p = std::get_if<flow::ParticipantRecord>(&*record)) {
        p->present ? official.joined(p->id, p->at) : official.left(p->id, p->at);
      }
      if (const auto* t = std::get_if<flow::TaskRecord>(&*record)) {
        if (t->state != "held" && t->state != "recorded") {
          told_[t->task] = t->state;
          continue;
        }
        if (t->detail == "to be sent again") continue;
        ++task_records;
        tasks.insert(t->task);
        if (!t->sink.empty()) wanted_[t->sink].push_back({t->task, a.id, t->item});
      }
    }
    out_.tasks += tasks.size();
    if (out_.finals - finals >= 200) ++out_.long_meetings;
    if (tasks.size() != task_records) wrong("a task of " + a.id + " was recorded twice");
    tasks_of_analysis(a.id, tasks.size() / (s_.sinks ? m_.sinks.places.size() : 1));
    official.close({86'400'000});
    for (const auto& [guest, ms] : ledger) official_ledger(a.id, guest, official, ms);
    for (const auto& [guest, passages] : m_.rooms.heard[a.id]) coverage(a.id, guest, passages, ledger[guest]);
  }

  void tasks_of_analysis(const std::string& id, std::size_t recorded) {
    std::size_t wanted = 0;
    for (const auto& [at, body] : got(m_.store.journal(id))) {
      const auto event = host::decode<flow::Event>(body, host::journal_binding(id));
      if (!event) continue;
      if (const auto* done = std::get_if<flow::AnalysisFinished>(&*event)) {
        wanted = 0;
        for (const AnalysisItem& item : done->items) wanted += item.kind == ItemKind::kActionItem ? 1 : 0;
      }
    }
    if (wanted != recorded)
      wrong("meeting " + id + " has " + std::to_string(recorded) + " tasks for " + std::to_string(wanted) + " action items");
  }

  /// Audio did not reach the disk. (A disk that does not give what it has is asked again until it does.)
  bool may_lose() const { return m_.world.faults[Fault::kSpoolFull] + m_.world.faults[Fault::kSpoolTorn] > 0; }
  /// A daemon that dies then forgets which audio that was.
  bool may_forget() const { return may_lose() && m_.world.life() > 1; }

  /// "... #NUMBER:FROM-TO": the part of a speech that the text stands for.
  void utterance(const std::string& id, const Utterance& u) {
    ++out_.finals;
    const std::size_t mark = u.text.rfind('#');
    int number = 0;
    long from = 0;
    long to = 0;
    if (mark == std::string::npos || std::sscanf(u.text.c_str() + mark, "#%d:%ld-%ld", &number, &from, &to) != 3)
      return wrong("an utterance nobody said");
    for (const auto& [a, b] : said_[number]) {
      if (from < b && a < to) wrong("speech " + std::to_string(number) + " of " + id + " is in the transcript twice");
    }
    said_[number].emplace_back(from, to);
    const Room& room = s_.rooms[m_.rooms.room_of.at(id)];
    const auto guest = std::find_if(room.guests.begin(), room.guests.end(), [&](const Guest& g) {
      return std::any_of(g.says.begin(), g.says.end(), [&](const Speech& s) { return s.number == number; });
    });
    if (guest == room.guests.end() || guest->id != u.participant || guest->name != u.speaker)
      wrong("speech " + std::to_string(number) + " has the wrong speaker");
  }

  void cover(std::vector<std::uint8_t>& ms, const CoverageInterval& c) {
    if (c.start.ms < 0 || c.end.ms > 86'400'000) return wrong("a coverage interval lies outside of the meeting");
    if (ms.size() < static_cast<std::size_t>(c.end.ms)) ms.resize(static_cast<std::size_t>(c.end.ms));
    for (std::int64_t i = c.start.ms; i < c.end.ms; ++i) {
      auto& b = ms[static_cast<std::size_t>(i)];
      if (c.state == Coverage::kTranscribed && (b & kTranscribed) != 0) return wrong("a moment is transcribed twice");
      b = static_cast<std::uint8_t>(b | bit_of(c.state));
    }
  }

  /// The product's own ledger: adds up to the presence, nothing is pending, and each moment has the strongest of its rows.
  void official_ledger(const std::string& id, const std::string& guest, const CoverageLedger& ledger,
                       const std::vector<std::uint8_t>& ms) {
    std::int64_t sum = 0;
    for (const CoverageInterval& i : ledger.intervals(guest)) {
      sum += (i.end - i.start).ms;
      if (i.state == Coverage::kPending) return wrong("something of " + id + " is pending for ever");
      if (i.reason == "unaccounted" && !may_forget())
        return wrong("nothing is told of " + guest + " of " + id + " at " + std::to_string(i.start.ms) + "-" +
                     std::to_string(i.end.ms) + " ms");
      for (std::int64_t t = i.start.ms; t < std::min<std::int64_t>(i.end.ms, static_cast<std::int64_t>(ms.size())); ++t) {
        if (strongest(ms[static_cast<std::size_t>(t)]) != i.state)
          return wrong("the ledger of " + id + " is wrong at " + std::to_string(t) + " ms");
      }
    }
    if (sum != ledger.totals(guest).presence().ms) wrong("the ledger of " + id + " does not add up");
  }

  static Coverage strongest(std::uint8_t bits) {
    if (bits == 0 || (bits & kLost) != 0) return Coverage::kLost;
    if ((bits & kWithheld) != 0) return Coverage::kWithheld;
    if ((bits & kTranscribed) != 0) return Coverage::kTranscribed;
    if ((bits & kUnrecognized) != 0) return Coverage::kUnrecognized;
    return (bits & kSilent) != 0 ? Coverage::kSilent : Coverage::kPending;
  }

  /// The ledger against what the world knows. Between a guest's first and last delivered sound there must be no hole; what
  /// was delivered is transcribed unless recognizer or disk failed; what was said and not delivered is lost or withheld.
  void coverage(const std::string& id, const std::string& guest_id, const std::vector<Passage>& passages,
                std::vector<std::uint8_t>& ms) {
    const auto delivered = [](const Passage& p) { return p.delivered; };
    const auto first = std::find_if(passages.begin(), passages.end(), delivered);
    const auto last = std::find_if(passages.rbegin(), passages.rend(), delivered);
    if (first == passages.end()) return;
    const auto& origins = m_.rooms.origins_of[id];
    const std::int64_t begin = first->stretch.start.ms;
    const std::int64_t end = last->stretch.end.ms;
    if (ms.size() < static_cast<std::size_t>(end)) ms.resize(static_cast<std::size_t>(end));
    const Room& room = s_.rooms[m_.rooms.room_of.at(id)];
    const Guest& guest = *std::find_if(room.guests.begin(), room.guests.end(), [&](const Guest& g) { return g.id == guest_id; });
    std::vector<std::uint8_t> reached(static_cast<std::size_t>(end));
    for (const Passage& p : passages) {
      if (!p.delivered) continue;
      for (std::int64_t i = p.stretch.start.ms; i < p.stretch.end.ms; ++i) {
        reached[static_cast<std::size_t>(i)] = p.stretch.sound.speech != 0 ? 2 : 1;
      }
    }
    std::vector<std::uint8_t> spoken(static_cast<std::size_t>(end));
    for (std::size_t o = 0; o < origins.size(); ++o) {
      const Instant origin = origins[o].at;
      const std::int64_t until = o + 1 < origins.size() ? std::min(end, origins[o + 1].from.ms) : end;
      for (const Speech& s : guest.says) {
        // Whole frames: a frame carries what is said at its begin.
        for (std::int64_t i = std::max(origins[o].from.ms, (s.start - origin).ms + kFrameMs);
             i < std::min(until, (s.end - origin).ms - kFrameMs); ++i) {
          spoken[static_cast<std::size_t>(i)] = 1;
        }
      }
    }
    const bool may_skip = m_.world.faults[Fault::kRecognizerKilled] + m_.world.faults[Fault::kRecognizerMissing] > 0;
    for (std::int64_t i = begin; i < end; ++i) {
      const std::uint8_t b = ms[static_cast<std::size_t>(i)];
      const auto at = [&](const char* what) {
        wrong(id + " " + guest_id + " at " + std::to_string(i) + " ms: " + what + " (bits " + std::to_string(b) + ")");
      };
      if (b == 0 && !may_forget()) return at("a hole in the ledger");
      const std::uint8_t how = reached[static_cast<std::size_t>(i)];
      const std::uint8_t fine =
          static_cast<std::uint8_t>(kTranscribed | (may_lose() ? kLost : 0) | (may_skip ? kUnrecognized : 0));
      if (how == 2 && (b & fine) == 0 && !may_forget()) return at("delivered speech is not accounted for");
      if (how != 0 && (b & kLost) != 0 && !may_lose()) return at("delivered sound is called lost");
      if (how == 0 && (b & kTranscribed) != 0) return at("transcribed what never arrived");
      if (how == 0 && spoken[static_cast<std::size_t>(i)] != 0 && (b & (kLost | kWithheld)) == 0)
        return at("lost speech is not in the ledger");
    }
  }

  // ---- content ----

  /// Detail, note, reason: what logs and people's screens get. No word of a meeting may be there.
  void no_content(std::string_view body, const char* what) {
    if (body.find(kCanaryWord) == std::string_view::npos || body.empty()) return;
    const auto json = Json::parse(body.substr(1));
    if (!json || leaks(*json)) wrong(std::string("content of a meeting is in the details of ") + what);
  }

  static bool leaks(const Json& json) {
    static constexpr std::array kTold = {"detail", "note", "notes", "reason", "code", "vendor_code", "how", "by"};
    for (const Json& item : json.items()) {
      if (leaks(item)) return true;
    }
    for (const auto& [name, value] : json.members()) {
      if (leaks(value)) return true;
      const bool told = std::find(kTold.begin(), kTold.end(), std::string_view(name)) != kTold.end();
      if (told && value.dump().find(kCanaryWord) != std::string::npos) return true;
    }
    return false;
  }

  // ---- tasks ----

  /// What people see at the sinks against what the meetings wanted.
  void sinks() {
    for (const auto& [name, place] : m_.sinks.places) {
      const StoredAggregate* stored = m_.store.peek(flow::sink_id(name));
      if (stored == nullptr) {
        if (s_.sinks) wrong("there is no sink " + name);
        continue;
      }
      const auto state = host::decode<flow::State>(stored->state, host::state_binding(stored->id));
      if (!state) return wrong("the state of a sink is not readable");
      sink(name, place, std::get<flow::SinkState>(*state));
    }
  }

  void sink(const std::string& name, const Sinks::Place& place, const flow::SinkState& state) {
    std::map<std::string, int> seen;
    for (const auto& t : place.taken) ++seen[t.key];
    std::set<std::string> dead;
    for (const flow::Delivery& d : state.deliveries) {
      if (d.state == flow::DeliveryState::kDead) {
        dead.insert(d.task.key);
        if (d.detail.empty()) wrong("a dead letter of " + name + " says nothing");
        if (s_.person) wrong("a dead letter is left after a person has decided");
      } else {
        wrong("a task for " + name + " never ended: it is " + std::string(enum_name(d.state)));
      }
    }
    for (const Sinks::Taken& w : wanted_[name]) {
      const int times = std::exchange(seen[w.key], 0);
      const std::string told = told_.contains(w.key) ? told_[w.key] : "";
      const bool refused = place.refused.contains(w.key);
      if (times > 1) wrong("a task is twice at the sink " + name);
      if (place.sink_class == tasks::SinkClass::kOpaque && place.repeated.contains(w.key))
        wrong("a task was sent again to the sink " + name + ", which cannot know it");
      if (dead.contains(w.key)) {
        if (told != "dead") wrong("a dead letter was not told to its meeting");
        const bool excused = refused || place.sink_class == tasks::SinkClass::kOpaque;
        if (!excused) wrong("a task for " + name + " is a dead letter for no reason");
      } else if (times == 0) {
        wrong("a task never reached the sink " + name);
      } else if (told != "delivered" && told != "discarded") {
        wrong("a delivery was not told to its meeting");
      }
      if (place.insisted.contains(w.key) && !m_.dead_letters.contains(w.key)) wrong("a refused task was sent again");
    }
    for (const auto& [key, times] : seen) {
      if (times > 0) wrong("a task that nobody wanted is at the sink " + name);
    }
    order(name, place);
    budget(name, place.sent);
  }

  /// The tasks of a meeting came in their order, but for dead letters.
  void order(const std::string& name, const Sinks::Place& place) {
    std::map<std::string, std::pair<std::string, std::size_t>> position;
    for (const Sinks::Taken& w : wanted_[name]) position.emplace(w.key, std::pair(w.meeting, position.size() + 1));
    std::map<std::string, std::size_t> last;
    for (const Sinks::Taken& t : place.taken) {
      const auto it = position.find(t.key);
      // What was under way when its sender died may be overtaken.
      if (it == position.end() || m_.dead_letters.contains(t.key) || told_[t.key] == "dead") continue;
      std::size_t& before = last[it->second.first];
      if (it->second.second < before) wrong("tasks of one meeting came to " + name + " in the wrong order");
      before = it->second.second;
    }
  }

  /// The budget's minutes are fixed ones: any 60 s hold at most two of them.
  void budget(const std::string& name, const std::vector<Instant>& sent) {
    constexpr std::size_t kMost = std::size_t{2} * Sinks::kPerMinute;
    for (std::size_t i = kMost; i < sent.size(); ++i) {
      if (sent[i] - sent[i - kMost] < minutes(1)) return wrong("more was sent to " + name + " than its budget allows");
    }
  }

  // ---- everything ----

  void leftovers() {
    if (m_.store.contexts() != 0) wrong("join contexts are left in the store");
    if (m_.spool.meetings() != 0) wrong("audio is left in the spool");
    std::set<std::string> keys;
    for (const StoredEffect& e : got(m_.store.effects())) {
      const auto effect = host::decode<flow::Effect>(e.body, host::effect_binding(e.key));
      const auto* task = effect ? std::get_if<flow::HoldTask>(&*effect) : nullptr;
      if (task == nullptr || !e.held) {
        wrong("an effect was never answered: " + (effect ? std::string(host::type_of(*effect)) : "unreadable"));
      } else if (!keys.insert(task->key).second) {
        wrong("a task is in the outbox twice");
      }
    }
  }

  /// A meeting that took place and let the bot in was recorded: no trouble lasts as long as a meeting.
  void attendance() {
    for (const Entry& e : m_.web.entries()) {
      const Room& room = s_.rooms[e.room];
      const bool open = room.door == Door::kOpen || room.door == Door::kLobby;
      if (e.cancelled || e.removed || room.guests.empty() || !open) continue;
      const auto it = ended_.find(Rooms::url_of(room));
      if (it == ended_.end()) {
        wrong("the meeting in " + room.name + " was never seen");
      } else if (it->second.origin.ms == 0 && it->second.code != meeting::FailureCode::kMediaLost) {
        wrong("the meeting in " + room.name + " was not recorded: " + it->second.note);
      }
    }
  }

  Machine& m_;
  const Scenario& s_;
  const bool replays_;
  Outcome& out_;
  std::map<int, std::vector<std::pair<long, long>>> said_;
  std::map<std::string, flow::MeetingState> ended_;
  std::map<std::string, std::vector<Sinks::Taken>> wanted_;  ///< by sink, in order
  std::map<std::string, std::string> told_;                  ///< what each task's meeting heard last
};

}  // namespace

void check(Machine& machine, const Scenario& scenario, bool replay, Outcome& outcome) {
  Checker(machine, scenario, replay, outcome).run();
}

}  // namespace hansard::sim
