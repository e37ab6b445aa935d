#include "adapters/speech/segmenter.h"

#include <algorithm>
#include <cmath>

#include "adapters/speech/recognizer.h"
#include "core/base/check.h"

namespace hansard::speech {
namespace {

constexpr auto kWindow = static_cast<std::int64_t>(kWindowSamples);
// The detector needs two windows above its threshold before it says speech, and soft onsets lie before them.
constexpr std::int64_t kOnsetLead = 2 * kWindow;

constexpr std::int64_t samples(double seconds) { return static_cast<std::int64_t>(seconds * kSamplesPerSecond); }

}  // namespace

// A run of 0.32 s, counted with the detector's hysteresis, lets through no word in noise, music and clicks; 0.28 s lets
// some through. Cut at 15 s the recognizer makes 5 % more errors than at 20 s, beyond which it costs more and gets no better.
// Longer silences inside an utterance, or less padding, lose words.
SegmentSettings live_settings() { return {0.3F, samples(0.6), samples(0.32), samples(15), samples(0.15), samples(0.15)}; }
SegmentSettings file_settings() { return {0.3F, samples(0.6), samples(0.32), samples(20), samples(0.15), samples(0.15)}; }

std::optional<Span> Segmenter::push(bool speech, float power) {
  const std::int64_t window_start = position_;
  position_ += kWindow;
  if (!open_) {
    if (!speech) {
      run_start_ = -1;
      history_.clear();
      return std::nullopt;
    }
    if (run_start_ < 0) run_start_ = window_start;
    history_.push_back({true, power});
    last_speech_ = position_;
    if (position_ - run_start_ < settings_.least_speech) return std::nullopt;
    open_ = true;
    joined_ = false;
    start_ = std::max(run_start_ - kOnsetLead, least_start_);
    return std::nullopt;
  }
  history_.push_back({speech, power});
  if (speech) last_speech_ = position_;
  if (position_ - last_speech_ >= settings_.end_silence) return flush();
  if (position_ - start_ < settings_.longest) return std::nullopt;
  // Look for the cut in the later half, but not so near the end that a word still being spoken is cut.
  const std::int64_t cut = quietest(start_ + settings_.longest / 2, position_ - settings_.longest / 15);
  const Span span{start_, cut, joined_, true};
  while (static_cast<std::int64_t>(history_.size()) * kWindow > position_ - cut) history_.pop_front();
  start_ = cut;
  joined_ = true;
  return span;
}

std::optional<Span> Segmenter::flush() {
  const bool was_open = open_;
  open_ = false;
  run_start_ = -1;
  history_.clear();
  if (!was_open || last_speech_ <= start_) return std::nullopt;
  least_start_ = last_speech_;
  return Span{start_, last_speech_, joined_, false};
}

void Segmenter::jump(std::int64_t position) {
  CHECK(!open_ && position >= position_);
  run_start_ = -1;
  history_.clear();
  position_ = least_start_ = position;
}

std::int64_t Segmenter::settled() const {
  if (open_) return start_;
  // A window of speech may come next, and an utterance would reach back from there.
  const std::int64_t first = run_start_ >= 0 ? run_start_ : position_;
  return std::max(first - kOnsetLead, least_start_);
}

std::int64_t Segmenter::quietest(std::int64_t from, std::int64_t to) const {
  const std::int64_t first = position_ - static_cast<std::int64_t>(history_.size()) * kWindow;
  const auto index = [&](std::int64_t p) {
    return std::clamp<std::int64_t>((p - first) / kWindow, 0, static_cast<std::int64_t>(history_.size()));
  };
  const std::int64_t begin = index(from);
  const std::int64_t end = std::max(index(to), begin);
  std::int64_t middle = -1;  // in half windows
  std::int64_t longest = 0;
  for (std::int64_t i = begin, length = 0; i < end; ++i) {
    length = history_[static_cast<std::size_t>(i)].speech ? 0 : length + 1;
    if (length == 0 || length < longest) continue;
    longest = length;
    middle = 2 * (i + 1) - length;
  }
  if (middle >= 0) return first + middle * kWindow / 2;
  std::int64_t best = end;
  float least = INFINITY;
  for (std::int64_t i = begin; i < end; ++i) {
    // A spot is as quiet as it and its neighbours are: one quiet window inside a plosive is no pause.
    float power = 0;
    for (std::int64_t k = std::max<std::int64_t>(i - 1, 0); k <= std::min<std::int64_t>(i + 1, end - 1); ++k) {
      power += history_[static_cast<std::size_t>(k)].power;
    }
    if (power <= least) {
      least = power;
      best = i;
    }
  }
  return std::min(first + best * kWindow + kWindow / 2, position_);
}

}  // namespace hansard::speech
