#include "adapters/children/speech_process.h"

#include <algorithm>

namespace hansard {

SpeechProcess::SpeechProcess(Loop& loop, SpeechProcessOptions options)
    : loop_(loop), options_(std::move(options)), next_delay_(options_.first_restart) {}

SpeechProcess::~SpeechProcess() {
  loop_.cancel(timer_);
  loop_.cancel(stable_timer_);
}

void SpeechProcess::start() {
  timer_ = 0;
  auto child = children::Child::start(loop_, options_.executable, options_.args,
                                      {[this](ipc::Frame frame) { on_frame(std::move(frame)); }, [this] { on_gone(); }});
  if (!child) {
    restart();
    return;
  }
  child_ = std::move(*child);
  credit_ = 0;
  if (options_.log) options_.log("speech process started", child_->pid());
}

std::uint32_t SpeechProcess::open(const std::string& language, MediaTime start) {
  const std::uint32_t track = ++last_track_;
  if (!child_) return track;
  open_.insert(track);
  child_->send(ipc::ToSpeech(ipc::OpenTrack{track, ipc::Profile::kLive, language, start}));
  return track;
}

bool SpeechProcess::feed(std::uint32_t track, MediaTime start, std::span<const std::int16_t> samples) {
  // A track of a process that is gone: on_recognizer_lost has said so, the audio waits in the spool.
  if (!child_ || !open_.contains(track)) return false;
  constexpr std::int64_t kFrameOverhead = 18;
  const std::int64_t bytes = static_cast<std::int64_t>(2 * samples.size()) + kFrameOverhead;
  if (credit_ < bytes) return false;
  credit_ -= bytes;
  child_->send(ipc::AudioFrame{track, false, start, {samples.begin(), samples.end()}});
  return true;
}

void SpeechProcess::gap(std::uint32_t track, MediaTime start, MediaTime end) {
  if (child_ && open_.contains(track)) child_->send(ipc::ToSpeech(ipc::TrackGap{track, start, end, false, ""}));
}

void SpeechProcess::flush(std::uint32_t track) {
  if (child_ && open_.contains(track)) child_->send(ipc::ToSpeech(ipc::FlushTrack{track}));
}

void SpeechProcess::drop(std::uint32_t track) {
  if (child_ && open_.erase(track) > 0) child_->send(ipc::ToSpeech(ipc::DropTrack{track}));
}

void SpeechProcess::on_frame(ipc::Frame frame) {
  const Json* json = std::get_if<Json>(&frame);
  if (json == nullptr) return;
  auto message = from_json<ipc::FromSpeech>(*json);
  if (!message) return;
  if (const auto* credit = std::get_if<ipc::Credit>(&*message)) {
    credit_ = std::min<std::int64_t>(credit_ + credit->bytes, 1 << 28);
    return;
  }
  if (const auto* ready = std::get_if<ipc::SpeechReady>(&*message)) {
    ready_ = true;
    model_ = ready->model;
    unavailable_.clear();
    stable_timer_ = loop_.after(options_.stable, [this] {
      stable_timer_ = 0;
      next_delay_ = options_.first_restart;
    });
    if (listener_ != nullptr) listener_->on_recognizer_ready(model_);
    return;
  }
  if (const auto* none = std::get_if<ipc::SpeechUnavailable>(&*message)) {
    // Only a person can help, so look again rarely.
    next_delay_ = options_.last_restart;
    if (unavailable_ == none->detail) return;
    unavailable_ = none->detail;
    if (listener_ != nullptr) listener_->on_recognizer_unavailable(unavailable_);
    return;
  }
  if (listener_ == nullptr) return;
  std::visit(
      [this](const auto& m) {
        using M = std::remove_cvref_t<decltype(m)>;
        if constexpr (requires { m.track; }) {
          if (!open_.contains(m.track)) return;  // dropped meanwhile
          if constexpr (std::is_same_v<M, ipc::PartialText>) {
            listener_->on_partial(m.track, m.start, m.end, m.text);
          } else if constexpr (std::is_same_v<M, ipc::FinalText>) {
            listener_->on_final(m.track, m.start, m.end, m.text, m.words);
          } else if constexpr (std::is_same_v<M, ipc::HeardReport>) {
            // The span of a final is told by the final itself.
            if (m.state != Coverage::kTranscribed) listener_->on_heard(m.track, m.start, m.end, m.state, m.reason);
          } else {
            open_.erase(m.track);
            listener_->on_flushed(m.track);
          }
        }
      },
      *message);
}

void SpeechProcess::on_gone() {
  if (options_.log) options_.log("speech process died", child_->pid());
  // The child is the caller: drop it on a fresh turn.
  loop_.post([dead = std::shared_ptr<children::Child>(std::move(child_))] {});
  const bool had_tracks = !open_.empty();
  const bool was_ready = std::exchange(ready_, false);
  open_.clear();
  if (stable_timer_ != 0) loop_.cancel(std::exchange(stable_timer_, 0));
  if ((was_ready || had_tracks) && listener_ != nullptr) listener_->on_recognizer_lost();
  restart();
}

void SpeechProcess::restart() {
  timer_ = loop_.after(next_delay_, [this] { start(); });
  next_delay_ = std::min(next_delay_ + next_delay_, options_.last_restart);
}

}  // namespace hansard
