#pragma once
// Where the packets of one audio track lie in media time, and what happened where there are none. Plain arithmetic:
// packets and the clock come in as arguments, what to play and which gaps to report comes out. Positions are samples
// at 16 kHz since media time zero; RTP timestamps of Opus always count 48 kHz.
//
// The end of a packet is taken to be recorded when its fastest companions arrive: the offset between RTP time and media
// time is the smallest (arrival - timestamp) of the last seconds, which jitter does not move. Clock drift is followed by
// playing packets 1 ms longer or shorter.
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

namespace hansard::webrtc {

constexpr std::int64_t kSamplesPerMs = 16;

/// One received packet, in the order of the jitter buffer.
struct TimelinePacket {
  std::uint64_t id = 0;  ///< the caller's own handle
  std::uint32_t ssrc = 0;
  std::uint16_t sequence = 0;
  std::uint32_t timestamp = 0;
  std::int64_t duration = 0;  ///< samples at 16 kHz, more than 0
  bool has_fec = false;       ///< carries a copy of the frame before it
  std::int64_t arrival = 0;   ///< media position of the moment it arrived
};

/// Decode packet `id`, drop the first `skip` samples, make the rest `stretch` samples longer (or shorter).
struct PlayPacket {
  std::uint64_t id = 0;
  std::int64_t skip = 0;
  std::int64_t stretch = 0;
};
/// Decode the copy of the frame before it that packet `id` carries: `length` samples.
struct PlayFec {
  std::uint64_t id = 0;
  std::int64_t length = 0;
};
/// Let the decoder hide `length` lost samples.
struct PlayConcealment {
  std::int64_t length = 0;
};
/// `length` zero samples in place of audio that did not arrive; a gap says what it was.
struct PlaySilence {
  std::int64_t length = 0;
};
/// Packet `id` will not be played: forget it.
struct DropPacket {
  std::uint64_t id = 0;
};
/// The stream starts anew: forget the decoder's state.
struct ResetDecoder {};
/// Why audio is missing. Only kNotSent is no loss: silence suppression, or a muted microphone.
enum class GapReason : std::uint8_t { kNotSent, kNetwork, kDisconnected, kSourceChanged };
constexpr std::string_view name(GapReason reason) {
  switch (reason) {
    case GapReason::kNotSent: return "not_sent";
    case GapReason::kNetwork: return "network";
    case GapReason::kDisconnected: return "disconnected";
    case GapReason::kSourceChanged: return "source_changed";
  }
  return "network";
}
/// What [start, end) was.
struct ReportGap {
  std::int64_t start = 0;
  std::int64_t end = 0;
  GapReason reason = GapReason::kNetwork;
  bool lost() const { return reason != GapReason::kNotSent; }
};
using TimelineStep = std::variant<PlayPacket, PlayFec, PlayConcealment, PlaySilence, DropPacket, ResetDecoder, ReportGap>;

class TrackTimeline {
 public:
  struct Options {
    std::int64_t filler_after = 200 * kSamplesPerMs;  ///< silence this old is filled
    std::int64_t settle = 60 * kSamplesPerMs;         ///< packets are watched this long before their time is fixed
    std::int64_t drift_tolerance = 10 * kSamplesPerMs;
  };
  struct Counters {
    std::uint64_t packets = 0;    ///< received
    std::uint64_t lost = 0;       ///< never received
    std::uint64_t recovered = 0;  ///< of these, restored from the packet after
    std::uint64_t late = 0;       ///< received after their time had been filled, or twice
  };

  /// Nothing is played before `floor`.
  explicit TrackTimeline(std::int64_t floor) : TrackTimeline(floor, Options{}) {}
  TrackTimeline(std::int64_t floor, Options options) : options_(options), floor_(floor) {}

  void packet(const TimelinePacket& packet, std::vector<TimelineStep>& out);
  /// To be called every 20 ms or so.
  void tick(std::int64_t now, std::vector<TimelineStep>& out);
  /// The connection is gone or was replaced: what is missing until the next packet is lost for `reason`.
  void interrupted(GapReason reason, std::vector<TimelineStep>& out);
  /// No more packets. Time that is still open is explained by `reason`.
  void finish(GapReason reason, std::vector<TimelineStep>& out);

  /// Whether anything was played. The first sample's position is start().
  bool started() const { return started_; }
  std::int64_t start() const { return start_; }
  /// The end of what was played so far.
  std::int64_t cursor() const { return cursor_; }
  const Counters& counters() const { return counters_; }

 private:
  void settle(std::vector<TimelineStep>& out);
  bool continues(const TimelinePacket& packet) const;
  void place(const TimelinePacket& packet, std::vector<TimelineStep>& out);
  void bridge(const TimelinePacket& packet, std::int64_t position, std::vector<TimelineStep>& out);
  std::int64_t conceal_loss(const TimelinePacket& packet, std::int64_t gap, std::vector<TimelineStep>& out);
  void silence(std::int64_t length, std::vector<TimelineStep>& out);
  void report(std::int64_t start, std::int64_t end, GapReason reason, std::vector<TimelineStep>& out);
  void observe(const TimelinePacket& packet);
  std::int64_t drift_step(std::int64_t arrival);
  std::int64_t rtp_time(std::uint32_t timestamp) const;
  std::int64_t position(std::uint32_t timestamp) const { return rtp_time(timestamp) / 3 + offset_; }
  std::int64_t ideal_offset(const TimelinePacket& p) const { return p.arrival - p.duration - rtp_time(p.timestamp) / 3; }

  Options options_;
  std::int64_t floor_;
  bool started_ = false;
  std::int64_t start_ = 0;
  std::int64_t cursor_ = 0;

  bool anchored_ = false;  ///< the next five are set
  std::uint32_t ssrc_ = 0;
  std::uint16_t last_sequence_ = 0;
  std::uint32_t last_timestamp_ = 0;
  std::int64_t last_rtp_ = 0;  ///< last_timestamp_ without its wrap, at 48 kHz
  std::int64_t offset_ = 0;    ///< media position = RTP time / 3 + offset

  std::optional<std::int64_t> filler_start_;  ///< [filler_start_, cursor_) is unexplained
  std::optional<GapReason> interruption_;
  bool restarted_ = false;            ///< the next packet does not continue the last one
  std::vector<TimelinePacket> held_;  ///< watched until their time is fixed

  struct Bucket {
    std::int64_t second = -1;
    std::int64_t smallest = 0;
  };
  std::array<Bucket, 5> buckets_{};  ///< the smallest ideal offset in each of the last seconds
  std::int64_t watched_since_ = 0;
  bool correcting_ = false;
  Counters counters_;
};

}  // namespace hansard::webrtc
