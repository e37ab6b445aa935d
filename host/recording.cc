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
/// Audio that the disk does not give is asked for again after this, doubled up to the longest wait ...
constexpr Duration kFirstReadRetry = milliseconds(250);
constexpr Duration kLastReadRetry = seconds(30);
/// ... for this long. Then it is given up piece by piece, with one more try for each.
constexpr Duration kUnreadableFor = minutes(5);
constexpr Duration kUnreadablePiece = seconds(1);
/// A person is told when reading has failed for so long that a wait of this length follows.
constexpr Duration kTellUnreadable = seconds(8);
/// Losses to a disk that takes nothing are told in pieces of this length.
constexpr Duration kUnkeptPiece = seconds(10);
/// Writing must have worked for this long before the disk counts as good again.
constexpr Duration kWritableFor = seconds(10);
/// A recognizer this far behind is worth a notice (an utterance of the longest kind is not), and this near has caught up.
constexpr Duration kFarBehind = seconds(45);
constexpr Duration kCaughtUp = seconds(15);

Duration length_of(std::span<const std::int16_t> samples) { return {static_cast<std::int64_t>(samples.size()) / 16}; }

}  // namespace

Recording::Recording(std::string meeting, AudioSpool& spool, SpeechRecognizer& speech, const Clock& clock,
                     std::function<void(flow::Event)> post)
    : meeting_(std::move(meeting)), spool_(spool), speech_(speech), clock_(clock), post_(std::move(post)) {}

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

/// After a restart: what the store and the spool of the run before know. False: it cannot be said now.
bool Recording::adopt(const std::vector<flow::TrackCursor>& cursors) {
  const auto spooled = spool_.tracks(meeting_);
  if (!spooled) {
    adopting_ = cursors;
    return false;
  }
  adopting_.reset();
  for (const SpooledTrack& s : *spooled) {
    if (find(s.participant) != nullptr) continue;
    MediaTime cursor{0};
    for (const auto& c : cursors) {
      if (c.participant == s.participant) cursor = c.covered_until;
    }
    Track& t = ensure(s.participant, std::max(cursor, s.start));
    // What that run knew of the time before its first audio, and had not said, went with it.
    lost(t, cursor, s.start, "daemon");
    t.captured = std::max(s.end, t.fed);
    t.spooled = t.adopted = s.end;
    t.present = true;  // as far as anybody knows; the ledger counts presence only
    t.end_wanted = t.fed < t.captured;
    t.resumes = true;
  }
  return true;
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
    post_unkept(t);
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
  if (adopting_ && !adopt(std::vector(*adopting_))) return;
  Track& t = ensure(participant, at);
  // Who comes back was not there in between: that time is nobody's loss.
  if (!t.present && at > t.captured && t.fed == t.captured && !t.speech) t.captured = t.fed = t.heard = at;
  t.present = true;
}

void Recording::participant_left(const std::string& participant, MediaTime at) {
  Track* t = find(participant);
  if (t == nullptr || !t->present) return;
  t->present = false;
  post_unkept(*t);
  lost(*t, t->captured, at, idle_reason_.empty() ? hole_reason(*t, "leaving") : idle_reason_);
  t->end_wanted = true;
  close_when_fed(*t);
}

/// Why nothing was captured of a track up to now: what interrupted the capture, until its first audio after that.
std::string Recording::hole_reason(const Track& track, const char* otherwise) const {
  return track.resumes && !gap_reason_.empty() ? gap_reason_ : otherwise;
}

void Recording::lost(Track& track, MediaTime start, MediaTime end, const std::string& reason) {
  if (end <= start) return;
  const bool withheld = reason == "paused";
  post_(flow::GapDetected{
      {track.participant, start, end, withheld ? Coverage::kWithheld : Coverage::kLost, withheld ? "" : reason}});
}

void Recording::audio(const std::string& participant, MediaTime start, std::span<const std::int16_t> samples) {
  // Without knowing what is there nothing can be put behind it.
  if (adopting_ && !adopt(std::vector(*adopting_))) {
    return post_(flow::GapDetected{{participant, start, start + length_of(samples), Coverage::kLost, "spool"}});
  }
  Track& t = ensure(participant, start);
  if (start < t.captured) {
    // An overlap would be said twice: keep what is new.
    const std::int64_t known = (t.captured - start).ms * 16;
    if (known >= static_cast<std::int64_t>(samples.size())) return;
    samples = samples.subspan(static_cast<std::size_t>(known));
    start = t.captured;
  }
  lost(t, t.captured, start, hole_reason(t, "connecting"));
  t.resumes = false;
  const auto appended = spool_.append(meeting_, participant, start, samples);
  written(appended.has_value(), appended ? ErrorClass::kInternal : appended.error().code);
  const MediaTime end = start + length_of(samples);
  t.captured = end;
  t.end_wanted = false;
  if (end - t.heard >= kFarBehind) watch_distance();
  if (!appended) {
    // Without the spool there is no second chance: what cannot be recognized now is lost, and said so.
    if (t.flushing || t.fed < start || !feed(t, start, samples)) {
      return unkept(t, start, end, appended.error().code == ErrorClass::kExhausted ? "disk_full" : "spool");
    }
    if (!t.unspooled.empty() && t.unspooled.back().second == start) {
      t.unspooled.back().second = end;
    } else {
      t.unspooled.emplace_back(start, end);
    }
    return;
  }
  post_unkept(t);
  t.spooled = end;
  if (!queue_ && !t.flushing && t.fed >= start) feed(t, start, samples);
}

void Recording::gap(const std::string& participant, MediaTime start, MediaTime end, bool is_lost, const std::string& reason) {
  Track& t = ensure(participant, start);
  if (is_lost) lost(t, start, end, reason);
  // A gap that stands where audio should have come moves the end of what was captured; one that explains filler does not.
  if (start > t.captured || end <= t.captured) return;
  const bool live = t.fed == t.captured && !t.flushing;
  t.captured = end;
  if (live) pass_over(t, t.captured);
}

/// Nothing was captured from here on: a loss is reported on its own, all else is silence. The cursor goes on.
void Recording::pass_over(Track& track, MediaTime to) {
  if (to <= track.fed) return;
  if (track.speech) {
    speech_.gap(*track.speech, track.fed, to);
  } else if (track.heard < to) {
    post_(flow::SpanHeard{track.participant, track.heard, to, Coverage::kSilent, {}});
    track.heard = to;
  }
  track.fed = to;
}

/// Captured, but the disk does not give it back.
void Recording::skip(Track& track, MediaTime start, MediaTime end, const std::string& reason) {
  lost(track, std::max(start, track.fed), std::min(end, track.spooled), reason);
  pass_over(track, end);
}

void Recording::written(bool ok, ErrorClass error) {
  const Duration now = clock_.monotonic();
  if (!ok) {
    write_failed_at_ = now;
    if (std::exchange(unwritable_, true)) return;
    return notice(error == ErrorClass::kExhausted
                      ? "the disk is full: audio that cannot be recognized at once is lost until there is room"
                      : "audio cannot be written to the disk: what cannot be recognized at once is lost");
  }
  if (!unwritable_ || now - write_failed_at_ < kWritableFor) return;
  unwritable_ = false;
  notice("audio is written to the disk again");
}

/// Audio comes in pieces of some milliseconds; a disk may be full for hours, and the store with it.
void Recording::unkept(Track& track, MediaTime start, MediaTime end, const std::string& reason) {
  if (track.unkept && (track.unkept->end != start || track.unkept->reason != reason)) post_unkept(track);
  if (!track.unkept) track.unkept = CoverageInterval{track.participant, start, end, Coverage::kLost, reason};
  track.unkept->end = end;
  if (track.unkept->end - track.unkept->start >= kUnkeptPiece) post_unkept(track);
}

void Recording::post_unkept(Track& track) {
  if (!track.unkept) return;
  post_(flow::GapDetected{*track.unkept});
  track.unkept.reset();
}

void Recording::notice(std::string note) { post_(flow::HostNotice{std::move(note)}); }

bool Recording::feed(Track& track, MediaTime start, std::span<const std::int16_t> samples) {
  if (held_ || !speech_.ready()) return false;
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
  if (track.unreadable_since && clock_.monotonic() < track.read_again) return;
  bool blocked = false;
  const MediaTime stop_at = track.fed + kCatchUpChunk;
  const MediaTime before = track.fed;
  const auto read = spool_.read(meeting_, track.participant, track.fed, [&](const SpooledPiece& piece) {
    if (piece.samples.empty()) {
      skip(track, piece.start, piece.end, "damaged");
    } else {
      const MediaTime from = track.fed;
      blocked = !feed(track, piece.start, piece.samples);
      // A run that dies may have spooled what came behind a hole, and not have committed why there is one.
      if (from < piece.start && track.fed >= piece.start && piece.start <= track.adopted)
        lost(track, from, piece.start, "daemon");
    }
    return !blocked && track.fed < stop_at;
  });
  if (track.fed > before || read) {
    if (track.unreadable_since && track.read_delay >= kTellUnreadable) notice("the captured audio can be read again");
    track.unreadable_since.reset();
  }
  if (blocked) {
    blocked_ = true;
    return;
  }
  if (!read) return read_failed(track);
  // Nothing more is there: what was written is gone from the disk; what was not has been accounted for.
  if (track.fed == before) skip(track, track.fed, track.captured, "spool");
}

/// Most of what a disk does not give it gives later. What it never gives must not hold up all that stands behind it.
void Recording::read_failed(Track& track) {
  const Duration now = clock_.monotonic();
  if (!track.unreadable_since) {
    track.unreadable_since = now;
    track.read_delay = {};
  }
  if (now - *track.unreadable_since >= kUnreadableFor) {
    skip(track, track.fed, std::min(track.fed + kUnreadablePiece, track.captured), "unreadable");
    track.read_again = now + kFirstReadRetry;
    return;
  }
  const Duration last = track.read_delay;
  track.read_delay = std::clamp(last + last, kFirstReadRetry, kLastReadRetry);
  track.read_again = now + track.read_delay;
  if (last < kTellUnreadable && track.read_delay >= kTellUnreadable)
    notice("the disk does not give back captured audio: it is tried again, nothing is given up yet");
}

void Recording::close_when_fed(Track& track) {
  if (!track.end_wanted || track.flushing || track.fed < track.captured) return;
  track.end_wanted = false;
  if (!track.speech) return;
  track.flushing = true;
  speech_.flush(*track.speech);
}

Duration Recording::behind() const {
  Duration out;
  for (const auto& [id, t] : tracks_) out = std::max(out, t.captured - t.heard);
  return out;
}

void Recording::watch_distance() {
  if (draining_ || !speech_.ready()) return;
  const Duration distance = behind();
  const bool far = distance >= (far_behind_ ? kCaughtUp : kFarBehind);
  if (std::exchange(far_behind_, far) == far) return;
  notice(far_behind_ ? "the recognizer is behind by " + std::to_string(distance.ms / 1000) +
                           " s: no partial results until it has caught up; nothing is lost"
                     : "the recognizer has caught up");
}

void Recording::poll() {
  if (adopting_) adopt(std::vector(*adopting_));
  watch_distance();
  blocked_ = false;
  // Who is furthest behind comes first: a recognizer with less time than it needs would else never come to the last.
  std::vector<Track*> waiting;
  for (auto& [id, t] : tracks_) {
    if (t.fed < t.captured && !t.flushing) waiting.push_back(&t);
  }
  std::ranges::stable_sort(waiting, std::ranges::greater{}, [](const Track* t) { return t->captured - t->fed; });
  for (Track* t : waiting) {
    if (!held_ && speech_.ready()) catch_up(*t);
  }
  for (auto& [id, t] : tracks_) close_when_fed(t);
  check_drained();
}

bool Recording::has_backlog() const {
  if (adopting_ || far_behind_) return true;
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
    const bool was_ending = std::exchange(t.flushing, false);
    t.end_wanted = t.end_wanted || was_ending || !t.present;
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
  if (!draining_ || adopting_) return;
  for (const auto& [id, t] : tracks_) {
    if (t.speech || t.fed < t.captured) return;
  }
  draining_ = false;
  post_(flow::SpeechDrained{true});
}

}  // namespace hansard::host
