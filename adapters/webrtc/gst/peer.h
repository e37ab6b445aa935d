#pragma once
// One WebRTC peer connection with one audio track: GStreamer's webrtcbin behind a narrow face. RTP packets go in and
// out; ICE, DTLS, SRTP, RTCP, NACK and the jitter buffer are webrtcbin's. Lost packets are asked for again, and sent again, where
// both sides have agreed on it. It works with loopback alone: every address of
// this machine is named to the ICE agent, and no STUN server is asked.
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "adapters/webrtc/gst/retransmission.h"
#include "core/base/result.h"

namespace hansard::webrtc {

enum class PeerState : std::uint8_t { kConnecting, kConnected, kFailed };

struct PeerOptions {
  std::string label;         ///< for logs
  unsigned jitter_ms = 200;  ///< how long a missing packet is waited for
};

class Peer {
 public:
  /// A packet in the order of the jitter buffer; `arrival_us` on the monotonic clock. Called on a thread of GStreamer.
  using PacketHandler = std::function<void(std::span<const std::uint8_t> packet, std::int64_t arrival_us)>;
  using StateHandler = std::function<void(PeerState)>;
  /// The local session description with all its candidates.
  using SdpHandler = std::function<void(Result<std::string>)>;

  /// Errors: kInternal when a GStreamer element is missing (the detail names its Debian package).
  static Result<std::unique_ptr<Peer>> create(PeerOptions options);
  ~Peer();

  void on_state(StateHandler handler);
  /// To be set before an offer or answer is made.
  void on_packet(PacketHandler handler);

  /// Offers to receive one Opus track.
  void offer_to_receive(SdpHandler done);
  /// Offers to send one Opus track with this payload type and SSRC.
  void offer_to_send(std::uint8_t payload_type, std::uint32_t ssrc, SdpHandler done);
  /// Answers an offer, receiving its audio. Errors: kInvalid.
  void answer_to_receive(const std::string& offer, SdpHandler done);
  /// Answers an offer, sending audio with the payload type it gives to Opus. Errors: kInvalid.
  void answer_to_send(const std::string& offer, std::uint8_t payload_type, std::uint32_t ssrc, SdpHandler done);
  /// Takes the answer to our offer. Errors: kInvalid.
  void accept_answer(const std::string& answer, std::function<void(Result<void>)> done);

  /// Sends one RTP packet; while not connected, or when too much waits already, the packet is dropped. From any thread.
  void send(std::span<const std::uint8_t> packet);
  bool connected() const;
  /// When the last RTP or RTCP packet came, on the monotonic clock; the time of creation before the first.
  std::int64_t last_activity_us() const;
  /// Since the connection was made.
  Retransmissions retransmissions() const;

  struct Impl;

 private:
  explicit Peer(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

/// Loads GStreamer and checks that what a peer needs is there. Errors: kInternal, naming the Debian package.
Result<void> init_gstreamer();

/// Has plugins loaded and keys made in the background, so that the first peer connects as fast as those after it. Keep
/// what it returns until then.
std::unique_ptr<Peer> warm_up();

}  // namespace hansard::webrtc
