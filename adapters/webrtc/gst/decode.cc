// The role `decode`: a file's audio as frames of track 1, as fast as credit allows.
#include <poll.h>

#include <cstdlib>

#include "adapters/webrtc/gst/file_audio.h"
#include "adapters/webrtc/gst/loop.h"
#include "adapters/webrtc/gst/options.h"
#include "adapters/webrtc/gst/peer.h"
#include "adapters/webrtc/gst/roles.h"
#include "adapters/webrtc/outbox.h"
#include "ipc/pipe.h"

namespace hansard::webrtc {
namespace {

constexpr std::uint32_t kTrack = 1;
constexpr std::size_t kFrameSamples = ipc::kSampleRate / 10;

/// The far end, spoken to without a loop: decoding has nothing else to do while it waits.
class CreditedPipe {
 public:
  explicit CreditedPipe(int fd) : pipe_(fd) {}

  void send(const ipc::FromMedia& message) { pipe_.send(message); }

  /// Waits for credit. False when the other side is gone or wants no more.
  bool send(const ipc::AudioFrame& frame) {
    const std::size_t size = encoded_size(frame);
    while (credit_ < size) {
      if (!wait()) return false;
    }
    credit_ -= size;
    pipe_.send(frame);
    return true;
  }

  void finish() { pipe_.flush_all(60'000); }

 private:
  bool wait() {
    pollfd p{pipe_.fd(), static_cast<short>(POLLIN | (pipe_.queued_bytes() > 0 ? POLLOUT : 0)), 0};
    if (::poll(&p, 1, -1) < 0) return errno == EINTR;
    if (!pipe_.flush()) return false;
    if ((p.revents & ~POLLOUT) != 0 && !pipe_.read_some()) return false;
    while (true) {
      auto frame = pipe_.next();
      if (!frame) return false;
      if (!*frame) return true;
      const Json* json = std::get_if<Json>(&**frame);
      if (json == nullptr) return false;
      const auto message = from_json<ipc::ToMedia>(*json);
      if (!message) continue;
      if (const auto* credit = std::get_if<ipc::Credit>(&*message)) credit_ += credit->bytes;
      if (std::holds_alternative<ipc::Leave>(*message)) return false;
    }
  }

  ipc::Pipe pipe_;
  std::uint64_t credit_ = 0;
};

int decode_to(const std::string& file, CreditedPipe& out) {
  const auto refuse = [&](const Error& error) {
    out.send(ipc::MediaStatus{ipc::MediaState::kFailed, std::string(name(error.code)), error.detail, ""});
    out.finish();
    return 1;
  };
  auto audio = FileAudio::open(file, ipc::kSampleRate);
  if (!audio) return refuse(audio.error());
  out.send(ipc::MediaInfo{(*audio)->duration()});
  std::vector<std::int16_t> pending;
  std::int64_t sent = 0;
  const auto cut = [&](std::size_t n) {
    const auto end = pending.begin() + static_cast<std::ptrdiff_t>(n);
    const bool ok = out.send(ipc::AudioFrame{kTrack, false, {sent * 1000 / ipc::kSampleRate}, {pending.begin(), end}});
    pending.erase(pending.begin(), end);
    sent += static_cast<std::int64_t>(n);
    return ok;
  };
  while (true) {
    auto samples = (*audio)->read();
    if (!samples) return refuse(samples.error());
    if (samples->empty()) break;
    pending.insert(pending.end(), samples->begin(), samples->end());
    while (pending.size() >= kFrameSamples) {
      if (!cut(kFrameSamples)) return 1;
    }
  }
  // The last frame is filled up to a whole millisecond.
  pending.resize((pending.size() + 15) / 16 * 16);
  if (!pending.empty() && !cut(pending.size())) return 1;
  out.send(ipc::TrackClosed{kTrack, {sent * 1000 / ipc::kSampleRate}});
  out.finish();
  return 0;
}

}  // namespace

int run_decode(const std::vector<std::string>& args) {
  const auto options = parse_options(args, {"fd"}, {});
  if (!options || options->rest.size() != 1) return complain("usage: decode FILE --fd N", 2);
  const auto fd = options->number("fd", 3, 3, 1024);
  if (!fd) return complain(fd.error().detail, 2);
  if (auto r = init_gstreamer(); !r) return complain(r.error().detail, 1);
  CreditedPipe out(static_cast<int>(*fd));
  return decode_to(options->rest[0], out);
}

}  // namespace hansard::webrtc
