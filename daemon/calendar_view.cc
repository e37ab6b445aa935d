#include "daemon/calendar_view.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "daemon/meeting_view.h"
#include "host/stored.h"

namespace hansard {
namespace {

constexpr int kMaxFollowers = 100;

std::string time_or_never(Instant t) { return t.ms == 0 ? "" : format_rfc3339(t); }

Result<std::vector<flow::CalendarState>> load_calendars(Store& store) {
  auto stored = store.aggregates(flow::CalendarState::kType, true);
  if (!stored) return pass(stored);
  std::vector<flow::CalendarState> out;
  for (const StoredAggregate& a : *stored) {
    auto state = host::decode<flow::State>(a.state, host::state_binding(a.id));
    if (!state) return pass(state);
    if (auto* c = std::get_if<flow::CalendarState>(&*state)) out.push_back(std::move(*c));
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.source.id < b.source.id; });
  return out;
}

Json calendar_json(const flow::CalendarState& c) {
  Json out = Json::object();
  out.set("id", c.source.id).set("kind", c.source.kind).set("account", c.source.account);
  out.set("state", calendar_state_name(c)).set("detail", c.detail).set("notes", to_json(c.notes));
  out.set("meetings", attended_count(c)).set("occurrences", static_cast<std::int64_t>(c.known.size()));
  const auto scan = c.timers.find("scan");
  out.set("last_success", time_or_never(c.last_success))
      .set("next_scan", scan == c.timers.end() ? "" : time_or_never(scan->second));
  return out.set("failures", std::int64_t{c.failures}).set("scans", static_cast<std::int64_t>(c.scans));
}

std::string_view why(std::string_view reason) {
  const auto known = enum_value<calendar::AttendReason>(reason);
  return known ? calendar::attend_sentence(*known) : "not decided yet: the calendar must be read first";
}

/// One line of the plan: what all calendars say about one meeting.
struct Entry {
  std::vector<const flow::KnownOccurrence*> views;

  /// The first that wants it, else the first.
  const flow::KnownOccurrence& main() const {
    const auto it = std::find_if(views.begin(), views.end(), [](const auto* k) { return !k->meeting.empty(); });
    return it == views.end() ? *views.front() : **it;
  }
};

/// Meetings by the id that calendars know them by.
class Meetings {
 public:
  explicit Meetings(Store& store) : store_(store) {}

  /// Null: there is none yet. Errors: those of the store.
  Result<const flow::MeetingState*> find(const std::string& id) {
    auto [it, fresh] = found_.try_emplace(id);
    if (fresh) {
      auto meeting = load_meeting(store_, id);
      // Held once and moved since, or another name of it: the one that follows is meant.
      for (int i = 0; meeting && !meeting->passes_on_to().empty() && i < kMaxFollowers; ++i)
        meeting = load_meeting(store_, meeting->passes_on_to());
      if (meeting) {
        it->second = std::move(*meeting);
      } else if (meeting.error().code != ErrorClass::kNotFound) {
        return std::unexpected(meeting.error());
      }
    }
    return it->second ? &*it->second : nullptr;
  }

 private:
  Store& store_;
  std::map<std::string, std::optional<flow::MeetingState>> found_;
};

Result<Json> entry_json(Meetings& meetings, const Entry& entry) {
  const flow::KnownOccurrence& k = entry.main();
  flow::MeetingSpec spec = k.spec;
  std::string id = k.meeting;
  std::string state;
  if (!k.meeting.empty()) {
    const auto meeting = meetings.find(k.meeting);
    if (!meeting) return std::unexpected(meeting.error());
    if (*meeting != nullptr) {
      id = (*meeting)->id;
      state = enum_name((*meeting)->state);
      spec = (*meeting)->spec;  // calendars may differ: this is what counts
    }
  }
  Json calendars = Json::array();
  Json views = Json::array();
  std::set<std::string> named;
  for (const auto* v : entry.views) {
    if (named.insert(v->spec.source).second) calendars.push(v->spec.source);
    Json one = Json::object();
    one.set("calendar", v->spec.source).set("attend", !v->meeting.empty()).set("reason", v->reason).set("why", why(v->reason));
    views.push(std::move(one));
  }
  Json out = Json::object();
  out.set("title", spec.title)
      .set("start", format_rfc3339(spec.start))
      .set("end", format_rfc3339(spec.end))
      .set("all_day", k.all_day);
  out.set("platform", spec.platform).set("calendars", std::move(calendars)).set("attend", !k.meeting.empty());
  out.set("reason", k.reason).set("why", why(k.reason)).set("meeting", id).set("state", state);
  return out.set("views", std::move(views));
}

}  // namespace

std::string calendar_state_name(const flow::CalendarState& state) { return state.state.empty() ? "not read yet" : state.state; }

std::int64_t attended_count(const flow::CalendarState& state) {
  return std::count_if(state.known.begin(), state.known.end(), [](const auto& k) { return !k.meeting.empty(); });
}

Result<Json> calendars_view(Store& store, std::span<const flow::CalendarSource> configured) {
  const auto calendars = load_calendars(store);
  if (!calendars) return std::unexpected(calendars.error());
  std::map<std::string, Json> by_id;
  for (const auto& source : configured) {
    flow::CalendarState unknown;
    unknown.source = source;
    if (source.url.empty()) {
      unknown.state = "not connected";
      unknown.detail = "run `hansard calendar connect " + source.kind + " --id " + source.id + "`, or remove its [[calendar]]";
    }
    by_id.insert_or_assign(source.id, calendar_json(unknown));
  }
  for (const auto& c : *calendars) by_id.insert_or_assign(c.source.id, calendar_json(c));
  Json out = Json::array();
  for (auto& [id, json] : by_id) out.push(std::move(json));
  return out;
}

Result<Json> plan_view(Store& store) {
  const auto calendars = load_calendars(store);
  if (!calendars) return std::unexpected(calendars.error());
  Meetings meetings(store);
  std::map<std::string, Entry> entries;
  for (const auto& c : *calendars) {
    for (const auto& k : c.known) {
      // One that is not attended here belongs to the meeting that another calendar wants.
      std::string key = k.meeting;
      if (key.empty()) key = k.spec.platform.empty() ? "calendar:" + c.source.id + "\n" + k.key : flow::meeting_id(k);
      if (!k.spec.platform.empty()) {
        const auto meeting = meetings.find(key);
        if (!meeting) return std::unexpected(meeting.error());
        if (*meeting != nullptr) key = (*meeting)->id;
      }
      entries[key].views.push_back(&k);
    }
  }
  std::vector<const Entry*> order;
  for (const auto& [key, entry] : entries) order.push_back(&entry);
  std::stable_sort(order.begin(), order.end(), [](const Entry* a, const Entry* b) {
    const auto& x = a->main().spec;
    const auto& y = b->main().spec;
    return std::tie(x.start, x.title) < std::tie(y.start, y.title);
  });
  Json out = Json::array();
  for (const Entry* entry : order) {
    auto one = entry_json(meetings, *entry);
    if (!one) return one;
    out.push(std::move(*one));
  }
  return out;
}

}  // namespace hansard
