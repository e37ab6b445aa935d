// The role `decode`: the audio of files, one after the other, as frames of the tracks 1, 2, ... as fast as credit allows. Each
// file ends with its track's end or, where it cannot be decoded, with the status `failed`.
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

  /// Writes what waits. False when the other side is gone.
  bool finish() { return pipe_.flush_all(60'000); }

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

enum class Outcome : std::uint8_t { kDecoded, kRefused, kUnwanted };

Outcome decode_to(const std::string& file, std::uint32_t track, CreditedPipe& out) {
  const auto refuse = [&](const Error& error) {
    out.send(ipc::MediaStatus{ipc::MediaState::kFailed, std::string(name(error.code)), error.detail, ""});
    return out.finish() ? Outcome::kRefused : Outcome::kUnwanted;
  };
  auto audio = FileAudio::open(file, ipc::kSampleRate);
  if (!audio) return refuse(audio.error());
  out.send(ipc::MediaInfo{(*audio)->duration()});
  std::vector<std::int16_t> pending;
  std::int64_t sent = 0;
  const auto cut = [&](std::size_t n) {
    const auto end = pending.begin() + static_cast<std::ptrdiff_t>(n);
    const bool ok = out.send(ipc::AudioFrame{track, false, {sent * 1000 / ipc::kSampleRate}, {pending.begin(), end}});
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
      if (!cut(kFrameSamples)) return Outcome::kUnwanted;
    }
  }
  // The last frame is filled up to a whole millisecond.
  pending.resize((pending.size() + 15) / 16 * 16);
  if (!pending.empty() && !cut(pending.size())) return Outcome::kUnwanted;
  out.send(ipc::TrackClosed{track, {sent * 1000 / ipc::kSampleRate}});
  return out.finish() ? Outcome::kDecoded : Outcome::kUnwanted;
}

}  // namespace

int run_decode(const std::vector<std::string>& args) {
  const auto options = parse_options(args, {"fd"}, {});
  if (!options || options->rest.empty()) return complain("usage: decode FILE... --fd N", 2);
  const auto fd = options->number("fd", 3, 3, 1024);
  if (!fd) return complain(fd.error().detail, 2);
  if (auto r = init_gstreamer(); !r) return complain(r.error().detail, 1);
  CreditedPipe out(static_cast<int>(*fd));
  int code = 0;
  for (std::size_t i = 0; i < options->rest.size(); ++i) {
    const Outcome outcome = decode_to(options->rest[i], static_cast<std::uint32_t>(i) + 1, out);
    if (outcome == Outcome::kUnwanted) return 1;
    if (outcome == Outcome::kRefused) code = 1;
  }
  return code;
}

}  // namespace hansard::webrtc
