#include "adapters/webrtc/gst/receiver.h"

#include <algorithm>
#include <utility>

namespace hansard::webrtc {
namespace {

constexpr unsigned kFirstRetryMs = 500;
constexpr unsigned kMaxRetryMs = 8000;
constexpr unsigned kConnectTimeoutMs = 10'000;
constexpr std::int64_t kSilentPeerUs = 8'000'000;  // RTCP comes every 2 to 6 s, even from a muted sender
constexpr std::int64_t kStableUs = 60'000'000;

}  // namespace

/// Packets on their way from GStreamer's thread to the loop.
struct Receiver::Arrivals {
  struct Packet {
    std::vector<std::uint8_t> bytes;
    std::int64_t arrival_us;
  };
  std::mutex mutex;
  std::vector<Packet> packets;
};

Receiver::Receiver(CaptureContext& context, std::string participant, std::string whep_url, Events events)
    : context_(context), participant_(std::move(participant)), whep_url_(std::move(whep_url)), events_(std::move(events)) {
  down_since_us_ = monotonic_us();
}

Receiver::~Receiver() = default;

void Receiver::connect() {
  if (stopped_) return;
  const int attempt = ++attempt_;
  auto peer = Peer::create({participant_, context_.jitter_ms});
  if (!peer) return broke(0, peer.error().detail);
  peer_ = std::move(*peer);
  arrivals_ = std::make_shared<Arrivals>();
  const std::weak_ptr<int> alive = alive_;
  peer_->on_state([this, attempt](PeerState state) { state_changed(attempt, state); });
  peer_->on_packet([this, alive, attempt, arrivals = arrivals_](std::span<const std::uint8_t> packet, std::int64_t arrival_us) {
    const std::lock_guard lock(arrivals->mutex);
    arrivals->packets.push_back({{packet.begin(), packet.end()}, arrival_us});
    if (arrivals->packets.size() > 1) return;  // the loop has been told
    post([this, alive, attempt] {
      if (!alive.expired()) drain(attempt);
    });
  });
  connect_timeout_ = Timer::after(kConnectTimeoutMs, [this] {
    if (!connected_) broke(0, "no connection in time");
  });
  peer_->offer_to_receive([this, alive, attempt](Result<std::string> offer) {
    if (!offer) return broke(0, offer.error().detail);
    http_send({"POST", whep_url_, "application/sdp", *offer, context_.token}, [this, alive, attempt](Result<HttpReply> reply) {
      if (!alive.expired()) answered(attempt, std::move(reply));
    });
  });
}

void Receiver::answered(int attempt, Result<HttpReply> reply) {
  const bool made = reply && reply->status == 201;
  if (attempt != attempt_ || stopped_) {
    // Too late: the server must not keep a session that nobody uses.
    if (made) http_send({"DELETE", reply->location, "", "", context_.token}, [](Result<HttpReply>) {});
    return;
  }
  if (!reply) return broke(0, reply.error().detail);
  if (!made) return broke(reply->status, "HTTP " + std::to_string(reply->status));
  session_url_ = reply->location;
  peer_->accept_answer(reply->body, [this, attempt](Result<void> accepted) {
    if (attempt == attempt_ && !accepted) broke(0, "the answer cannot be used: " + accepted.error().detail);
  });
}

void Receiver::state_changed(int attempt, PeerState state) {
  if (attempt != attempt_ || stopped_) return;
  if (state == PeerState::kFailed) return broke(0, "the peer connection failed");
  if (state != PeerState::kConnected || connected_) return;
  connected_ = true;
  connect_timeout_.cancel();
  connected_since_us_ = monotonic_us();
  if (track_ && context_.clock) track_->connected(context_.clock->position(connected_since_us_));
  log_line("info", "receiving", {{"participant", participant_}, {"attempt", attempt}});
  if (events_.connected) events_.connected();
}

void Receiver::broke(int status, const std::string& detail) {
  if (stopped_) return;
  ++attempt_;  // what is still on its way belongs to the past
  const bool was_connected = std::exchange(connected_, false);
  if (was_connected) {
    down_since_us_ = monotonic_us();
    if (down_since_us_ - connected_since_us_ > kStableUs) failures_ = 0;
  }
  connect_timeout_.cancel();
  forget_session();
  if (track_) track_->interrupted(GapReason::kDisconnected);
  const unsigned delay = std::min(kFirstRetryMs << std::min(failures_, 8u), kMaxRetryMs);
  ++failures_;
  log_line("warn", "not_receiving", {{"participant", participant_}, {"status", status}, {"detail", detail}, {"retry_ms", delay}});
  // The peer may be the caller: it goes when the retry comes.
  retry_ = Timer::after(delay, [this] {
    peer_.reset();
    connect();
  });
  if (events_.failed) events_.failed(status, detail);
}

void Receiver::drain(int attempt) {
  if (!arrivals_) return;
  std::vector<Arrivals::Packet> packets;
  {
    const std::lock_guard lock(arrivals_->mutex);
    packets.swap(arrivals_->packets);
  }
  if (attempt != attempt_ || !track_ || !context_.clock) return;
  for (const auto& p : packets) track_->packet(p.bytes, context_.clock->position(p.arrival_us));
}

void Receiver::begin_track() {
  const std::int64_t now = context_.clock->position(monotonic_us());
  track_ = std::make_unique<AudioTrack>(context_.next_track++, participant_, std::max<std::int64_t>(0, now), context_.outbox,
                                        context_.jitter_ms);
  if (connected_) track_->connected(std::max<std::int64_t>(0, now) - 1000 * kSamplesPerMs);
}

void Receiver::end_track(GapReason reason) {
  if (!track_) return;
  track_->close(reason);
  const auto& c = track_->counters();
  const Retransmissions again = peer_ ? peer_->retransmissions() : Retransmissions{};
  log_line("info", "track_closed",
           {{"track", track_->number()},
            {"packets", c.packets},
            {"lost", c.lost},
            {"recovered", c.recovered},
            {"late", c.late},
            {"requested", again.requested},
            {"retransmitted", again.received}});
  track_.reset();
}

void Receiver::tick() {
  if (track_ && context_.clock) track_->tick(context_.clock->position(monotonic_us()));
  if (connected_ && monotonic_us() - peer_->last_activity_us() > kSilentPeerUs) broke(0, "nothing was received for 8 s");
}

void Receiver::forget_session() {
  if (session_url_.empty()) return;
  http_send({"DELETE", std::exchange(session_url_, {}), "", "", context_.token}, [](Result<HttpReply>) {});
}

void Receiver::stop(std::function<void()> done) {
  stopped_ = true;
  ++attempt_;
  retry_.cancel();
  connect_timeout_.cancel();
  peer_.reset();
  if (session_url_.empty()) return done();
  http_send({"DELETE", std::exchange(session_url_, {}), "", "", context_.token},
            [done = std::move(done)](Result<HttpReply>) { done(); });
}

}  // namespace hansard::webrtc
