#include "host/executor.h"

#include <algorithm>
#include <utility>

#include "host/calendar_reader.h"
#include "host/live_analysis.h"
#include "host/minutes_writer.h"
#include "host/recording.h"

namespace hansard::host {
namespace {

constexpr std::string_view kGeneric = "generic";
/// With so many events that the store has not taken (it is full, or somebody holds it) recognizers get no more audio: what they
/// would say has no place. Minutes of a store that does not answer are far fewer.
constexpr std::size_t kMaxQueued = 10'000;

flow::MediaPhase phase_of(MediaUpdate update) {
  switch (update) {
    case MediaUpdate::kWaitingRoom: return flow::MediaPhase::kWaitingRoom;
    case MediaUpdate::kInCall: return flow::MediaPhase::kInCall;
    case MediaUpdate::kLost: return flow::MediaPhase::kLost;
    case MediaUpdate::kEnded: return flow::MediaPhase::kEnded;
    case MediaUpdate::kRefused: return flow::MediaPhase::kRefused;
    case MediaUpdate::kLeft: return flow::MediaPhase::kLeft;
  }
  return flow::MediaPhase::kLost;
}

/// What the endpoint's answer to a look before the meeting means. Only a plain "no" is final.
flow::Event validation(const Result<HttpResponse>& answer, bool has_token) {
  using meeting::FailureCode;
  if (!answer) {
    if (retryable(answer.error().code))
      return flow::ValidationFailed{FailureCode::kMediaLost, true, "the endpoint does not answer yet"};
    return flow::ValidationFailed{FailureCode::kMeetingNotFound, false, answer.error().detail};
  }
  if (answer->status == 401 || answer->status == 403) {
    return flow::ValidationFailed{has_token ? FailureCode::kPlatformUnauthorized : FailureCode::kLoginRequired, false, {}};
  }
  if (answer->status == 404) return flow::ValidationFailed{FailureCode::kMeetingNotFound, true, "the meeting is not there yet"};
  if (answer->status == 429 || answer->status >= 500) {
    // 501 is an endpoint without OPTIONS: it is there.
    if (answer->status != 501) return flow::ValidationFailed{FailureCode::kMediaLost, true, "the endpoint is busy"};
  }
  return flow::Validated{};
}

}  // namespace

struct Executor::Impl final : MediaListener, SpeechListener {
  Impl(ExecutorPorts p, ExecutorConfig c)
      : ports(p), config(std::move(c)), calendars(ports, config), analysis(ports.store, config), minutes(ports) {
    ports.media.listen(this);
    ports.speech.listen(this);
  }

  // ---- effects ----

  void run(const std::string& id, const std::string& key, const flow::ValidateMeeting& e) {
    if (e.platform != kGeneric) {
      return post(id, flow::ValidationFailed{meeting::FailureCode::kUnsupportedPlatform, false, {}}, key);
    }
    HttpRequest request;
    request.method = "OPTIONS";
    request.url = e.url;
    if (!e.token.empty()) request.headers.emplace_back("Authorization", "Bearer " + e.token);
    ports.http.send(std::move(request), [this, id, key, has_token = !e.token.empty()](Result<HttpResponse> answer) {
      post(id, validation(answer, has_token), key);
    });
  }

  void run(const std::string& id, const std::string& key, const flow::PrepareMeeting&) {
    flow::Prepared prepared;
    prepared.recognizer = !no_recognizer;
    if (no_recognizer)
      prepared.note = "there is no speech recognizer: the meeting will be captured and transcribed later (see hansard doctor)";
    const auto free = ports.files.free_bytes();
    if (free && *free < config.min_free_bytes) {
      prepared.room = false;
      prepared.note = "the disk has too little room to begin a recording: free some space (" +
                      std::to_string(config.min_free_bytes >> 20) + " MB are wanted, " + std::to_string(*free >> 20) +
                      " are free)";
    }
    post(id, prepared, key);
  }

  void run(const std::string& id, const std::string&, const flow::StartMedia& e) {
    epochs[id] = e.epoch;
    ports.media.start({id, e.epoch, e.platform, e.url, e.token, e.display_name});
  }

  void run(const std::string& id, const std::string&, const flow::StartCapture& e) {
    if (epochs[id] != e.epoch) return;
    // Once for as long as this process lives: afterwards the wall clock may say what it likes.
    const Duration origin = origins.try_emplace(id, ports.clock.monotonic() - (ports.clock.now() - e.origin)).first->second;
    recording(id).begin(e);
    for (const auto& [participant, person] : present[id]) recording(id).participant_joined(participant, person.since);
    ports.media.capture(id, e.epoch, origin);
  }

  void run(const std::string& id, const std::string&, const flow::PauseCapture& e) {
    ports.media.pause(id, e.epoch);
    if (auto it = recordings.find(id); it != recordings.end()) it->second.suspend("paused");
  }

  void run(const std::string& id, const std::string&, const flow::StopMedia& e) { ports.media.stop(id, e.epoch); }

  void run(const std::string& id, const std::string&, const flow::DrainSpeech& e) {
    for (const auto& [participant, person] : present[id]) recording(id).participant_left(participant, media_now(id));
    recording(id).drain(e.language, e.cursors);
    if (no_recognizer) recording(id).recognizer_unavailable();
  }

  void run(const std::string& id, const std::string&, const flow::AnalyzeLive& e) {
    auto changes = analysis.add(id, e.utterance, meeting_start(id));
    if (changes && !changes->empty()) post(id, flow::ItemsChanged{std::move(*changes)});
  }

  void run(const std::string& id, const std::string& key, const flow::AnalyzeFinal&) {
    auto result = analysis.finish(id, meeting_start(id));
    if (result) {
      post(id, flow::AnalysisFinished{std::move(result->changes), std::move(result->items), std::move(result->summary)}, key);
    } else {
      post(id, flow::StepFailed{"the analysis", result.error().detail}, key);
    }
  }

  void run(const std::string& id, const std::string& key, const flow::WriteMinutes&) {
    auto files = minutes.write(id);
    if (files) {
      post(id, flow::MinutesWritten{std::move(*files)}, key);
    } else {
      post(id, flow::StepFailed{"writing the minutes", files.error().detail}, key);
    }
  }

  void run(const std::string&, const std::string&, const flow::HoldTask&) {}  // held: never released

  void run(const std::string& id, const std::string&, const flow::SendTask& e) {
    const auto answered = [this, id, key = e.task.key, attempt = e.attempt](tasks::Answer answer) {
      post(id, flow::TaskAnswered{key, attempt, std::move(answer)});
    };
    const auto sink = config.sinks.find(e.sink);
    if (sink == config.sinks.end()) return answered({tasks::Outcome::kRefused, "there is no sink '" + e.sink + "'", {}});
    sink->second->send(e.task, e.created, answered);
  }

  void run(const std::string& id, const std::string&, const flow::FindTask& e) {
    const auto found = [this, id, key = e.task.key, attempt = e.attempt](tasks::Answer answer, bool there) {
      post(id, flow::TaskFound{key, attempt, std::move(answer), there});
    };
    const auto sink = config.sinks.find(e.sink);
    if (sink == config.sinks.end()) return found({tasks::Outcome::kRefused, "there is no sink '" + e.sink + "'", {}}, false);
    sink->second->find(e.task, found);
  }

  void run(const std::string& id, const std::string& key, const flow::CleanUp&) {
    recordings.erase(id);
    present.erase(id);
    origins.erase(id);
    epochs.erase(id);
    analysis.forget(id);
    // Audio that cannot be removed now is removed by the next attempt: the effect stays unanswered until it is.
    if (ports.spool.remove(id)) return post(id, flow::CleanedUp{}, key);
    unremoved[id] = key;
  }

  void run(const std::string& id, const std::string&, const flow::FetchCalendar& e) {
    calendars.fetch(e, [this, id](flow::Event event) { post(id, std::move(event)); });
  }

  void run(const std::string&, const std::string&, const flow::ToAggregate&) {}  // the engine's own

  // ---- media ----

  void on_media(const std::string& id, std::uint32_t epoch, const MediaNews& news) override {
    flow::MediaReport report;
    report.epoch = epoch;
    report.phase = phase_of(news.update);
    report.code = enum_value<meeting::FailureCode>(news.code).value_or(meeting::FailureCode::kNone);
    report.vendor_code = news.vendor_code;
    report.announced = news.announced;
    report.reason = news.reason;
    if (news.update == MediaUpdate::kLost && current(id, epoch)) {
      if (auto it = recordings.find(id); it != recordings.end())
        it->second.suspend(news.reason.empty() ? "disconnected" : news.reason);
    }
    post(id, std::move(report));
  }

  void on_participant(const std::string& id, std::uint32_t epoch, const std::string& participant, const std::string& name,
                      bool here, bool bot) override {
    if (!current(id, epoch)) return;
    // Read once: presence that ends a moment after what is told of it leaves that moment unaccounted for.
    const MediaTime now = media_now(id);
    if (here) {
      Person& person = present[id].try_emplace(participant, Person{name, now}).first->second;
      person.name = name;
    } else {
      present[id].erase(participant);
    }
    if (auto it = recordings.find(id); it != recordings.end()) {
      if (here) {
        it->second.participant_joined(participant, now);
      } else {
        it->second.participant_left(participant, now);
      }
    }
    flow::ParticipantChanged changed{participant, name, here, bot, {}};
    if (origins.contains(id)) changed.at = now;
    post(id, std::move(changed));
  }

  void on_audio(const std::string& id, std::uint32_t epoch, const std::string& participant, MediaTime start, bool,
                std::span<const std::int16_t> samples) override {
    auto it = recordings.find(id);
    if (it != recordings.end() && current(id, epoch)) it->second.audio(participant, start, samples);
  }

  void on_gap(const std::string& id, std::uint32_t epoch, const std::string& participant, MediaTime start, MediaTime end,
              bool lost, const std::string& reason) override {
    auto it = recordings.find(id);
    if (it != recordings.end() && current(id, epoch)) it->second.gap(participant, start, end, lost, reason);
  }

  // ---- speech ----

  void on_partial(std::uint32_t track, MediaTime start, MediaTime end, const std::string& text) override {
    if (!partial) return;
    for (const auto& [id, r] : recordings) {
      const std::string* participant = r.participant_of(track);
      if (participant == nullptr) continue;
      const auto& known = present[id];
      const auto person = known.find(*participant);
      return partial({id, *participant, person == known.end() ? *participant : person->second.name, start, end, text});
    }
  }

  void on_final(std::uint32_t track, MediaTime start, MediaTime end, const std::string& text,
                const std::vector<Word>& words) override {
    for (auto& [id, r] : recordings) {
      if (r.on_final(track, start, end, text, words)) return;
    }
  }
  void on_heard(std::uint32_t track, MediaTime start, MediaTime end, Coverage state, const std::string& reason) override {
    for (auto& [id, r] : recordings) {
      if (r.on_heard(track, start, end, state, reason)) return;
    }
  }
  void on_flushed(std::uint32_t track) override {
    for (auto& [id, r] : recordings) {
      if (r.on_flushed(track)) return;
    }
  }
  void on_recognizer_lost() override {
    for (auto& [id, r] : recordings) r.recognizer_lost();
  }
  void on_recognizer_ready(const std::string&) override {
    no_recognizer = false;
    if (engine == nullptr) return;
    std::vector<std::string> ids;
    engine->for_each([&](const std::string& id, const flow::State& s) {
      if (std::holds_alternative<flow::MeetingState>(s)) ids.push_back(id);
    });
    for (auto& id : ids) post(id, flow::RecognizerReady{});
  }
  void on_recognizer_unavailable(const std::string&) override {
    no_recognizer = true;
    for (auto& [id, r] : recordings) r.recognizer_unavailable();
  }

  // ---- small things ----

  void poll() {
    const bool held = engine->queued() >= kMaxQueued;
    std::vector<Recording*> in_turn;
    in_turn.reserve(recordings.size());
    for (auto& [id, r] : recordings) in_turn.push_back(&r);
    std::ranges::stable_sort(in_turn, std::ranges::greater{}, &Recording::behind);
    bool queue = false;
    for (Recording* r : in_turn) {
      r->hold(held);
      r->poll();
      queue = queue || r->blocked();
    }
    for (Recording* r : in_turn) r->take_turns(queue);
    for (auto it = unremoved.begin(); it != unremoved.end();) {
      if (!ports.spool.remove(it->first)) {
        ++it;
        continue;
      }
      post(it->first, flow::CleanedUp{}, it->second);
      it = unremoved.erase(it);
    }
  }

  void post(const std::string& id, flow::Event event, std::string completes = {}) {
    engine->post(id, std::move(event), std::move(completes));
  }

  Recording& recording(const std::string& id) {
    const auto it = recordings.find(id);
    if (it != recordings.end()) return it->second;
    return recordings
        .try_emplace(id, id, ports.spool, ports.speech, ports.clock,
                     [this, id](flow::Event event) { post(id, std::move(event)); })
        .first->second;
  }

  bool current(const std::string& id, std::uint32_t epoch) const {
    const auto it = epochs.find(id);
    return it != epochs.end() && it->second == epoch;
  }

  MediaTime captured_until(const std::string& id) const {
    MediaTime end;
    // A disk that does not say what there is: it is unknown.
    const auto tracks = ports.spool.tracks(id);
    if (tracks) {
      for (const SpooledTrack& t : *tracks) end = std::max(end, t.end);
    }
    return end;
  }

  MediaTime media_now(const std::string& id) const {
    const auto it = origins.find(id);
    return {it == origins.end() ? 0 : std::max<std::int64_t>(0, (ports.clock.monotonic() - it->second).ms)};
  }

  Instant meeting_start(const std::string& id) const {
    const flow::State* s = engine->find(id);
    const auto* m = s == nullptr ? nullptr : std::get_if<flow::MeetingState>(s);
    return m == nullptr ? ports.clock.now() : m->spec.start;
  }

  ExecutorPorts ports;
  ExecutorConfig config;
  Engine* engine = nullptr;
  CalendarReader calendars;
  LiveAnalysis analysis;
  MinutesWriter minutes;
  std::map<std::string, Recording> recordings;
  struct Person {
    std::string name;
    MediaTime since;  ///< 0 when there before capture began
  };
  std::map<std::string, std::map<std::string, Person>> present;  ///< meeting -> participant
  std::map<std::string, Duration> origins;  ///< of media time, on the monotonic clock; set when a capture has begun
  std::map<std::string, std::uint32_t> epochs;
  std::map<std::string, std::string> unremoved;  ///< meetings whose audio could not be removed -> effect key
  std::function<void(const LivePartial&)> partial;
  bool no_recognizer = false;
};

Executor::Executor(ExecutorPorts ports, ExecutorConfig config) : impl_(std::make_unique<Impl>(ports, std::move(config))) {}
Executor::~Executor() = default;

void Executor::connect(Engine& engine) { impl_->engine = &engine; }

MediaTime Executor::captured_until(const std::string& meeting) { return impl_->captured_until(meeting); }

void Executor::run(const std::string& aggregate, const std::string& key, const flow::Effect& effect) {
  std::visit([&](const auto& e) { impl_->run(aggregate, key, e); }, effect);
}

calendar::PushAnswer Executor::push(const std::string& id, const calendar::PushRequest& request) {
  return impl_->calendars.push(id, request);
}

void Executor::poll() { impl_->poll(); }

bool Executor::has_backlog() const {
  return !impl_->unremoved.empty() || impl_->engine->queued() >= kMaxQueued ||
         std::any_of(impl_->recordings.begin(), impl_->recordings.end(), [](const auto& r) { return r.second.has_backlog(); });
}

std::map<std::string, Executor::Health> Executor::health() const {
  std::map<std::string, Health> out;
  for (const auto& [id, r] : impl_->recordings) out.emplace(id, Health{r.behind(), r.far_behind(), r.unwritable()});
  return out;
}

void Executor::on_partial(std::function<void(const LivePartial&)> f) { impl_->partial = std::move(f); }

}  // namespace hansard::host
