// The role `publish`: a participant of a meeting as a real WebRTC peer, whose microphone is an audio file.
#include <glib-unix.h>
#include <glib.h>

#include <algorithm>
#include <csignal>
#include <memory>

#include "adapters/webrtc/gst/file_audio.h"
#include "adapters/webrtc/gst/http.h"
#include "adapters/webrtc/gst/loop.h"
#include "adapters/webrtc/gst/options.h"
#include "adapters/webrtc/gst/opus.h"
#include "adapters/webrtc/gst/peer.h"
#include "adapters/webrtc/gst/roles.h"
#include "adapters/webrtc/rtp.h"
#include "core/base/prng.h"
#include "core/base/text.h"

namespace hansard::webrtc {
namespace {

constexpr int kRate = 48'000;
constexpr int kFrame = kRate / 50;
constexpr std::int64_t kFrameUs = 20'000;
constexpr std::uint8_t kPayloadType = 111;
constexpr unsigned kRetryMs = 500;
constexpr unsigned kDeleteTimeoutMs = 1500;

struct PublishOptions {
  std::string whip;
  std::string file;
  std::string token;
  std::int64_t start_at_unix_ms = 0;  ///< 0: as soon as connected
  std::int64_t tail_ms = 500;
  std::int64_t retry_s = 30;
  std::int64_t volume_percent = 100;
  bool loop = false;
  std::int64_t drop_percent = 0;
  std::uint64_t seed = 1;
  EncoderOptions encoder;
};

class Publisher {
 public:
  Publisher(PublishOptions options, std::unique_ptr<FileAudio> audio)
      : options_(std::move(options)), audio_(std::move(audio)), encoder_(options_.encoder), ssrc_(g_random_int()) {
    sequence_ = static_cast<std::uint16_t>(g_random_int());
    timestamp_ = g_random_int();
    give_up_at_us_ = monotonic_us() + options_.retry_s * 1'000'000;
  }

  void connect() {
    auto peer = Peer::create({"publish", 100});
    if (!peer) return stop(peer.error().detail, 1);
    peer_ = std::move(*peer);
    peer_->on_state([this](PeerState state) { state_changed(state); });
    peer_->offer_to_send(kPayloadType, ssrc_, [this](Result<std::string> offer) {
      if (!offer) return stop(offer.error().detail, 1);
      http_send({"POST", options_.whip, "application/sdp", *offer, options_.token},
                [this](Result<HttpReply> reply) { answered(std::move(reply)); });
    });
  }

  /// Says goodbye to the endpoint, then ends the process.
  void stop(const std::string& why, int code) {
    if (stopping_) return;
    stopping_ = true;
    pacer_.cancel();
    if (!why.empty()) complain(why, 0);
    if (session_url_.empty()) return quit_loop(code);
    delete_timer_ = Timer::after(kDeleteTimeoutMs, [code] { quit_loop(code); });
    http_send({"DELETE", session_url_, "", "", options_.token}, [code](Result<HttpReply>) { quit_loop(code); });
  }

 private:
  void answered(Result<HttpReply> reply) {
    if (stopping_) return;
    const bool retry =
        !reply ? retryable(reply.error().code) : reply->status == 404 || reply->status == 429 || reply->status >= 500;
    if (!reply || reply->status != 201) {
      const std::string why =
          reply ? "the room answered " + std::to_string(reply->status) : "cannot reach the room: " + reply.error().detail;
      if (!retry || monotonic_us() > give_up_at_us_) return stop(why, 1);
      retry_timer_ = Timer::after(kRetryMs, [this] { connect(); });
      return;
    }
    session_url_ = reply->location;
    peer_->accept_answer(reply->body, [this](Result<void> accepted) {
      if (!accepted) stop("the room's answer cannot be used: " + accepted.error().detail, 1);
    });
  }

  void state_changed(PeerState state) {
    if (state == PeerState::kFailed) return stop("the connection to the room failed", 1);
    if (state != PeerState::kConnected || started_) return;
    started_ = true;
    first_frame_us_ = monotonic_us();
    // The file's first sample is due at start-at: so many samples after the first that is sent. When that has passed it
    // begins now, since a word left out is worse than one that comes late.
    const std::int64_t delay_ms = options_.start_at_unix_ms == 0 ? 0 : options_.start_at_unix_ms - unix_ms();
    lead_samples_ = std::max<std::int64_t>(0, delay_ms) * (kRate / 1000);
    log_line(delay_ms < 0 ? "warn" : "info", "publishing",
             {{"begins_at_unix_ms", unix_ms() + std::max<std::int64_t>(0, delay_ms)},
              {"late_ms", std::max<std::int64_t>(0, -delay_ms)}});
    pacer_ = Timer::every(10, [this] { send_due(); });
  }

  void send_due() {
    while (!stopping_ && first_frame_us_ + (frames_ + 1) * kFrameUs <= monotonic_us()) send_frame();
  }

  void send_frame() {
    std::vector<std::int16_t> frame(kFrame);
    const std::int64_t position = frames_ * kFrame;
    const std::int64_t silent = std::clamp<std::int64_t>(lead_samples_ - position, 0, kFrame);
    const std::size_t filled = fill(std::span(frame).subspan(static_cast<std::size_t>(silent)));
    if (ended_ && filled == 0 && silent == 0) tail_frames_ += 1;
    send(encoder_.encode(frame));
    ++frames_;
    if (tail_frames_ * 20 > options_.tail_ms) stop("", 0);
  }

  std::size_t fill(std::span<std::int16_t> out) {
    std::size_t filled = 0;
    while (filled < out.size() && !ended_) {
      if (offset_ == chunk_.size()) {
        if (!next_chunk()) break;
        continue;
      }
      const std::size_t n = std::min(out.size() - filled, chunk_.size() - offset_);
      for (std::size_t i = 0; i < n; ++i) {
        const std::int64_t v = chunk_[offset_ + i] * options_.volume_percent / 100;
        out[filled + i] = static_cast<std::int16_t>(std::clamp<std::int64_t>(v, -32'768, 32'767));
      }
      offset_ += n;
      filled += n;
    }
    return filled;
  }

  bool next_chunk() {
    auto samples = audio_->read();
    if (!samples) log_line("warn", "file_damaged");
    if (!samples || samples->empty()) {
      auto again = options_.loop ? FileAudio::open(options_.file, kRate) : fail(ErrorClass::kCancelled, "media", "");
      ended_ = !again;
      if (again) audio_ = std::move(*again);
      return !ended_;
    }
    chunk_ = std::move(*samples);
    offset_ = 0;
    return true;
  }

  void send(const std::vector<std::uint8_t>& payload) {
    const std::uint32_t timestamp = timestamp_;
    timestamp_ += kFrame;
    if (payload.empty()) {
      quiet_ = true;
      return;
    }
    const std::uint16_t sequence = sequence_++;
    const bool marker = std::exchange(quiet_, false);
    if (Prng(options_.seed * 65'536 + sequence).chance(static_cast<unsigned>(options_.drop_percent))) {
      log_line("info", "packet_dropped", {{"sequence", int{sequence}}, {"at_unix_ms", unix_ms()}});
      return;
    }
    RtpHeader header{kPayloadType, marker, sequence, timestamp, ssrc_, 0, 0};
    peer_->send(make_rtp(header, payload));
  }

  PublishOptions options_;
  std::unique_ptr<FileAudio> audio_;
  AudioEncoder encoder_;
  std::unique_ptr<Peer> peer_;
  std::string session_url_;
  Timer pacer_;
  Timer retry_timer_;
  Timer delete_timer_;
  std::uint32_t ssrc_;
  std::uint16_t sequence_ = 0;
  std::uint32_t timestamp_ = 0;
  std::int64_t give_up_at_us_ = 0;
  std::int64_t first_frame_us_ = 0;
  std::int64_t frames_ = 0;
  std::int64_t lead_samples_ = 0;
  std::int64_t tail_frames_ = 0;
  std::vector<std::int16_t> chunk_;
  std::size_t offset_ = 0;
  bool quiet_ = true;
  bool started_ = false;
  bool ended_ = false;
  bool stopping_ = false;
};

Result<PublishOptions> read_options(const std::vector<std::string>& args) {
  const auto o = parse_options(
      args, {"whip", "file", "name", "token", "start-at", "tail-ms", "retry-s", "volume", "drop", "seed", "bitrate"},
      {"loop", "dtx", "no-fec"});
  if (!o) return std::unexpected(o.error());
  PublishOptions out;
  out.whip = o->text("whip");
  out.file = o->text("file");
  out.token = o->text("token");
  if (out.whip.empty() || out.file.empty() || !o->rest.empty()) {
    return fail(ErrorClass::kInvalid, "media",
                "usage: publish --whip URL --file AUDIO [--name N] [--start-at UNIX_MS] [--volume PERCENT] [--tail-ms MS] "
                "[--loop] [--dtx] "
                "[--no-fec] [--bitrate B] [--drop PERCENT --seed N]");
  }
  if (auto url = parse_http_url(out.whip); !url) return std::unexpected(url.error());
  if (const std::string name = o->text("name"); !name.empty()) {
    out.whip += (out.whip.find('?') == std::string::npos ? "?name=" : "&name=") + query_escape(name);
  }
  const auto take = [&](std::string_view name, std::int64_t& value, std::int64_t low, std::int64_t high) -> Result<void> {
    auto n = o->number(name, value, low, high);
    if (!n) return pass(n);
    value = *n;
    return {};
  };
  std::int64_t bitrate = out.encoder.bitrate;
  std::int64_t seed = 1;
  for (auto r :
       {take("start-at", out.start_at_unix_ms, 0, 99'999'999'999'999), take("tail-ms", out.tail_ms, 0, 3'600'000),
        take("retry-s", out.retry_s, 0, 3600), take("volume", out.volume_percent, 0, 1000),
        take("drop", out.drop_percent, 0, 100), take("seed", seed, 0, 1'000'000'000), take("bitrate", bitrate, 6000, 256'000)}) {
    if (!r) return pass(r);
  }
  out.seed = static_cast<std::uint64_t>(seed);
  out.encoder.bitrate = static_cast<int>(bitrate);
  out.encoder.dtx = o->flag("dtx");
  out.encoder.fec = !o->flag("no-fec");
  out.loop = o->flag("loop");
  return out;
}

}  // namespace

int run_publish(const std::vector<std::string>& args) {
  auto options = read_options(args);
  if (!options) return complain(options.error().detail, 2);
  if (auto r = init_gstreamer(); !r) return complain(r.error().detail, 1);
  auto audio = FileAudio::open(options->file, kRate);
  if (!audio) return complain(audio.error().detail, 1);
  Publisher publisher(std::move(*options), std::move(*audio));
  const auto interrupt = [](gpointer p) -> gboolean {
    static_cast<Publisher*>(p)->stop("", 0);
    return G_SOURCE_CONTINUE;
  };
  g_unix_signal_add(SIGTERM, interrupt, &publisher);
  g_unix_signal_add(SIGINT, interrupt, &publisher);
  publisher.connect();
  return run_loop();
}

}  // namespace hansard::webrtc
