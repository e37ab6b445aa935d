#include "adapters/webrtc/gst/forwarder.h"

#include "adapters/webrtc/gst/loop.h"
#include "adapters/webrtc/rtp.h"
#include "core/base/prng.h"

namespace hansard::webrtc {

constexpr std::size_t kMaxDropped = 20'000;

void Forwarder::add(const std::string& id, Peer* peer, std::uint8_t payload_type, std::uint32_t ssrc) {
  const std::lock_guard lock(mutex_);
  targets_[id] = {peer, payload_type, ssrc};
}

void Forwarder::remove(const std::string& id) {
  const std::lock_guard lock(mutex_);
  targets_.erase(id);
}

void Forwarder::forward(std::span<const std::uint8_t> packet) {
  auto header = parse_rtp(packet);
  if (!header || header->payload_size == 0) return;
  const std::lock_guard lock(mutex_);
  ++received_;
  if (take_away(header->sequence)) return;
  for (const auto& [id, target] : targets_) {
    // Built anew without header extensions: their numbers were agreed on with the publisher, not with this subscriber.
    header->payload_type = target.payload_type;
    header->ssrc = target.ssrc;
    target.peer->send(make_rtp(*header, packet.subspan(header->payload_offset, header->payload_size)));
  }
}

bool Forwarder::take_away(std::uint16_t sequence) {
  if (!faults_.enabled) return false;
  bool away = monotonic_us() < silent_until_;
  if (!away && faults_.drop_percent > 0) away = Prng(faults_.seed * 65'536 + sequence).chance(faults_.drop_percent);
  if (away && dropped_.size() < kMaxDropped) dropped_.push_back({sequence, unix_ms()});
  return away;
}

void Forwarder::silence_until(std::int64_t monotonic_us) {
  const std::lock_guard lock(mutex_);
  silent_until_ = monotonic_us;
}

std::uint64_t Forwarder::received() const {
  const std::lock_guard lock(mutex_);
  return received_;
}

std::vector<Forwarder::Dropped> Forwarder::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

}  // namespace hansard::webrtc
