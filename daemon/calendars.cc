#include "daemon/calendars.h"

#include <algorithm>

#include "daemon/calendar_view.h"
#include "daemon/log.h"
#include "daemon/system.h"
#include "host/connections.h"

namespace hansard {
namespace {

constexpr std::string_view kPrefix = "calendar:";
/// Pushes come in bursts; they lead to one scan of a source in this time.
constexpr Duration kHintGap = seconds(2);

std::string aggregate_of(const std::string& id) { return std::string(kPrefix) + id; }

}  // namespace

/// What the configuration names with an address of its own, then what is connected, with its settings where there are some.
std::vector<flow::CalendarSource> Calendars::sources() const {
  std::vector<flow::CalendarSource> out;
  for (const auto& source : config_.calendars) {
    if (!source.url.empty()) out.push_back(source);
  }
  const auto configured = [&](const std::string& id) {
    return std::find_if(config_.calendars.begin(), config_.calendars.end(), [&](const auto& s) { return s.id == id; });
  };
  const auto ids = host::connection_ids(parts_.secrets);
  if (!ids) {
    // Nothing is taken away because a folder cannot be read just now.
    log::error("the connected calendars cannot be listed", {{"detail", ids.error().detail}});
    parts_.engine.for_each([&](const std::string&, const flow::State& state) {
      const auto* c = std::get_if<flow::CalendarState>(&state);
      if (c != nullptr && c->source.url.empty()) out.push_back(c->source);
    });
    return out;
  }
  for (const std::string& id : *ids) {
    flow::CalendarSource source;
    source.attend = config_.attend;
    if (const auto it = configured(id); it != config_.calendars.end()) {
      if (!it->url.empty()) {
        log::warning("a connected calendar has the id of one in the configuration, which goes first", {{"calendar", id}});
        continue;
      }
      source = *it;
    }
    source.id = id;
    // One that cannot be read stays a source: its scan says what is wrong.
    if (const auto connection = host::load_connection(parts_.secrets, id)) {
      source.kind = connection->kind;
      if (!connection->account.empty()) source.account = connection->account;
    } else if (const auto* known = parts_.engine.find(aggregate_of(id)); known != nullptr && source.kind.empty()) {
      source.kind = std::get<flow::CalendarState>(*known).source.kind;
    }
    out.push_back(std::move(source));
  }
  return out;
}

void Calendars::begin(std::string_view by) {
  std::set<std::string> wanted;
  for (flow::CalendarSource& source : sources()) {
    // Named before the source is moved away: the order in which arguments are evaluated is open.
    const std::string aggregate = aggregate_of(source.id);
    wanted.insert(aggregate);
    parts_.engine.post(aggregate, flow::CalendarConfigured{std::move(source), config_.meeting, random_seed()}, {}, by);
  }
  std::vector<std::string> gone;
  parts_.engine.for_each([&](const std::string& id, const flow::State& state) {
    if (std::holds_alternative<flow::CalendarState>(state) && !wanted.contains(id)) gone.push_back(id);
  });
  for (const std::string& id : gone) parts_.engine.post(id, flow::CalendarRemoved{}, {}, by);
}

Result<Json> Calendars::reload() {
  if (!config_.path.empty()) {
    auto read = load_config(config_.path);
    if (!read) return pass(read);
    config_.calendars = std::move(read->calendars);
    config_.attend = std::move(read->attend);
  }
  begin(audit::kByApi);
  if (auto done = parts_.engine.drain(); !done) return pass(done);
  return list();
}

Result<Json> Calendars::sync(const std::string& id) {
  Json out = Json::array();
  parts_.engine.for_each([&](const std::string&, const flow::State& state) {
    const auto* c = std::get_if<flow::CalendarState>(&state);
    if (c == nullptr || (!id.empty() && c->source.id != id)) return;
    Json one = Json::object();
    one.set("id", c->source.id).set("scans", static_cast<std::int64_t>(c->scans));
    out.push(std::move(one));
  });
  if (!id.empty() && out.items().empty())
    return fail(ErrorClass::kNotFound, "calendar", "there is no calendar '" + id + "'; `hansard calendar list` shows them");
  for (const Json& one : out.items()) parts_.engine.post(aggregate_of(one.text_or("id")), flow::ScanRequested{});
  return out;
}

Result<Json> Calendars::list() const { return calendars_view(parts_.store, config_.calendars); }

Json Calendars::status() const {
  Json out = Json::array();
  parts_.engine.for_each([&](const std::string&, const flow::State& state) {
    const auto* c = std::get_if<flow::CalendarState>(&state);
    if (c == nullptr) return;
    Json one = Json::object();
    one.set("id", c->source.id).set("state", calendar_state_name(*c)).set("detail", c->detail);
    one.set("meetings", attended_count(*c));
    out.push(std::move(one));
  });
  return out;
}

calendar::PushAnswer Calendars::push(const std::string& id, const calendar::PushRequest& request) {
  if (parts_.engine.find(aggregate_of(id)) == nullptr) return {};
  auto answer = parts_.executor.push(id, request);
  if (answer.scan) scan_soon(id);
  return answer;
}

void Calendars::scan_soon(const std::string& id) {
  if (!hints_.insert(id).second) return;
  Instant& last = hinted_[id];
  const Instant now = parts_.clock.now();
  const Duration wait = std::clamp(last + kHintGap - now, Duration{0}, kHintGap);
  last = now + wait;
  parts_.loop.after(wait, [this, id] {
    hints_.erase(id);
    parts_.engine.post(aggregate_of(id), flow::ScanRequested{});
  });
}

}  // namespace hansard
