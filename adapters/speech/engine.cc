#include "adapters/speech/engine.h"

#include <algorithm>

#include "adapters/speech/transcript_guard.h"

namespace hansard::speech {
namespace {

constexpr std::int64_t samples(double seconds) { return static_cast<std::int64_t>(seconds * kSamplesPerSecond); }

// Partials may use this share of the time that passes; the rest is for finals and for the machine's other work.
constexpr double kPartialShare = 0.5;
constexpr std::int64_t kPartialEvery = samples(0.5);
constexpr std::int64_t kPartialTail = samples(6);
// The part that becomes stable: at least this long, and this far from the words still being spoken.
constexpr std::int64_t kStableLeast = samples(2.5);
constexpr std::int64_t kStableMargin = samples(1);
// After this much silence the utterance has probably ended: recognize it whole, so that the final is ready when it has.
constexpr std::int64_t kProbablyEnded = samples(0.25);
// Live audio waits at the sender while this much speech waits for recognition.
constexpr std::int64_t kBacklogLimit = samples(60);
constexpr std::size_t kCreditStep = 32 << 10;

}  // namespace

Engine::Engine(Recognizer& recognizer, VoiceDetectorFactory detectors, Emit emit, std::function<double()> now_s)
    : recognizer_(recognizer), detectors_(std::move(detectors)), emit_(std::move(emit)), now_s_(std::move(now_s)) {}

void Engine::handle(const ipc::ToSpeech& message) {
  if (const auto* opened = std::get_if<ipc::OpenTrack>(&message)) {
    const SegmentSettings settings = opened->profile == ipc::Profile::kLive ? live_settings() : file_settings();
    if (tracks_.contains(opened->track)) handle(ipc::DropTrack{opened->track});
    tracks_[opened->track].track = std::make_unique<Track>(*opened, detectors_(settings.threshold), settings, emit_, order_);
  } else if (const auto* gap = std::get_if<ipc::TrackGap>(&message)) {
    if (const auto it = tracks_.find(gap->track); it != tracks_.end()) it->second.track->add(*gap);
  } else if (const auto* flush = std::get_if<ipc::FlushTrack>(&message)) {
    if (const auto it = tracks_.find(flush->track); it != tracks_.end()) it->second.track->end();
  } else if (const auto* drop = std::get_if<ipc::DropTrack>(&message)) {
    if (const auto it = tracks_.find(drop->track); it != tracks_.end()) {
      owe(it->second.track->waiting_bytes());
      tracks_.erase(it);
    }
  }
}

void Engine::handle(ipc::AudioFrame frame) {
  const auto it = tracks_.find(frame.track);
  if (it == tracks_.end() || !it->second.track->add(frame)) owe(ipc::encoded_size(frame));
}

void Engine::owe(std::size_t bytes) {
  owed_ += bytes;
  if (owed_ < kCreditStep) return;
  emit_(ipc::Credit{static_cast<std::uint32_t>(owed_)});
  owed_ = 0;
}

bool Engine::run_one() {
  // A file's utterances come before its audio, so that it holds little of it.
  const bool worked = consume(true) || finish_one(true) || partial() || finish_one(false) || consume(false);
  if (worked) close_done();
  return worked;
}

template <class Work>
bool Engine::in_turn(std::uint32_t& last, const Work& work) {
  auto it = tracks_.upper_bound(last);
  for (std::size_t i = 0; i < tracks_.size(); ++i, ++it) {
    if (it == tracks_.end()) it = tracks_.begin();
    if (!work(it->second)) continue;
    last = it->first;
    return true;
  }
  return false;
}

bool Engine::consume(bool live) {
  std::int64_t backlog = 0;
  for (const auto& [id, entry] : tracks_) backlog += entry.track->backlog();
  if (live && backlog > kBacklogLimit) return false;
  return in_turn(last_taken_, [&](Entry& entry) {
    Track& track = *entry.track;
    if (track.live() != live || !track.has_input()) return false;
    owe(track.consume());
    return true;
  });
}

bool Engine::finish_one(bool live) {
  Entry* next = nullptr;
  for (auto& [id, entry] : tracks_) {
    if (entry.track->live() != live || !entry.track->has_final()) continue;
    if (next == nullptr || entry.track->next_final().order < next->track->next_final().order) next = &entry;
  }
  if (next == nullptr) return false;
  Track& track = *next->track;
  const Track::Final& final = track.next_final();
  if (!recognizer_.knows(track.language())) {
    track.finish(std::nullopt, "language");
  } else if (next->open.whole && next->open.whole->first == final.span) {
    track.finish(next->open.whole->second, {});
  } else {
    track.finish(recognizer_.recognize(final.audio, track.language()), {});
  }
  return true;
}

bool Engine::partial() {
  const double now = now_s_();
  if (now < partials_from_s_) return false;
  const bool worked = in_turn(last_partial_, [&](Entry& entry) {
    return entry.track->live() && recognizer_.knows(entry.track->language()) && partial_of(entry);
  });
  if (!worked) return false;
  const double after = now_s_();
  partials_from_s_ = after + (after - now) * (1 / kPartialShare - 1);
  return true;
}

bool Engine::partial_of(Entry& entry) {
  const Track& track = *entry.track;
  const Segmenter& segmenter = track.segmenter();
  if (!segmenter.open()) return false;
  const Span span = segmenter.current();
  Open& open = entry.open;
  if (open.start != span.start) open = {span.start, span.start, {}, 0, std::nullopt};
  if (span.end <= span.start) return false;

  if (segmenter.silence() >= kProbablyEnded) {
    if (open.whole && open.whole->first == span) return false;
    open.whole = {span, recognizer_.recognize(track.audio(span), track.language())};
    const std::string text = clean_text(open.whole->second.text);
    if (!text.empty()) track.send_partial(span.start, span.end, text);
    open.seen = segmenter.position();
    return true;
  }
  if (segmenter.position() - std::max(open.seen, span.start) < kPartialEvery) return false;
  if (segmenter.position() - open.tail > kPartialTail) {
    const std::int64_t cut = segmenter.quietest(open.tail + kStableLeast, segmenter.position() - kStableMargin);
    const Span part{open.tail, cut, open.tail != span.start || span.joined_before, true};
    const std::string text = clean_text(recognizer_.recognize(track.audio(part), track.language()).text);
    if (!text.empty()) open.stable += (open.stable.empty() ? "" : " ") + text;
    open.tail = cut;
    return true;
  }
  const Span tail{open.tail, segmenter.position(), open.tail != span.start || span.joined_before, true};
  std::string text = clean_text(recognizer_.recognize(track.audio(tail), track.language()).text);
  if (!open.stable.empty()) text = text.empty() ? open.stable : open.stable + " " + text;
  if (!text.empty()) track.send_partial(span.start, segmenter.position(), text);
  open.seen = segmenter.position();
  return true;
}

void Engine::close_done() {
  for (auto it = tracks_.begin(); it != tracks_.end();) {
    if (!it->second.track->done()) {
      ++it;
      continue;
    }
    emit_(ipc::TrackFlushed{it->first});
    it = tracks_.erase(it);
  }
}

}  // namespace hansard::speech
