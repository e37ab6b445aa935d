#include "sim/audit_check.h"

#include <map>

#include "host/store_check.h"
#include "host/stored.h"

namespace hansard::sim {
namespace {

/// The rows that there must be: "ACTOR ACTION OBJECT OUTCOME" -> how many.
class Expected {
 public:
  explicit Expected(Machine& m) : m_(m) {}

  std::map<std::string, std::int64_t> rows() {
    add(m_.starts == 0 ? "" : "sim", "log.begin", "log");
    for (std::uint64_t n = 1; n <= m_.starts; ++n) add("sim", "store.open", "epoch:" + std::to_string(n));
    for (const StoredAggregate& a : got(m_.store.aggregates({}, false))) {
      if (a.kind == "calendar") add("daemon", "calendar.connect", audit::pseudonym("calendar", a.id.substr(a.id.find(':') + 1)));
      if (a.kind == "meeting") meeting(a.id);
    }
    return std::move(rows_);
  }

 private:
  void add(const std::string& actor, const std::string& action, const std::string& object, const std::string& outcome = "ok") {
    ++rows_[actor + " " + action + " " + object + " " + outcome];
  }

  void meeting(const std::string& id) {
    meeting::State before = meeting::State::kNew;
    for (const StoredRecord& row :
         got(m_.store.records({id, 0, 10'000'000, {"consent", "minutes", "task.state", "meeting.state"}}))) {
      const auto record = host::decode_record(row);
      if (!record) continue;  // told by check()
      if (const auto* c = std::get_if<flow::ConsentRecord>(&*record); c != nullptr && c->what == "announced")
        add("daemon", "consent.announce", id, c->by.empty() ? "left to the sender" : "told");
      if (std::holds_alternative<flow::MinutesRecord>(*record)) add("daemon", "minutes.write", id);
      if (const auto* t = std::get_if<flow::TaskRecord>(&*record)) task(*t);
      if (const auto* s = std::get_if<flow::StateRecord>(&*record)) {
        if (before == meeting::State::kCleaning && meeting::is_final(s->state))
          add("daemon", "meeting.clean", id, std::string(enum_name(s->state)));
        before = s->state;
      }
    }
    // An event that changed nothing is in no journal: what a person asked for counts when it is there.
    for (const auto& [at, body] : got(m_.store.journal(id))) {
      const std::string_view event = std::string_view(body).substr(1);
      if (event.starts_with(R"({"type":"stop_requested")")) add("api", "meeting.stop", id);
      if (event.starts_with(R"({"type":"pause_requested","paused":true)")) add("api", "meeting.pause", id);
      if (event.starts_with(R"({"type":"pause_requested","paused":false)")) add("api", "meeting.resume", id);
      if (event == R"({"type":"timer_fired","name":"keep_audio"})") add("daemon", "audio.expire", id, "not transcribed");
    }
  }

  void task(const flow::TaskRecord& t) {
    const std::string object = "sink:" + t.sink + "/" + t.task;
    if (t.state == "delivered") add("daemon", "task.deliver", object);
    if (t.state == "dead") add("daemon", "task.deliver", object, "dead");
    if (t.state == "discarded") add("api", "task.discard", object);
    if (t.state == "recorded" && t.detail == "to be sent again") add("api", "task.retry", object);
  }

  Machine& m_;
  std::map<std::string, std::int64_t> rows_;
};

}  // namespace

std::string chain_fault(Store& store) {
  const auto verdict = host::verify_audit(store, {got(store.audit_head())});
  if (!verdict) return "the audit log cannot be read";
  return verdict->fault == audit::Fault::kNone ? "" : "audit log: " + audit::describe(*verdict);
}

void check_audit(Machine& machine, std::vector<std::string>& violations) {
  if (std::string fault = chain_fault(machine.store); !fault.empty()) violations.push_back(std::move(fault));
  auto rows = Expected(machine).rows();
  for (const audit::Row& row : machine.store.audit_log()) {
    const audit::Act& a = row.act;
    --rows[a.actor + " " + a.action + " " + a.object + " " + a.outcome];
  }
  for (const auto& [row, missing] : rows) {
    if (missing > 0) violations.push_back("the audit log does not have: " + row);
    if (missing < 0) violations.push_back("the audit log has, for nothing: " + row);
  }
}

}  // namespace hansard::sim
