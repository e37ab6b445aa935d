#pragma once
// Passes one publisher's packets to its subscribers, each through its own bounded queue. Packets come on a thread of
// GStreamer; everything is guarded by one lock that is held only while packets are copied.
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "adapters/webrtc/gst/peer.h"

namespace hansard::webrtc {

/// Injected loss, for tests of what happens then.
struct Faults {
  bool enabled = false;
  unsigned drop_percent = 0;
  std::uint64_t seed = 1;
};

class Forwarder {
 public:
  struct Dropped {
    std::uint16_t sequence = 0;
    std::int64_t at_unix_ms = 0;
  };

  explicit Forwarder(Faults faults) : faults_(faults) {}

  /// `peer` must stay until remove(). Packets get its payload type and SSRC; sequence numbers and timestamps stay.
  void add(const std::string& id, Peer* peer, std::uint8_t payload_type, std::uint32_t ssrc);
  void remove(const std::string& id);
  /// From any thread.
  void forward(std::span<const std::uint8_t> packet);

  /// Nothing is forwarded before this time of the monotonic clock.
  void silence_until(std::int64_t monotonic_us);
  std::uint64_t received() const;
  /// What the faults took away (the first 20,000 packets).
  std::vector<Dropped> dropped() const;

 private:
  struct Target {
    Peer* peer;
    std::uint8_t payload_type;
    std::uint32_t ssrc;
  };
  bool take_away(std::uint16_t sequence);

  const Faults faults_;
  mutable std::mutex mutex_;
  std::map<std::string, Target> targets_;
  std::int64_t silent_until_ = 0;
  std::uint64_t received_ = 0;
  std::vector<Dropped> dropped_;
};

}  // namespace hansard::webrtc
