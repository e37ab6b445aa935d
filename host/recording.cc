#include "host/recording.h"

#include <algorithm>
#include <utility>

namespace hansard::host {
namespace {

/// A recognizer that dies this often without an answer in between is dying of this audio.
constexpr int kCrashesBeforeSkip = 3;
/// What is skipped then.
constexpr Duration kSkip = seconds(30);
/// Audio read from the spool at a time when behind.
constexpr Duration kCatchUpChunk = seconds(20);

Duration length_of(std::span<const std::int16_t> samples) { return {static_cast<std::int64_t>(samples.size()) / 16}; }

}  // namespace

Recording::Recording(std::string meeting, AudioSpool& spool, SpeechRecognizer& speech, std::function<void(flow::Event)> post)
    : meeting_(std::move(meeting)), spool_(spool), speech_(speech), post_(std::move(post)) {}

Recording::~Recording() {
  for (auto& [id, t] : tracks_) {
    if (t.speech) speech_.drop(*t.speech);
  }
}

Recording::Track* Recording::find(const std::string& participant) {
  const auto it = tracks_.find(participant);
  return it == tracks_.end() ? nullptr : &it->second;
}

Recording::Track& Recording::ensure(const std::string& participant, MediaTime start) {
  if (Track* t = find(participant)) return *t;
  Track& t = tracks_[participant];
  t.participant = participant;
  t.captured = t.fed = t.heard = start;
  return t;
}

/// After a restart: what the store and the spool of the run before know.
void Recording::adopt(const std::vector<flow::TrackCursor>& cursors) {
  const auto spooled = spool_.tracks(meeting_);
  if (!spooled) return;
  for (const SpooledTrack& s : *spooled) {
    if (find(s.participant) != nullptr) continue;
    MediaTime cursor{0};
    for (const auto& c : cursors) {
      if (c.participant == s.participant) cursor = c.covered_until;
    }
    Track& t = ensure(s.participant, std::max(cursor, s.start));
    t.captured = std::max(s.end, t.fed);
    t.spooled = s.end;
    t.present = true;  // as far as anybody knows; the ledger counts presence only
    t.end_wanted = t.fed < t.captured;
  }
}

void Recording::begin(const flow::StartCapture& capture) {
  language_ = capture.language;
  gap_reason_ = capture.gap_reason;
  idle_reason_.clear();
  draining_ = false;
  adopt(capture.cursors);
  for (auto& [id, t] : tracks_) t.resumes = true;
}

void Recording::suspend(const std::string& reason) {
  idle_reason_ = reason;
  end_utterances();
}

void Recording::end_utterances() {
  for (auto& [id, t] : tracks_) {
    t.end_wanted = true;
    close_when_fed(t);
  }
}

void Recording::drain(const std::string& language, const std::vector<flow::TrackCursor>& cursors) {
  language_ = language;
  adopt(cursors);
  draining_ = true;
  end_utterances();
  check_drained();
}

void Recording::participant_joined(const std::string& participant, MediaTime at) {
  Track& t = ensure(participant, at);
  // Who comes back was not there in between: that time is nobody's loss.
  if (!t.present && at > t.captured && t.fed == t.captured && !t.speech) t.captured = t.fed = t.heard = at;
  t.present = true;
}

void Recording::participant_left(const std::string& participant, MediaTime at) {
  Track* t = find(participant);
  if (t == nullptr || !t->present) return;
  t->present = false;
  lost(*t, t->captured, at, idle_reason_.empty() ? "leaving" : idle_reason_);
  t->end_wanted = true;
  close_when_fed(*t);
}

void Recording::lost(Track& track, MediaTime start, MediaTime end, const std::string& reason) {
  if (end <= start) return;
  const bool withheld = reason == "paused";
  post_(flow::GapDetected{
      {track.participant, start, end, withheld ? Coverage::kWithheld : Coverage::kLost, withheld ? "" : reason}});
}

void Recording::audio(const std::string& participant, MediaTime start, std::span<const std::int16_t> samples) {
  Track& t = ensure(participant, start);
  if (start < t.captured) {
    // An overlap would be said twice: keep what is new.
    const std::int64_t known = (t.captured - start).ms * 16;
    if (known >= static_cast<std::int64_t>(samples.size())) return;
    samples = samples.subspan(static_cast<std::size_t>(known));
    start = t.captured;
  }
  lost(t, t.captured, start, t.resumes && !gap_reason_.empty() ? gap_reason_ : "connecting");
  t.resumes = false;
  const auto written = spool_.append(meeting_, participant, start, samples);
  const MediaTime end = start + length_of(samples);
  t.captured = end;
  t.end_wanted = false;
  if (!written) {
    // Without the spool there is no second chance: what cannot be recognized now is lost, and said so.
    if (t.flushing || t.fed < start || !feed(t, start, samples)) return lost(t, start, end, "disk_full");
    if (!t.unspooled.empty() && t.unspooled.back().second == start) {
      t.unspooled.back().second = end;
    } else {
      t.unspooled.emplace_back(start, end);
    }
    return;
  }
  t.spooled = end;
  if (!t.flushing && t.fed >= start) feed(t, start, samples);
}

void Recording::gap(const std::string& participant, MediaTime start, MediaTime end, bool is_lost, const std::string& reason) {
  Track& t = ensure(participant, start);
  if (is_lost) lost(t, start, end, reason);
  // A gap that stands where audio should have come moves the end of what was captured; one that explains filler does not.
  if (start > t.captured || end <= t.captured) return;
  const bool live = t.fed == t.captured && !t.flushing;
  t.captured = end;
  if (live) pass_over(t);
}

/// Nothing was captured from here to the end: a loss is reported on its own, all else is silence. The cursor goes on.
void Recording::pass_over(Track& track) {
  if (track.speech) {
    speech_.gap(*track.speech, track.fed, track.captured);
  } else if (track.heard < track.captured) {
    post_(flow::SpanHeard{track.participant, track.heard, track.captured, Coverage::kSilent, {}});
    track.heard = track.captured;
  }
  track.fed = track.captured;
}

bool Recording::feed(Track& track, MediaTime start, std::span<const std::int16_t> samples) {
  if (!speech_.ready()) return false;
  const MediaTime end = start + length_of(samples);
  if (start < track.fed) {
    const std::int64_t skip = (track.fed - start).ms * 16;
    if (skip >= static_cast<std::int64_t>(samples.size())) return true;
    samples = samples.subspan(static_cast<std::size_t>(skip));
    start = track.fed;
  }
  if (!track.speech) {
    if (start > track.heard) {
      // Nothing was captured here; the loss is reported on its own. The cursor goes on.
      post_(flow::SpanHeard{track.participant, track.heard, start, Coverage::kSilent, {}});
    }
    track.speech = speech_.open(language_, start);
    track.fed = track.heard = start;
  }
  if (start > track.fed) {
    speech_.gap(*track.speech, track.fed, start);
    track.fed = start;
  }
  if (!speech_.feed(*track.speech, start, samples)) return false;
  track.fed = end;
  return true;
}

void Recording::catch_up(Track& track) {
  bool blocked = false;
  const MediaTime stop_at = track.fed + kCatchUpChunk;
  const MediaTime before = track.fed;
  const auto read =
      spool_.read(meeting_, track.participant, track.fed, [&](MediaTime start, std::span<const std::int16_t> samples) {
        blocked = !feed(track, start, samples);
        return !blocked && track.fed < stop_at;
      });
  if (blocked) return;
  if (!read || track.fed == before) {
    // Nothing more can be read: what was written is lost on the disk; what was not has been accounted for.
    lost(track, track.fed, track.spooled, "spool");
    pass_over(track);
  }
}

void Recording::close_when_fed(Track& track) {
  if (!track.end_wanted || track.flushing || track.fed < track.captured) return;
  track.end_wanted = false;
  if (!track.speech) return;
  track.flushing = true;
  speech_.flush(*track.speech);
}

void Recording::poll() {
  for (auto& [id, t] : tracks_) {
    if (t.fed < t.captured && !t.flushing && speech_.ready()) catch_up(t);
    close_when_fed(t);
  }
  check_drained();
}

bool Recording::has_backlog() const {
  return speech_.ready() && std::any_of(tracks_.begin(), tracks_.end(),
                                        [](const auto& t) { return t.second.fed < t.second.captured && !t.second.flushing; });
}

Recording::Track* Recording::by_speech(std::uint32_t track) {
  for (auto& [id, t] : tracks_) {
    if (t.speech == track) return &t;
  }
  return nullptr;
}

const std::string* Recording::participant_of(std::uint32_t track) const {
  for (const auto& [id, t] : tracks_) {
    if (t.speech == track) return &t.participant;
  }
  return nullptr;
}

bool Recording::on_final(std::uint32_t track, MediaTime start, MediaTime end, const std::string& text,
                         const std::vector<Word>& words) {
  Track* t = by_speech(track);
  if (t == nullptr) return false;
  crashes_ = 0;
  t->heard = std::max(t->heard, end);
  post_(flow::SegmentFinal{t->participant, start, end, text, words});
  return true;
}

bool Recording::on_heard(std::uint32_t track, MediaTime start, MediaTime end, Coverage state, const std::string& reason) {
  Track* t = by_speech(track);
  if (t == nullptr) return false;
  crashes_ = 0;
  t->heard = std::max(t->heard, end);
  post_(flow::SpanHeard{t->participant, start, end, state, reason});
  return true;
}

bool Recording::on_flushed(std::uint32_t track) {
  Track* t = by_speech(track);
  if (t == nullptr) return false;
  t->speech.reset();
  t->flushing = false;
  t->heard = std::max(t->heard, t->fed);
  t->unspooled.clear();
  check_drained();
  return true;
}

void Recording::recognizer_lost() {
  ++crashes_;
  for (auto& [id, t] : tracks_) {
    if (!t.speech) continue;
    t.speech.reset();
    // A track that was being ended is to be ended again, once it has been recognized again.
    t.end_wanted = t.end_wanted || std::exchange(t.flushing, false) || !t.present;
    if (crashes_ >= kCrashesBeforeSkip && t.fed > t.heard) give_up_on(t);
    t.fed = t.heard;
    // What never reached the spool cannot be heard again.
    for (const auto& [start, end] : t.unspooled) lost(t, std::max(start, t.heard), end, "disk_full");
    t.unspooled.clear();
  }
  if (crashes_ >= kCrashesBeforeSkip) crashes_ = 0;
}

void Recording::give_up_on(Track& track) {
  const MediaTime end = std::min(track.fed, track.heard + kSkip);
  post_(flow::SpanHeard{track.participant, track.heard, end, Coverage::kUnrecognized, "recognizer"});
  track.heard = end;
}

void Recording::recognizer_unavailable() {
  if (!std::exchange(draining_, false)) return;
  const bool behind =
      std::any_of(tracks_.begin(), tracks_.end(), [](const auto& t) { return t.second.heard < t.second.captured; });
  post_(flow::SpeechDrained{!behind});
}

void Recording::check_drained() {
  if (!draining_) return;
  for (const auto& [id, t] : tracks_) {
    if (t.speech || t.fed < t.captured) return;
  }
  draining_ = false;
  post_(flow::SpeechDrained{true});
}

}  // namespace hansard::host
