#pragma once
// One end of the socketpair, for any event loop: non-blocking reads into frames, a bounded queue of bytes to write.
#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

#include "core/base/reflect.h"
#include "core/base/result.h"
#include "ipc/frame.h"

namespace hansard::ipc {

/// Audio is bounded by credit; a peer that lets so much of everything else wait does not read any more, and is given up.
constexpr std::size_t kMaxQueuedBytes = 16u << 20;

class Pipe {
 public:
  /// Takes ownership of a connected stream socket and makes it non-blocking and close-on-exec.
  explicit Pipe(int fd);
  ~Pipe();
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int fd() const { return fd_; }

  /// Reads what is there into the decoder. False at the end of the stream (the peer is gone).
  bool read_some();
  /// The next frame read so far. Errors as FrameDecoder::next.
  Result<std::optional<Frame>> next() { return decoder_.next(); }

  /// Messages are sent as their variant (ToMedia, FromSpeech, ...), which writes the `type`.
  template <class... Messages>
  void send(const std::variant<Messages...>& message) {
    queue(encode(json_text(message)));
  }
  void send(const AudioFrame& audio) { queue(encode(audio)); }

  /// Bytes that wait to be written. Watch the fd for writing while this is not 0.
  std::size_t queued_bytes() const { return out_.size() - written_; }
  /// Writes what the socket takes now. False when the peer is gone.
  bool flush();
  /// Blocks until all is written, the peer is gone (false), or `timeout_ms` is over (false).
  bool flush_all(int timeout_ms);

 private:
  void queue(std::string bytes);

  int fd_;
  FrameDecoder decoder_;
  std::string out_;
  std::size_t written_ = 0;
};

}  // namespace hansard::ipc
