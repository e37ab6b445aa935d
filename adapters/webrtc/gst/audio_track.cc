#include "adapters/webrtc/gst/audio_track.h"

#include <algorithm>
#include <utility>

#include "adapters/webrtc/rtp.h"

namespace hansard::webrtc {
namespace {

constexpr std::int64_t kNotedAfter = 100 * kSamplesPerMs;

/// Time without audio is filled when the jitter buffer has given up what might have come, and a little later.
TrackTimeline::Options timeline_options(unsigned jitter_ms) {
  TrackTimeline::Options out;
  out.filler_after = (std::int64_t{jitter_ms} + 100) * kSamplesPerMs;
  return out;
}

MediaTime media_time(std::int64_t position) {
  const std::int64_t floor = position >= 0 ? position / kSamplesPerMs : -((-position + kSamplesPerMs - 1) / kSamplesPerMs);
  return {floor};
}

}  // namespace

std::vector<std::int16_t> stretch(const std::vector<std::int16_t>& samples, std::int64_t longer) {
  const auto n = static_cast<std::int64_t>(samples.size());
  const std::int64_t m = n + longer;
  if (longer == 0 || n < 2 || m < 2) return samples;
  std::vector<std::int16_t> out(static_cast<std::size_t>(m));
  for (std::int64_t i = 0; i < m; ++i) {
    const std::int64_t scaled = i * (n - 1);
    const auto at = static_cast<std::size_t>(scaled / (m - 1));
    const std::int64_t rest = scaled % (m - 1);
    const std::int64_t a = samples[at];
    const std::int64_t b = samples[std::min(at + 1, samples.size() - 1)];
    out[static_cast<std::size_t>(i)] = static_cast<std::int16_t>(a + (b - a) * rest / (m - 1));
  }
  return out;
}

AudioTrack::AudioTrack(std::uint32_t number, std::string participant, std::int64_t expected_from, Outbox& outbox,
                       unsigned jitter_ms)
    : number_(number),
      participant_(std::move(participant)),
      expected_from_(expected_from),
      outbox_(outbox),
      timeline_(expected_from, timeline_options(jitter_ms)) {}

void AudioTrack::packet(std::span<const std::uint8_t> rtp, std::int64_t arrival) {
  const auto header = parse_rtp(rtp);
  if (!header || header->payload_size == 0) return;
  const auto payload = rtp.subspan(header->payload_offset, header->payload_size);
  const int duration = opus_duration(payload);
  if (duration == 0) return;
  TimelinePacket p{next_id_++, header->ssrc, header->sequence, header->timestamp, duration / 3, opus_has_fec(payload), arrival};
  packets_[p.id] = {{payload.begin(), payload.end()}, p.duration};
  std::vector<TimelineStep> steps;
  timeline_.packet(p, steps);
  run(std::move(steps));
}

void AudioTrack::tick(std::int64_t now) {
  std::vector<TimelineStep> steps;
  timeline_.tick(now, steps);
  run(std::move(steps));
}

void AudioTrack::connected(std::int64_t at) { connected_at_ = at; }

void AudioTrack::interrupted(GapReason reason) {
  std::vector<TimelineStep> steps;
  timeline_.interrupted(reason, steps);
  run(std::move(steps));
}

void AudioTrack::close(GapReason reason) {
  std::vector<TimelineStep> steps;
  timeline_.finish(reason, steps);
  run(std::move(steps));
  if (!cutter_) return;
  flush();
  outbox_.add(number_, ipc::TrackClosed{number_, media_time(timeline_.cursor())});
}

void AudioTrack::run(std::vector<TimelineStep> steps) {
  if (!cutter_ && timeline_.started()) open();
  for (const auto& s : steps) {
    std::visit([this](const auto& one) { step(one); }, s);
  }
}

void AudioTrack::open() {
  const std::int64_t start = timeline_.start();
  cutter_.emplace(number_, start);
  outbox_.add(number_, ipc::TrackOpened{number_, participant_});
  const bool flowed = start - connected_at_ < kNotedAfter;
  if (start - expected_from_ > kNotedAfter && flowed) {
    outbox_.add(number_, ipc::TrackGap{number_, media_time(expected_from_), media_time(start), true, "connecting"});
  }
}

void AudioTrack::deliver(std::span<const std::int16_t> samples, bool concealed) {
  if (!cutter_) return;
  cutter_->add(samples, concealed, frames_);
  for (auto& frame : frames_) outbox_.add(std::move(frame));
  frames_.clear();
}

void AudioTrack::flush() {
  cutter_->flush(frames_);
  for (auto& frame : frames_) outbox_.add(std::move(frame));
  frames_.clear();
}

void AudioTrack::step(const PlayPacket& s) {
  const auto it = packets_.find(s.id);
  if (it == packets_.end()) return;
  std::vector<std::int16_t> samples = decoder_.decode(it->second.payload);
  samples.resize(static_cast<std::size_t>(it->second.duration));
  packets_.erase(it);
  samples.erase(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(s.skip));
  deliver(stretch(samples, s.stretch), false);
}

void AudioTrack::step(const PlayFec& s) {
  const auto it = packets_.find(s.id);
  if (it != packets_.end()) deliver(decoder_.decode_fec(it->second.payload, static_cast<int>(s.length)), false);
}

void AudioTrack::step(const PlayConcealment& s) { deliver(decoder_.conceal(static_cast<int>(s.length)), true); }
void AudioTrack::step(const PlaySilence& s) { deliver(std::vector<std::int16_t>(static_cast<std::size_t>(s.length)), true); }
void AudioTrack::step(const DropPacket& s) { packets_.erase(s.id); }
void AudioTrack::step(const ResetDecoder&) { decoder_.reset(); }

void AudioTrack::step(const ReportGap& s) {
  if (!cutter_) return;
  flush();
  outbox_.add(number_, ipc::TrackGap{number_, media_time(s.start), media_time(s.end), s.lost(), std::string(name(s.reason))});
}

}  // namespace hansard::webrtc
