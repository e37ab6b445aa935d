#include "adapters/webrtc/timeline.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace hansard::webrtc {
namespace {

constexpr std::int64_t kOneSecond = 1000 * kSamplesPerMs;
constexpr std::int64_t kStretch = kSamplesPerMs;
/// Concealment beyond this sounds like nothing; silence is honest.
constexpr std::int64_t kMaxConcealment = 60 * kSamplesPerMs;
/// A new offset this close to the old one means that packets were only delayed.
constexpr std::int64_t kSameClock = 100 * kSamplesPerMs;
/// A packet cannot come from further in the future than this.
constexpr std::int64_t kMaxEarly = 200 * kSamplesPerMs;
/// Unsent time shorter than this is not worth a report.
constexpr std::int64_t kMinUnsent = 20 * kSamplesPerMs;
/// Sequence numbers further back than this are a new start, not a late packet; further on than this, too.
constexpr int kMaxLatePackets = 200;
constexpr int kMaxMissingPackets = 6000;

std::int64_t whole_ms(std::int64_t position) { return position - (position % kSamplesPerMs + kSamplesPerMs) % kSamplesPerMs; }

int sequence_step(std::uint16_t from, std::uint16_t to) {
  return static_cast<std::int16_t>(static_cast<std::uint16_t>(to - from));
}

}  // namespace

std::int64_t TrackTimeline::rtp_time(std::uint32_t timestamp) const {
  return last_rtp_ + static_cast<std::int32_t>(timestamp - last_timestamp_);
}

bool TrackTimeline::continues(const TimelinePacket& p) const {
  if (!anchored_ || p.ssrc != ssrc_ || interruption_) return false;
  const int step = sequence_step(last_sequence_, p.sequence);
  if (step < -kMaxLatePackets || step > kMaxMissingPackets) return false;
  if (step <= 0) return true;  // late or double: the caller drops it
  const auto advance = static_cast<std::int32_t>(p.timestamp - last_timestamp_);
  return advance > 0 && position(p.timestamp) + p.duration <= p.arrival + kMaxEarly;
}

void TrackTimeline::packet(const TimelinePacket& p, std::vector<TimelineStep>& out) {
  ++counters_.packets;
  if (!held_.empty()) {
    if (p.arrival - held_.front().arrival >= options_.settle) {
      settle(out);
    } else {
      held_.push_back(p);
      return;
    }
  }
  if (!continues(p)) {
    restarted_ = true;
    held_.push_back(p);
    return;
  }
  if (sequence_step(last_sequence_, p.sequence) <= 0) {
    ++counters_.late;
    out.push_back(DropPacket{p.id});
    return;
  }
  if (filler_start_ && position(p.timestamp) < cursor_) {
    // Its time has been filled: either the network stalled, or the sender paused its clock. What follows tells.
    held_.push_back(p);
    return;
  }
  observe(p);
  place(p, out);
}

// Fixes the time of the held packets by the fastest of them.
void TrackTimeline::settle(std::vector<TimelineStep>& out) {
  auto held = std::exchange(held_, {});
  const TimelinePacket& first = held.front();
  const bool restart = std::exchange(restarted_, false);
  const bool same_source = anchored_ && first.ssrc == ssrc_;
  if (restart && !(same_source && std::abs(static_cast<std::int32_t>(first.timestamp - last_timestamp_)) < 60 * 48'000)) {
    last_timestamp_ = first.timestamp;
    last_rtp_ = 0;
  }
  std::int64_t smallest = ideal_offset(first);
  for (const auto& p : held) {
    if (p.ssrc == first.ssrc) smallest = std::min(smallest, ideal_offset(p));
  }
  if (restart || std::abs(smallest - offset_) > kSameClock) {
    const std::int64_t position = rtp_time(first.timestamp) / 3 + smallest;
    offset_ = smallest - (position - whole_ms(position));
    buckets_.fill({});
    correcting_ = false;
    watched_since_ = first.arrival;
  }
  const bool new_source = restart && !interruption_ && anchored_;
  if (restart) out.push_back(ResetDecoder{});
  if (new_source) interruption_ = GapReason::kSourceChanged;
  anchored_ = true;
  std::optional<std::size_t> other_source;
  for (std::size_t i = 0; i < held.size(); ++i) {
    const TimelinePacket& p = held[i];
    if (p.ssrc != first.ssrc) {
      if (!other_source) other_source = i;
      continue;
    }
    if (i > 0 && sequence_step(last_sequence_, p.sequence) <= 0) {
      ++counters_.late;
      out.push_back(DropPacket{p.id});
      continue;
    }
    observe(p);
    place(p, out);
  }
  if (!other_source) return;
  for (std::size_t i = *other_source; i < held.size(); ++i) {
    if (held[i].ssrc == first.ssrc) continue;
    --counters_.packets;
    packet(held[i], out);
  }
}

void TrackTimeline::place(const TimelinePacket& p, std::vector<TimelineStep>& out) {
  std::int64_t begin = position(p.timestamp);
  std::int64_t end = begin + p.duration;
  if (!started_ && end > floor_) {
    started_ = true;
    start_ = cursor_ = std::max(floor_, begin);
    interruption_.reset();
  } else if (started_ && (begin > cursor_ || filler_start_)) {
    bridge(p, begin, out);
  }
  ssrc_ = p.ssrc;
  last_sequence_ = p.sequence;
  last_rtp_ = rtp_time(p.timestamp);
  last_timestamp_ = p.timestamp;
  interruption_.reset();
  if (!started_ || end <= cursor_) {
    if (started_) ++counters_.late;
    out.push_back(DropPacket{p.id});
    return;
  }
  const std::int64_t skip = std::max<std::int64_t>(0, cursor_ - begin);
  const std::int64_t stretch = skip == 0 ? drift_step(p.arrival) : 0;
  offset_ += stretch;
  cursor_ = end + stretch;
  out.push_back(PlayPacket{p.id, skip, stretch});
}

// Explains the time before packet `p`, which begins at `begin`, and fills what is not filled yet.
void TrackTimeline::bridge(const TimelinePacket& p, std::int64_t begin, std::vector<TimelineStep>& out) {
  const std::int64_t from = filler_start_.value_or(cursor_);
  const bool was_filled = filler_start_.has_value();
  filler_start_.reset();
  const int step = sequence_step(last_sequence_, p.sequence);
  std::int64_t explained = std::max(begin, from);
  if (interruption_) {
    if (begin > cursor_) silence(begin - cursor_, out);
    report(from, explained, *interruption_, out);
  } else if (step > 1) {
    counters_.lost += static_cast<std::uint64_t>(step - 1);
    std::int64_t recovered = 0;
    if (begin > cursor_) recovered = conceal_loss(p, begin - cursor_, out);
    report(from, explained - recovered, GapReason::kNetwork, out);
  } else {
    if (begin > cursor_) silence(begin - cursor_, out);
    if (explained - from >= kMinUnsent || was_filled) report(from, explained, GapReason::kNotSent, out);
  }
  if (begin < cursor_) report(std::max(explained, from), cursor_, GapReason::kNetwork, out);
}

// Fills `gap` before `p` and returns how much of its end was restored from the copy in `p`.
std::int64_t TrackTimeline::conceal_loss(const TimelinePacket& p, std::int64_t gap, std::vector<TimelineStep>& out) {
  const std::int64_t recovered = p.has_fec && gap >= p.duration ? p.duration : 0;
  const std::int64_t hidden = std::min(gap - recovered, kMaxConcealment);
  if (hidden > 0) {
    out.push_back(PlayConcealment{hidden});
    cursor_ += hidden;
  }
  silence(gap - recovered - hidden, out);
  if (recovered > 0) {
    ++counters_.recovered;
    out.push_back(PlayFec{p.id, recovered});
    cursor_ += recovered;
  }
  return recovered;
}

void TrackTimeline::silence(std::int64_t length, std::vector<TimelineStep>& out) {
  if (length <= 0) return;
  out.push_back(PlaySilence{length});
  cursor_ += length;
}

void TrackTimeline::report(std::int64_t start, std::int64_t end, GapReason reason, std::vector<TimelineStep>& out) {
  if (start < end) out.push_back(ReportGap{start, end, reason});
}

void TrackTimeline::tick(std::int64_t now, std::vector<TimelineStep>& out) {
  if (!held_.empty()) {
    if (now - held_.front().arrival >= options_.settle) settle(out);
    return;
  }
  if (!started_) return;
  const std::int64_t target = whole_ms(now - options_.filler_after);
  if (target - cursor_ >= 20 * kSamplesPerMs) {
    if (!filler_start_) filler_start_ = cursor_;
    silence(target - cursor_, out);
  }
  if (interruption_ && filler_start_ && cursor_ - *filler_start_ >= kOneSecond) {
    report(*filler_start_, cursor_, *interruption_, out);
    filler_start_ = cursor_;
  }
}

void TrackTimeline::interrupted(GapReason reason, std::vector<TimelineStep>& out) {
  if (!held_.empty()) settle(out);
  if (!interruption_) interruption_ = reason;
}

void TrackTimeline::finish(GapReason reason, std::vector<TimelineStep>& out) {
  if (!held_.empty()) settle(out);
  if (!filler_start_) return;
  report(*filler_start_, cursor_, interruption_.value_or(reason), out);
  filler_start_.reset();
}

void TrackTimeline::observe(const TimelinePacket& p) {
  const std::int64_t second = p.arrival / kOneSecond;
  Bucket& bucket = buckets_[static_cast<std::size_t>(second) % buckets_.size()];
  const std::int64_t offset = ideal_offset(p);
  bucket.smallest = bucket.second == second ? std::min(bucket.smallest, offset) : offset;
  bucket.second = second;
}

// How many samples longer the next packet is played so that the track follows its sender's clock.
std::int64_t TrackTimeline::drift_step(std::int64_t arrival) {
  if (arrival - watched_since_ < 2 * kOneSecond) return 0;
  const std::int64_t second = arrival / kOneSecond;
  std::optional<std::int64_t> smallest;
  for (const Bucket& b : buckets_) {
    if (b.second < 0 || b.second <= second - static_cast<std::int64_t>(buckets_.size())) continue;
    smallest = smallest ? std::min(*smallest, b.smallest) : b.smallest;
  }
  if (!smallest) return 0;
  const std::int64_t error = *smallest - offset_;
  if (std::abs(error) > options_.drift_tolerance) correcting_ = true;
  if (std::abs(error) <= 2 * kSamplesPerMs) correcting_ = false;
  if (!correcting_) return 0;
  return error > 0 ? kStretch : -kStretch;
}

}  // namespace hansard::webrtc
