// The role `capture`: one meeting, commanded over a descriptor (ipc/messages.h).
#include <map>
#include <memory>
#include <optional>

#include "adapters/webrtc/gst/loop.h"
#include "adapters/webrtc/gst/options.h"
#include "adapters/webrtc/gst/receiver.h"
#include "adapters/webrtc/gst/roles.h"
#include "adapters/webrtc/gst/room_client.h"
#include "core/base/text.h"
#include "ipc/pipe.h"

namespace hansard::webrtc {
namespace {

constexpr unsigned kTickMs = 20;
constexpr unsigned kWarmUpMs = 3000;
constexpr unsigned kFarewellMs = 2000;
constexpr std::int64_t kAllDownUs = 15'000'000;
constexpr int kWriteTimeoutMs = 1000;

bool is_room_url(const Url& url) {
  std::vector<std::string_view> parts;
  for (const auto part : split(url.path, '/')) {
    if (!part.empty()) parts.push_back(part);
  }
  return parts.size() == 2 && parts[0] == "rooms";
}

/// A name for the only participant of a WHEP URL: the last part of the path that says something.
std::string stream_name(const Url& url) {
  std::string name = "stream";
  for (const auto part : split(url.path, '/')) {
    if (!part.empty() && !equals_ignore_case(part, "whep")) name = part;
  }
  return name;
}

class Capture {
 public:
  Capture(int fd, unsigned jitter_ms) : pipe_(fd), watch_(fd, [this] { read(); }) {
    context_.jitter_ms = jitter_ms;
    ticker_ = Timer::every(kTickMs, [this] { tick(); });
    warm_up_end_ = Timer::after(kWarmUpMs, [this] { warm_peer_.reset(); });
  }

 private:
  using State = ipc::MediaState;

  void read() {
    const bool open = pipe_.read_some();
    while (true) {
      auto frame = pipe_.next();
      if (!frame || (*frame && !std::holds_alternative<Json>(**frame))) {
        log_line("error", "bad_frame_from_parent");
        return orphaned();
      }
      if (!*frame) break;
      const auto message = from_json<ipc::ToMedia>(std::get<Json>(**frame));
      if (message) {
        std::visit([this](const auto& m) { on(m); }, *message);
      } else {
        log_line("warn", "unknown_message_from_parent");
      }
    }
    if (!open) orphaned();
  }

  void on(const ipc::Credit& m) {
    context_.outbox.credit(m.bytes);
    pump();
  }

  void on(const ipc::Join& m) {
    if (joined_) return;
    joined_ = true;
    context_.token = m.token;
    send(ipc::MediaStatus{State::kJoining, "", "", ""});
    const auto url = parse_http_url(m.url);
    if (!url) return finish({State::kFailed, "meeting_not_found", url.error().detail, ""});
    if (!is_room_url(*url)) return join_stream(m.url, *url);
    Url room = *url;
    while (room.path.ends_with('/')) room.path.pop_back();
    room_ = std::make_unique<RoomClient>(
        room, m.display_name, m.token,
        RoomClient::Events{[this](const ipc::MediaStatus& s) { room_status(s); },
                           [this](const ipc::ParticipantUpdate& p, const std::string& whep) { add(p, whep); },
                           [this](const std::string& id) { remove(id); }});
    room_->join();
  }

  void on(const ipc::Capture& m) {
    if (context_.clock || over_) return;
    context_.clock = MediaClock{m.origin.ms * 1000};
    for (auto& [id, r] : receivers_) r->begin_track();
  }

  void on(const ipc::Pause&) {
    for (auto& [id, r] : receivers_) r->end_track(GapReason::kNotSent);
    context_.clock.reset();
    pump();
  }

  void on(const ipc::Leave&) { finish({State::kLeft, "", "", ""}); }

  // A WHEP URL is a meeting of one stream: its connection is the meeting's.
  void join_stream(const std::string& whep, const Url& url) {
    const ipc::ParticipantUpdate only{stream_name(url), stream_name(url), true, false};
    Receiver::Events events;
    events.connected = [this, only] {
      send(ipc::MediaStatus{State::kInCall, "", "", ""});
      send(only);
    };
    events.failed = [this](int status, const std::string& detail) {
      finish(status != 0 ? refusal(status) : ipc::MediaStatus{State::kLost, "", detail, ""});
    };
    start_receiver(only.id, whep, std::move(events));
  }

  void room_status(const ipc::MediaStatus& status) {
    if (status.state == State::kInCall || status.state == State::kWaitingRoom) return send(status);
    finish(status);
  }

  void add(const ipc::ParticipantUpdate& participant, const std::string& whep) {
    if (over_) return;
    known_[participant.id] = participant;
    send(participant);
    if (!whep.empty()) start_receiver(participant.id, whep, {});
  }

  void start_receiver(const std::string& id, const std::string& whep, Receiver::Events events) {
    auto& receiver = receivers_[id];
    receiver = std::make_unique<Receiver>(context_, id, whep, std::move(events));
    if (context_.clock) receiver->begin_track();
    receiver->connect();
  }

  void remove(const std::string& id) {
    if (const auto it = receivers_.find(id); it != receivers_.end()) {
      it->second->end_track(GapReason::kNotSent);
      it->second->stop([] {});
      receivers_.erase(it);
      pump();  // the end of the track is told before the participant's
    }
    if (const auto it = known_.find(id); it != known_.end()) {
      it->second.present = false;
      send(it->second);
      known_.erase(it);
    }
  }

  void tick() {
    if (over_) return pump();
    bool all_down = !receivers_.empty();
    for (auto& [id, r] : receivers_) {
      r->tick();
      if (over_) return;  // a stream that broke may have ended the meeting
      all_down = all_down && r->down_us() > kAllDownUs;
    }
    if (all_down) return finish({State::kLost, "", "no participant can be received", ""});
    pump();
  }

  /// Ends the meeting for us: closes the tracks, says goodbye, delivers what waits, reports `status`, ends the process.
  void finish(const ipc::MediaStatus& status) {
    if (over_) return;
    over_ = true;
    final_ = status;
    for (auto& [id, r] : receivers_) r->end_track(status.state == State::kLost ? GapReason::kDisconnected : GapReason::kNotSent);
    // Not at once: the caller may be one of the receivers.
    post([this] { say_goodbye(); });
    deadline_ = Timer::after(kFarewellMs, [this] { end(); });
  }

  void say_goodbye() {
    farewells_ = static_cast<int>(receivers_.size()) + (room_ ? 1 : 0) + 1;
    for (auto& [id, r] : receivers_) r->stop([this] { farewell_done(); });
    if (room_) room_->leave([this] { farewell_done(); });
    farewell_done();
  }

  void farewell_done() {
    if (--farewells_ == 0) pump();
  }

  void pump() {
    context_.outbox.pump([this](TrackItem& item) { std::visit([this](auto& one) { pipe_.send(one); }, item); });
    write();
    if (over_ && farewells_ == 0 && context_.outbox.empty()) end();
  }

  void end() {
    if (ended_) return;
    ended_ = true;
    if (!orphan_) {
      send(final_);
      pipe_.flush_all(kWriteTimeoutMs);
    }
    quit_loop(0);
  }

  /// The daemon is gone: leave the meeting and end.
  void orphaned() {
    if (orphan_) return;
    orphan_ = true;
    context_.outbox.credit(1u << 30);
    log_line("warn", "parent_gone");
    finish({State::kLeft, "", "", ""});
  }

  void send(const ipc::FromMedia& message) {
    pipe_.send(message);
    write();
  }

  void write() {
    if (!pipe_.flush()) return orphaned();
    if (pipe_.queued_bytes() > 0) {
      watch_.when_writable([this] { write(); });
    }
  }

  ipc::Pipe pipe_;
  FdWatch watch_;
  CaptureContext context_;
  std::unique_ptr<RoomClient> room_;
  std::map<std::string, std::unique_ptr<Receiver>> receivers_;
  std::map<std::string, ipc::ParticipantUpdate> known_;
  Timer ticker_;
  std::unique_ptr<Peer> warm_peer_ = warm_up();
  Timer warm_up_end_;
  Timer deadline_;
  ipc::MediaStatus final_;
  int farewells_ = -1;
  bool joined_ = false;
  bool over_ = false;
  bool ended_ = false;
  bool orphan_ = false;
};

}  // namespace

int run_capture(const std::vector<std::string>& args) {
  const auto options = parse_options(args, {"fd", "jitter-ms"}, {});
  if (!options || !options->rest.empty()) return complain("usage: capture --fd N [--jitter-ms MS]", 2);
  const auto fd = options->number("fd", 3, 3, 1024);
  const auto jitter = options->number("jitter-ms", kJitterMs, 0, 1000);
  if (!fd || !jitter) return complain((!fd ? fd : jitter).error().detail, 2);
  if (auto r = init_gstreamer(); !r) return complain(r.error().detail, 1);
  Capture capture(static_cast<int>(*fd), static_cast<unsigned>(*jitter));
  return run_loop();
}

}  // namespace hansard::webrtc
