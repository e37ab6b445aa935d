#include "host/calendar_reader.h"

#include <algorithm>
#include <set>
#include <utility>

#include "core/base/text.h"
#include "core/calendar/attend.h"
#include "core/calendar/expand.h"
#include "core/calendar/invite.h"
#include "host/connections.h"

namespace hansard::host {
namespace {

/// A server whose answers never end is not followed for ever.
constexpr int kMaxRequests = 2'000;
constexpr std::size_t kEntropyBytes = 32;
constexpr std::size_t kMaxNotes = 10;
/// Nobody meets more often: a rule for every second must not become ten thousand meetings.
constexpr std::size_t kMaxPerSeries = 500;

bool is_address(const std::string& url) {
  return starts_with_ignore_case(url, "http://") || starts_with_ignore_case(url, "https://") ||
         starts_with_ignore_case(url, "webcal://");
}

flow::Event failed(const calendar::SyncFailed& f) { return flow::CalendarFailed{f.detail, f.retry_after, f.reconnect}; }
flow::Event failed(const Error& error) { return flow::CalendarFailed{error.detail, {}, false}; }

void add_notes(std::vector<std::string>& out, const std::vector<std::string>& notes) {
  for (const std::string& note : notes) {
    if (out.size() < kMaxNotes && std::find(out.begin(), out.end(), note) == out.end()) out.push_back(note);
  }
}

/// Zones that have been looked for, each once.
class ZoneShelf {
 public:
  explicit ZoneShelf(const calendar::ZoneLoader& loader) : loader_(loader) {}
  void load(const calendar::Calendar& document) {
    for (const std::string& name : calendar::needed_zones(document)) load(name);
  }
  const calendar::TimeZone* find(const std::string& name) {
    load(name);
    return zones_.find(name);
  }
  const calendar::ZoneTable& zones() const { return zones_; }

 private:
  void load(const std::string& name) {
    if (!loader_ || !tried_.insert(name).second) return;
    if (const auto bytes = loader_(name)) static_cast<void>(zones_.add(name, *bytes));
  }
  const calendar::ZoneLoader& loader_;
  std::set<std::string> tried_;
  calendar::ZoneTable zones_;
};

flow::SeenOccurrence seen(const std::string& source, const calendar::Occurrence& o, const calendar::VEvent& event,
                          calendar::AttendFacts facts, const calendar::InviteConfig& invites) {
  flow::SeenOccurrence out;
  // An event that stands alone is the same one wherever it is moved to; an instance of a series is named by its original
  // start.
  const bool alone = event.rules.empty() && event.rdates.empty() && !event.recurrence_id;
  out.key = alone && !o.uid.empty() ? o.uid : o.key;
  if (alone) out.identity = o.uid;
  out.original_start = o.original_start;
  out.cancelled = o.cancelled;
  out.all_day = o.all_day();
  out.facts = std::move(facts);
  const auto invite = calendar::find_invite(event, invites);
  out.spec.title = o.summary;
  out.spec.start = o.start;
  out.spec.end = o.end;
  out.spec.source = source;
  out.spec.sequence = event.sequence;
  if (invite) {
    out.spec.platform = invite.platform;
    out.spec.url = invite.url.value_or("");
    out.spec.meeting_key = invite.meeting_id.value_or(out.spec.url);
    out.spec.passcode = invite.passcode.value_or("");
  }
  return out;
}

}  // namespace

void CalendarReader::fetch(const flow::FetchCalendar& effect, Done done) {
  const flow::CalendarSource& source = effect.source;
  if (source.kind == "ics" && !source.url.empty() && !is_address(source.url)) {
    auto event = read_files(effect);
    return done(event ? std::move(*event) : failed(event.error()));
  }
  Slot& slot = slots_[source.id];
  if (slot.done) {
    slot.again = true;
    slot.next_effect = effect;
    slot.next_done = std::move(done);
    return;
  }
  start(slot, effect, std::move(done));
}

Result<flow::Event> CalendarReader::read_files(const flow::FetchCalendar& effect) {
  const std::string& path = effect.source.url;
  if (auto read = files_.read(path); !read) return pass(read);
  return expand(effect, files_.documents(path), {}, files_.notes(path));
}

void CalendarReader::start(Slot& slot, const flow::FetchCalendar& effect, Done done) {
  slot.effect = effect;
  slot.done = std::move(done);
  slot.requests = 0;
  if (auto prepared = prepare(slot, effect.source); !prepared) return finish(effect.source.id, failed(prepared.error()));
  carry_out(effect.source.id, slot.source->begin({effect.from, effect.to}, ports_.clock.now(), config_.entropy(kEntropyBytes)));
}

/// The source as the configuration and the stored connection now say; what it has read is kept as long as they do not change.
Result<void> CalendarReader::prepare(Slot& slot, const flow::CalendarSource& source) {
  calendar::Connection connection;
  slot.kept = source.url.empty();
  if (slot.kept) {
    auto loaded = load_connection(ports_.secrets, source.id);
    if (!loaded && loaded.error().code == ErrorClass::kNotFound) {
      return fail(ErrorClass::kNotFound, "calendar",
                  "this calendar is not connected: run `hansard calendar connect " + source.kind + " --id " + source.id + "`");
    }
    if (!loaded) return pass(loaded);
    connection = std::move(*loaded);
  } else {
    connection.id = source.id;
    connection.kind = source.kind;
    connection.calendar = source.url;
  }
  if (slot.source && slot.stored == connection) return {};
  slot.stored = connection;
  auto made = calendar::make_source(std::move(connection), config_.sources);
  if (!made) return pass(made);
  slot.source = std::move(*made);
  return {};
}

/// Stores what the source has changed of its connection. A person who connected again meanwhile goes first.
Result<void> CalendarReader::keep(Slot& slot) {
  const calendar::Connection& now = slot.source->connection();
  if (!slot.kept || now == slot.stored) return {};
  auto there = load_connection(ports_.secrets, now.id);
  if (!there || *there != slot.stored)
    return fail(ErrorClass::kConflict, "calendar", "the calendar was connected anew while it was read");
  auto saved = save_connection(ports_.secrets, now);
  if (saved) slot.stored = now;
  return saved;
}

void CalendarReader::carry_out(const std::string& id, calendar::SourceAction action) {
  Slot& slot = slots_[id];
  if (auto kept = keep(slot); !kept) return finish(id, failed(kept.error()));
  if (auto* send = std::get_if<calendar::SendRequest>(&action)) {
    if (++slot.requests > kMaxRequests)
      return finish(id, flow::CalendarFailed{"the calendar's server never came to an end with its answer", {}, false});
    ports_.http.send(std::move(send->request), [this, id](const Result<HttpResponse>& response) {
      carry_out(id, slots_[id].source->reply(response, ports_.clock.now()));
    });
  } else if (const auto* sign = std::get_if<calendar::SignRequest>(&action)) {
    const auto signature = ports_.signer.sign_rs256(sign->key_pem, sign->bytes);
    carry_out(id, slot.source->signature(signature, ports_.clock.now()));
  } else if (const auto* f = std::get_if<calendar::SyncFailed>(&action)) {
    finish(id, failed(*f));
  } else {
    finish(id, expand(slot.effect, slot.source->documents(), slot.source->connection().account, slot.source->problems()));
  }
}

void CalendarReader::finish(const std::string& id, flow::Event event) {
  Slot& slot = slots_[id];
  const Done done = std::exchange(slot.done, nullptr);
  if (std::exchange(slot.again, false)) return start(slot, slot.next_effect, std::move(slot.next_done));
  done(std::move(event));
}

calendar::PushAnswer CalendarReader::push(const std::string& id, const calendar::PushRequest& request) {
  const auto it = slots_.find(id);
  if (it == slots_.end() || !it->second.source) return {503, "text/plain; charset=utf-8", {}, false};  // vendors send it again
  return it->second.source->push(request, ports_.clock.now());
}

flow::Event CalendarReader::expand(const flow::FetchCalendar& effect, const std::vector<const calendar::Calendar*>& documents,
                                   const std::string& account, const std::vector<std::string>& notes) const {
  calendar::InviteConfig invites;
  invites.generic_hosts = config_.generic_hosts;
  flow::CalendarFetched fetched{effect.from, effect.to, {}};
  add_notes(fetched.notes, notes);
  // A CalDAV calendar is a document for each event: a zone is read once for all of them.
  ZoneShelf shelf(config_.read_zone);
  calendar::ExpandLimits limits;
  limits.max_per_series = kMaxPerSeries;
  for (const calendar::Calendar* document : documents) {
    shelf.load(*document);
    limits.local_zone = shelf.find(config_.local_zone);
    const auto expansion = calendar::expand(*document, effect.from, effect.to, shelf.zones(), limits);
    if (!expansion) return failed(expansion.error());
    add_notes(fetched.notes, document->problems);
    add_notes(fetched.notes, expansion->problems);
    for (const auto& o : expansion->occurrences) {
      const calendar::VEvent& event = document->events[o.event];
      auto facts = calendar::attend_facts(event, account.empty() ? effect.source.account : account, config_.own_addresses);
      fetched.occurrences.push_back(seen(effect.source.id, o, event, std::move(facts), invites));
    }
  }
  return fetched;
}

}  // namespace hansard::host
