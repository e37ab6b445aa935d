#pragma once
// Opus by libopus: decoding to 16 kHz mono with what the codec offers against loss, and encoding of speech at 48 kHz.
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

struct OpusDecoder;
struct OpusEncoder;

namespace hansard::webrtc {

class AudioDecoder {
 public:
  AudioDecoder();
  ~AudioDecoder();
  AudioDecoder(const AudioDecoder&) = delete;
  AudioDecoder& operator=(const AudioDecoder&) = delete;

  /// The samples of a packet at 16 kHz; empty when it cannot be decoded.
  std::vector<std::int16_t> decode(std::span<const std::uint8_t> payload);
  /// The `samples` before this packet, from the copy it carries.
  std::vector<std::int16_t> decode_fec(std::span<const std::uint8_t> payload, int samples);
  /// A guess at `samples` lost ones.
  std::vector<std::int16_t> conceal(int samples);
  void reset();

 private:
  OpusDecoder* decoder_;
};

struct EncoderOptions {
  int bitrate = 48'000;
  bool fec = true;
  bool dtx = false;  ///< sends next to nothing during silence
};

class AudioEncoder {
 public:
  explicit AudioEncoder(EncoderOptions options);
  ~AudioEncoder();
  AudioEncoder(const AudioEncoder&) = delete;
  AudioEncoder& operator=(const AudioEncoder&) = delete;
  /// 20 ms at 48 kHz mono. Empty when nothing is to be sent (DTX) or on error.
  std::vector<std::uint8_t> encode(std::span<const std::int16_t> samples);

 private:
  OpusEncoder* encoder_;
};

}  // namespace hansard::webrtc
