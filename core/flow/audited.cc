#include "core/flow/audited.h"

#include <algorithm>

#include "core/flow/meeting_step.h"

namespace hansard::flow {
namespace {

class Acts {
 public:
  Acts(const Applied& applied, Instant now, std::string_view actor) : applied_(applied), now_(now), actor_(actor) {}

  std::vector<audit::Act> run() {
    if (const auto* meeting = std::get_if<MeetingState>(&applied_.after)) {
      of_meeting_event(*meeting);
    } else if (const auto* sink = std::get_if<SinkState>(&applied_.after)) {
      of_sink(*sink);
    } else {
      of_calendar(std::get<CalendarState>(applied_.after));
    }
    return std::move(out_);
  }

 private:
  void add(std::string_view actor, std::string_view action, std::string object, std::string_view outcome = audit::kOk) {
    out_.push_back({now_, std::string(actor), std::string(action), std::move(object), std::string(outcome)});
  }

  template <class T>
  const T* before() const {
    return applied_.before == nullptr ? nullptr : std::get_if<T>(applied_.before);
  }

  void of_meeting_event(const MeetingState& after) {
    const Event& event = applied_.event;
    const std::string& id = applied_.aggregate;
    // What meetings tell each other about it is no act of anybody.
    if (const auto* e = std::get_if<MeetingSeen>(&event); e != nullptr && e->spec.by_hand && actor_ != audit::kByDaemon)
      add(actor_, audit::kMeetingJoin, id);
    if (std::holds_alternative<StopRequested>(event)) add(actor_, audit::kMeetingStop, id);
    if (const auto* e = std::get_if<PauseRequested>(&event))
      add(actor_, e->paused ? audit::kMeetingPause : audit::kMeetingResume, id);
    for (const Record& record : applied_.batch.records) {
      if (const auto* r = std::get_if<ConsentRecord>(&record); r != nullptr && r->what == "announced")
        add(audit::kByDaemon, audit::kConsentAnnounce, id, r->by.empty() ? "left to the sender" : "told");
      if (std::holds_alternative<MinutesRecord>(record)) add(audit::kByDaemon, audit::kMinutesWrite, id);
    }
    const auto* earlier = before<MeetingState>();
    const auto* fired = std::get_if<TimerFired>(&event);
    if (earlier == nullptr) return;
    if (fired != nullptr && fired->name == timer::kKeepAudio && after.drained && !earlier->drained)
      add(audit::kByDaemon, audit::kAudioExpire, id, "not transcribed");
    // One that was cancelled may already stand in its calendar again.
    if (std::holds_alternative<CleanedUp>(event) && earlier->state == Phase::kCleaning)
      add(audit::kByDaemon, audit::kMeetingClean, id,
          enum_name(meeting::is_final(after.state) ? after.state : Phase::kCancelled));
  }

  void of_sink(const SinkState& after) {
    const std::string where = sink_id(after.settings.id) + "/";
    if (const auto* e = std::get_if<TaskDecided>(&applied_.event); e != nullptr && was_dead(e->key))
      add(actor_, e->retry ? audit::kTaskRetry : audit::kTaskDiscard, where + e->key);
    for (const Effect& effect : applied_.batch.effects) {
      const auto* message = std::get_if<ToAggregate>(&effect);
      const auto* told = message == nullptr ? nullptr : std::get_if<TaskDelivered>(&message->event);
      if (told == nullptr) continue;
      if (told->state == "delivered") add(audit::kByDaemon, audit::kTaskDeliver, where + told->task);
      if (told->state == "dead") add(audit::kByDaemon, audit::kTaskDeliver, where + told->task, "dead");
    }
  }

  bool was_dead(const std::string& key) const {
    const auto* earlier = before<SinkState>();
    return earlier != nullptr && std::any_of(earlier->deliveries.begin(), earlier->deliveries.end(), [&](const Delivery& d) {
             return d.task.key == key && d.state == DeliveryState::kDead;
           });
  }

  void of_calendar(const CalendarState& after) {
    const auto* earlier = before<CalendarState>();
    const bool was = earlier != nullptr && !earlier->removed();
    const std::string object = audit::pseudonym("calendar", after.source.id);
    if (std::holds_alternative<CalendarConfigured>(applied_.event) && !(was && earlier->source == after.source))
      add(actor_, was ? audit::kCalendarChange : audit::kCalendarConnect, object);
    if (std::holds_alternative<CalendarRemoved>(applied_.event) && was) add(actor_, audit::kCalendarDisconnect, object);
  }

  const Applied& applied_;
  const Instant now_;
  const std::string_view actor_;
  std::vector<audit::Act> out_;
};

}  // namespace

std::vector<audit::Act> audited(const Applied& applied, Instant now, std::string_view actor) {
  return Acts(applied, now, actor).run();
}

}  // namespace hansard::flow
