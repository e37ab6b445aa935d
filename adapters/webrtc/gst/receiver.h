#pragma once
// Receives one participant: a WHEP session that is made again whenever it breaks, while the meeting goes on.
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "adapters/webrtc/gst/audio_track.h"
#include "adapters/webrtc/gst/http.h"
#include "adapters/webrtc/gst/loop.h"
#include "adapters/webrtc/gst/peer.h"

namespace hansard::webrtc {

/// How long a missing packet is waited for: it is noticed with the next one, some 20 ms later, and asked for; what is left is
/// room for a round trip of 150 ms. Only what lies behind a missing packet waits.
constexpr unsigned kJitterMs = 200;

/// What all receivers of a meeting share.
struct CaptureContext {
  Outbox outbox;
  std::string token;
  unsigned jitter_ms = kJitterMs;
  std::uint32_t next_track = 1;
  std::optional<MediaClock> clock;  ///< set while audio is delivered
};

class Receiver {
 public:
  struct Events {
    std::function<void()> connected;
    /// The server refused (its HTTP status) or the connection could not be made or broke (status 0). A new attempt is
    /// under way unless stop() is called.
    std::function<void(int status, const std::string& detail)> failed;
  };

  Receiver(CaptureContext& context, std::string participant, std::string whep_url, Events events);
  ~Receiver();
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  void connect();
  /// Audio is delivered from now on (context.clock is set), or no longer.
  void begin_track();
  void end_track(GapReason reason);
  void tick();
  /// Ends the session at the server; `done` runs when it has answered.
  void stop(std::function<void()> done);

  bool is_connected() const { return connected_; }
  /// How long it has been without a connection.
  std::int64_t down_us() const { return connected_ ? 0 : monotonic_us() - down_since_us_; }

 private:
  struct Arrivals;
  void answered(int attempt, Result<HttpReply> reply);
  void state_changed(int attempt, PeerState state);
  void broke(int status, const std::string& detail);
  void drain(int attempt);
  void forget_session();

  CaptureContext& context_;
  std::string participant_;
  std::string whep_url_;
  Events events_;
  std::unique_ptr<Peer> peer_;
  std::string session_url_;
  std::unique_ptr<AudioTrack> track_;
  std::shared_ptr<Arrivals> arrivals_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);  ///< callbacks that outlive this hold it weakly
  Timer retry_;
  Timer connect_timeout_;
  int attempt_ = 0;
  unsigned failures_ = 0;
  bool connected_ = false;
  bool stopped_ = false;
  std::int64_t connected_since_us_ = 0;
  std::int64_t down_since_us_ = 0;
};

}  // namespace hansard::webrtc
