#include "adapters/speech/track.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "adapters/speech/transcript_guard.h"
#include "core/base/check.h"
#include "core/base/text.h"

namespace hansard::speech {
namespace {

constexpr auto kWindow = static_cast<std::int64_t>(kWindowSamples);
// Far beyond any meeting; keeps arithmetic on hostile times from overflowing.
constexpr std::int64_t kLastMs = 1'000'000'000'000;
constexpr std::int64_t kReportEvery = 10 * kSamplesPerSecond;
// The detector says speech for a while after it: measured on clean synthetic speech, 70 to 120 ms. The recognizer gets
// this audio, the times do not count it.
constexpr std::int64_t kTailExcess = kWindow;
// Below this peak (-66 dBFS) nothing can be made out; muted and filled-in audio need no detector.
constexpr int kInaudiblePeak = 16;

}  // namespace

Track::Track(const ipc::OpenTrack& opened, std::unique_ptr<VoiceDetector> detector, const SegmentSettings& settings,
             const Emit& emit, std::uint64_t& order)
    : opened_(opened), detector_(std::move(detector)), settings_(settings), emit_(emit), order_(order), segmenter_(settings) {
  CHECK(detector_ != nullptr);
  opened_.start.ms = std::clamp<std::int64_t>(opened_.start.ms, 0, kLastMs);
}

std::int64_t Track::to_sample(MediaTime t) const {
  return (std::clamp<std::int64_t>(t.ms, opened_.start.ms, kLastMs) - opened_.start.ms) * kSamplesPerMs;
}

MediaTime Track::to_time(std::int64_t sample) const { return {opened_.start.ms + sample / kSamplesPerMs}; }

bool Track::add(ipc::AudioFrame& frame) {
  if (ending_) return false;
  const std::int64_t start = to_sample(frame.start);
  // Frames follow each other; a hole that nobody announced is treated as a gap, so that times stay right.
  if (start > planned_) input_.push_back(Gap{start});
  planned_ = std::max(planned_, start + static_cast<std::int64_t>(frame.samples.size()));
  waiting_bytes_ += ipc::encoded_size(frame);
  input_.push_back(std::move(frame));
  return true;
}

void Track::add(const ipc::TrackGap& gap) {
  const std::int64_t end = to_sample(gap.end);
  if (ending_ || end <= planned_) return;  // it speaks of audio that was already here as filler
  planned_ = end;
  input_.push_back(Gap{end});
}

std::size_t Track::consume() {
  const std::int64_t until = heard_ + kSamplesPerSecond;
  std::size_t bytes = 0;
  while (!input_.empty() && heard_ < until) {
    if (const auto* gap = std::get_if<Gap>(&input_.front())) {
      take_gap(gap->end);
    } else {
      bytes += take(std::get<ipc::AudioFrame>(input_.front()));
    }
    input_.pop_front();
  }
  if (input_.empty() && ending_ && !ended_) close_input();
  report_silence(segmenter_.settled());
  trim();
  return bytes;
}

std::size_t Track::take(const ipc::AudioFrame& frame) {
  const std::size_t bytes = ipc::encoded_size(frame);
  waiting_bytes_ -= bytes;
  const std::int64_t overlap = heard_ - to_sample(frame.start);
  const auto skip =
      static_cast<std::size_t>(std::clamp<std::int64_t>(overlap, 0, static_cast<std::int64_t>(frame.samples.size())));
  audio_.insert(audio_.end(), frame.samples.begin() + static_cast<std::ptrdiff_t>(skip), frame.samples.end());
  heard_ += static_cast<std::int64_t>(frame.samples.size() - skip);
  run_windows();
  return bytes;
}

void Track::append_silence(std::int64_t samples) {
  audio_.resize(audio_.size() + static_cast<std::size_t>(samples), 0);
  heard_ += samples;
  run_windows();
}

void Track::take_gap(std::int64_t end) {
  if (end <= heard_) return;
  if (end - heard_ < settings_.end_silence) return append_silence(end - heard_);
  // Longer than any pause: the utterance ends here and the detector starts afresh behind the gap.
  append_silence((kWindow - (heard_ - segmenter_.position())) % kWindow);
  queue_final(segmenter_.flush());
  detector_->reset();
  audio_.clear();
  base_ = heard_ = end;
  segmenter_.jump(end);
}

void Track::run_windows() {
  std::array<float, kWindowSamples> window;
  while (heard_ - segmenter_.position() >= kWindow) {
    const auto* from = audio_.data() + (segmenter_.position() - base_);
    int peak = 0;
    float power = 0;
    for (std::size_t i = 0; i < kWindowSamples; ++i) {
      window[i] = static_cast<float>(from[i]) / 32768.0F;
      power += window[i] * window[i];
      peak = std::max(peak, std::abs(static_cast<int>(from[i])));
    }
    const bool speech = peak >= kInaudiblePeak && detector_->speech(window);
    queue_final(segmenter_.push(speech, power / static_cast<float>(kWindow)));
  }
}

void Track::queue_final(const std::optional<Span>& span) {
  if (!span) return;
  Final final{*span, audio(*span), ++order_, 0};
  const std::int64_t pad = span->joined_before ? 0 : settings_.padding_before;
  final.audio_start_s = static_cast<double>(std::max(span->start - pad, base_)) / static_cast<double>(kSamplesPerSecond);
  finals_.push_back(std::move(final));
  backlog_ += span->end - span->start;
}

std::vector<float> Track::audio(const Span& span) const {
  const std::int64_t start = std::max(span.start - (span.joined_before ? 0 : settings_.padding_before), base_);
  const std::int64_t end = std::min(span.end + (span.joined_after ? 0 : settings_.padding_after), heard_);
  std::vector<float> out;
  out.reserve(static_cast<std::size_t>(std::max<std::int64_t>(end - start, 0)));
  for (std::int64_t i = start; i < end; ++i)
    out.push_back(static_cast<float>(audio_[static_cast<std::size_t>(i - base_)]) / 32768.0F);
  return out;
}

void Track::trim() {
  const std::int64_t keep = std::min(segmenter_.settled(), segmenter_.position()) - settings_.padding_before;
  // In larger steps: erasing at the front moves all that stays.
  if (keep - base_ < kSamplesPerSecond) return;
  audio_.erase(audio_.begin(), audio_.begin() + (keep - base_));
  base_ = keep;
}

void Track::close_input() {
  const std::int64_t end = heard_;
  append_silence((kWindow - (heard_ - segmenter_.position())) % kWindow);
  queue_final(segmenter_.flush());
  heard_ = end;
  if (!finals_.empty()) finals_.back().span.end = std::min(finals_.back().span.end, end);
  ended_ = true;
  if (finals_.empty()) report(end, Coverage::kSilent, {});
}

void Track::finish(const std::optional<Recognition>& recognition, const std::string& reason) {
  CHECK(!finals_.empty());
  const Final final = std::move(finals_.front());
  finals_.pop_front();
  backlog_ -= final.span.end - final.span.start;
  report(final.span.start, Coverage::kSilent, {});
  const std::int64_t end =
      final.span.joined_after ? final.span.end : std::max(final.span.end - kTailExcess, final.span.start + kWindow);
  std::string text = recognition ? clean_text(recognition->text) : std::string();
  if (text.empty()) {
    report(end, Coverage::kUnrecognized, recognition ? "unclear" : reason);
  } else {
    ipc::FinalText message{id(), to_time(final.span.start), to_time(end), std::move(text), {}};
    for (const TimedWord& word : recognition->words) {
      const auto at = [&](double s) {
        const double sample = (final.audio_start_s + s) * static_cast<double>(kSamplesPerSecond);
        return std::clamp(to_time(static_cast<std::int64_t>(std::max(sample, 0.0))), message.start, message.end);
      };
      message.words.push_back({sanitize_utf8(word.text), at(word.start_s), at(word.end_s), word.confidence});
    }
    emit_(std::move(message));
    report(end, Coverage::kTranscribed, {});
  }
  if (ended_ && finals_.empty()) report(heard_, Coverage::kSilent, {});
}

void Track::send_partial(std::int64_t start, std::int64_t end, const std::string& text) const {
  emit_(ipc::PartialText{id(), to_time(start), to_time(end), text});
}

void Track::report_silence(std::int64_t until) {
  // Utterances that wait are reported first, when they are done.
  if (finals_.empty() && !ended_ && until - reported_ >= kReportEvery) report(until, Coverage::kSilent, {});
}

void Track::report(std::int64_t until, Coverage state, std::string reason) {
  // Reports count whole milliseconds; a stretch within one has no length of its own.
  const MediaTime start = to_time(reported_);
  const MediaTime end = to_time(until);
  if (end <= start) return;
  reported_ = until;
  emit_(ipc::HeardReport{id(), start, end, state, std::move(reason)});
}

}  // namespace hansard::speech
