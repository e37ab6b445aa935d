#pragma once
// Frames on the socketpair between the daemon and a child (docs/formats/ipc.md).
//
//   u32 length of what follows, little endian | u8 kind | payload
//
// Kind 0 is one JSON message (ipc/messages.h). Kind 1 is audio: u32 track | u8 flags | i64 media time in ms of the
// first sample | s16 little-endian mono samples at 16 kHz. A frame longer than kMaxFrameBytes is an error: the
// reader must close.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/base/time.h"

namespace hansard::ipc {

constexpr std::size_t kMaxFrameBytes = 1 << 20;
constexpr int kSampleRate = 16'000;

/// The audio of one track. Along a track, frames follow each other without holes or overlaps in media time.
struct AudioFrame {
  std::uint32_t track = 0;
  /// Nothing had arrived for this time when it was due; the samples are filler. A TrackGap says later what it was.
  bool concealed = false;
  MediaTime start;
  std::vector<std::int16_t> samples;

  /// Samples / 16 ms; frames hold whole milliseconds (a multiple of 16 samples).
  Duration length() const { return {static_cast<std::int64_t>(samples.size()) / (kSampleRate / 1000)}; }
  MediaTime end() const { return start + length(); }
};

using Frame = std::variant<Json, AudioFrame>;

/// Encoded bytes of a frame. `message` is JSON text.
std::string encode(std::string_view message);
std::string encode(const AudioFrame& audio);
/// Bytes that encode(audio) gives: what it costs in credit.
constexpr std::size_t encoded_size(const AudioFrame& audio) { return 18 + 2 * audio.samples.size(); }

/// Turns a byte stream into frames.
class FrameDecoder {
 public:
  void push(std::string_view bytes) { buffer_.append(bytes); }
  /// The next whole frame, nullopt when more bytes are needed. Errors: kCorrupt; the stream cannot go on then.
  Result<std::optional<Frame>> next();

 private:
  std::string buffer_;
  std::size_t consumed_ = 0;
};

}  // namespace hansard::ipc
