#include "sim/ear.h"

#include <algorithm>
#include <utility>

namespace hansard::sim {
namespace {

constexpr Duration kEndSilence = milliseconds(300);
constexpr Duration kTellSilence = seconds(5);
constexpr Duration kLongest = seconds(20);

}  // namespace

Ear::Ear(World& world, const Scenario& scenario) : world_(world) {
  for (const Room& r : scenario.rooms) {
    for (const Guest& g : r.guests) {
      for (const Speech& s : g.says) words_[s.number] = s.text;
    }
  }
}

void Ear::listen(SpeechListener* listener) {
  listener_ = listener;
  if (listener_ != nullptr && missing_until_ > world_.now()) {
    world_.for_daemon(milliseconds(1), [this] {
      if (!up_) listener_->on_recognizer_unavailable("no model");
    });
  }
}

std::uint32_t Ear::open(const std::string&, MediaTime start) {
  if (!up_) violations.push_back("a track was opened while there is no recognizer");
  tracks_[++last_] = {start, start, {}, start, {}};
  return last_;
}

bool Ear::feed(std::uint32_t id, MediaTime start, std::span<const std::int16_t> samples) {
  const auto it = tracks_.find(id);
  if (!up_ || it == tracks_.end()) return false;
  if (busy_until_ > world_.now()) {
    ++world_.faults[Fault::kRecognizerBusy];
    return false;
  }
  Track& track = it->second;
  if (start != track.position) violations.push_back("audio for the recognizer is not contiguous");
  sim::listen(start, samples, [&](const Stretch& s) { take(id, track, s); });
  track.position = start + Duration{static_cast<std::int64_t>(samples.size() / kSamplesPerMs)};
  return true;
}

void Ear::take(std::uint32_t id, Track& track, const Stretch& s) {
  if (s.sound.speech == 0) {
    if (track.speaking && s.end - track.quiet_since >= kEndSilence) end_utterance(id, track);
    if (!track.speaking && s.end - track.told >= kTellSilence) tell_silence(id, track, s.end);
    return;
  }
  if (track.speaking) {
    const Stretch& u = *track.speaking;
    const bool goes_on = u.sound.speech == s.sound.speech && u.end == s.start &&
                         u.sound.offset_ms + (u.end - u.start).ms == s.sound.offset_ms && s.end - u.start <= kLongest;
    if (goes_on) {
      track.speaking->end = track.quiet_since = s.end;
      return;
    }
    end_utterance(id, track);
  }
  tell_silence(id, track, s.start);
  track.speaking = s;
  track.quiet_since = s.end;
}

void Ear::end_utterance(std::uint32_t id, Track& track) {
  if (!track.speaking) return;
  const Stretch u = *std::exchange(track.speaking, std::nullopt);
  track.told = u.end;
  const std::string text = words_[u.sound.speech] + " #" + std::to_string(u.sound.speech) + ":" +
                           std::to_string(u.sound.offset_ms) + "-" + std::to_string(u.sound.offset_ms + (u.end - u.start).ms);
  answer(id, track, [=](SpeechListener& l) { l.on_final(id, u.start, u.end, text, {}); });
}

void Ear::tell_silence(std::uint32_t id, Track& track, MediaTime until) {
  if (until <= track.told) return;
  answer(id, track, [=, from = track.told](SpeechListener& l) { l.on_heard(id, from, until, Coverage::kSilent, {}); });
  track.told = until;
}

void Ear::answer(std::uint32_t id, Track& track, std::function<void(SpeechListener&)> f) {
  track.answer_at = std::max(track.answer_at, world_.now() + milliseconds(world_.rng.between(50, 600)));
  world_.for_daemon(track.answer_at - world_.now(), [this, id, process = process_, f = std::move(f)] {
    if (process == process_ && listener_ != nullptr && tracks_.contains(id)) f(*listener_);
  });
}

void Ear::gap(std::uint32_t id, MediaTime, MediaTime end) {
  const auto it = tracks_.find(id);
  if (it == tracks_.end()) return;
  end_utterance(id, it->second);
  tell_silence(id, it->second, end);
  it->second.position = end;
}

void Ear::flush(std::uint32_t id) {
  const auto it = tracks_.find(id);
  if (it == tracks_.end()) return;
  Track& track = it->second;
  end_utterance(id, track);
  tell_silence(id, track, track.position);
  answer(id, track, [this, id](SpeechListener& l) {
    l.on_flushed(id);
    tracks_.erase(id);
  });
}

void Ear::daemon_died() {
  tracks_.clear();
  listener_ = nullptr;
  ++process_;
  up_ = missing_until_ <= world_.now();
}

void Ear::kill(Duration back) {
  if (!up_) return;
  ++world_.faults[Fault::kRecognizerKilled];
  tracks_.clear();
  const std::uint64_t process = ++process_;
  up_ = false;
  if (listener_ != nullptr) listener_->on_recognizer_lost();
  world_.for_daemon(back, [this, process] {
    if (process != process_) return;
    up_ = true;
    if (listener_ != nullptr) listener_->on_recognizer_ready("sim");
  });
}

void Ear::remove(Duration length) {
  ++world_.faults[Fault::kRecognizerMissing];
  const bool was_up = std::exchange(up_, false);
  tracks_.clear();
  ++process_;
  missing_until_ = world_.now() + length;
  if (listener_ != nullptr && was_up) listener_->on_recognizer_lost();
  if (listener_ != nullptr) listener_->on_recognizer_unavailable("no model");
  world_.after(length, [this] {
    if (up_) return;
    up_ = true;
    if (listener_ != nullptr) listener_->on_recognizer_ready("sim");
  });
}

}  // namespace hansard::sim
