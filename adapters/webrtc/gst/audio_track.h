#pragma once
// One participant's received audio: packets go in, decoded and dated frames and gaps go to the outbox.
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adapters/webrtc/gst/opus.h"
#include "adapters/webrtc/outbox.h"
#include "adapters/webrtc/timeline.h"

namespace hansard::webrtc {

/// Media time on the monotonic clock, fixed once when the capture begins.
struct MediaClock {
  std::int64_t origin_us = 0;  ///< monotonic time of media time zero
  /// Media position in samples at 16 kHz.
  std::int64_t position(std::int64_t monotonic_us) const { return (monotonic_us - origin_us) * 2 / 125; }
};

class AudioTrack {
 public:
  /// `expected_from`: since when its audio has been expected; what is missing from there to its first sample is lost if
  /// it was being sent when the connection stood. `jitter_ms`: how long the jitter buffer waits for a missing packet.
  AudioTrack(std::uint32_t number, std::string participant, std::int64_t expected_from, Outbox& outbox, unsigned jitter_ms);

  void packet(std::span<const std::uint8_t> rtp, std::int64_t arrival);
  void tick(std::int64_t now);
  void connected(std::int64_t at);
  void interrupted(GapReason reason);
  /// What is open is explained by `reason`.
  void close(GapReason reason);

  const TrackTimeline::Counters& counters() const { return timeline_.counters(); }
  std::uint32_t number() const { return number_; }

 private:
  struct Stored {
    std::vector<std::uint8_t> payload;
    std::int64_t duration = 0;
  };
  void run(std::vector<TimelineStep> steps);
  void open();
  void deliver(std::span<const std::int16_t> samples, bool concealed);
  void flush();
  void step(const PlayPacket& s);
  void step(const PlayFec& s);
  void step(const PlayConcealment& s);
  void step(const PlaySilence& s);
  void step(const DropPacket& s);
  void step(const ResetDecoder& s);
  void step(const ReportGap& s);

  std::uint32_t number_;
  std::string participant_;
  std::int64_t expected_from_;
  std::int64_t connected_at_ = 0;
  Outbox& outbox_;
  TrackTimeline timeline_;
  AudioDecoder decoder_;
  std::map<std::uint64_t, Stored> packets_;
  std::uint64_t next_id_ = 1;
  std::optional<FrameCutter> cutter_;
  std::vector<ipc::AudioFrame> frames_;
};

/// The samples, `longer` samples longer (or shorter), by linear interpolation.
std::vector<std::int16_t> stretch(const std::vector<std::int16_t>& samples, std::int64_t longer);

}  // namespace hansard::webrtc
