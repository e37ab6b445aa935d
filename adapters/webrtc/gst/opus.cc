#include "adapters/webrtc/gst/opus.h"

#include <opus/opus.h>

#include <algorithm>

#include "core/base/check.h"

namespace hansard::webrtc {
namespace {

constexpr int kRate = 16'000;
constexpr int kMaxSamples = kRate * 120 / 1000;
constexpr int kUnit = kRate / 400;  // libopus conceals whole multiples of 2.5 ms

}  // namespace

AudioDecoder::AudioDecoder() {
  int error = OPUS_OK;
  decoder_ = opus_decoder_create(kRate, 1, &error);
  CHECK(decoder_ != nullptr);
}
AudioDecoder::~AudioDecoder() { opus_decoder_destroy(decoder_); }

std::vector<std::int16_t> AudioDecoder::decode(std::span<const std::uint8_t> payload) {
  std::vector<std::int16_t> out(kMaxSamples);
  const int n = opus_decode(decoder_, payload.data(), static_cast<opus_int32>(payload.size()), out.data(), kMaxSamples, 0);
  out.resize(static_cast<std::size_t>(std::max(n, 0)));
  return out;
}

std::vector<std::int16_t> AudioDecoder::decode_fec(std::span<const std::uint8_t> payload, int samples) {
  std::vector<std::int16_t> out(static_cast<std::size_t>(samples));
  if (opus_decode(decoder_, payload.data(), static_cast<opus_int32>(payload.size()), out.data(), samples, 1) < 0) {
    std::fill(out.begin(), out.end(), std::int16_t{0});
  }
  return out;
}

std::vector<std::int16_t> AudioDecoder::conceal(int samples) {
  std::vector<std::int16_t> out(static_cast<std::size_t>(samples));
  const int whole = std::min(samples - samples % kUnit, kMaxSamples);
  if (whole > 0 && opus_decode(decoder_, nullptr, 0, out.data(), whole, 0) < 0)
    std::fill(out.begin(), out.end(), std::int16_t{0});
  return out;
}

void AudioDecoder::reset() { opus_decoder_ctl(decoder_, OPUS_RESET_STATE); }

AudioEncoder::AudioEncoder(EncoderOptions options) {
  int error = OPUS_OK;
  encoder_ = opus_encoder_create(48'000, 1, OPUS_APPLICATION_AUDIO, &error);
  CHECK(encoder_ != nullptr);
  opus_encoder_ctl(encoder_, OPUS_SET_BITRATE(options.bitrate));
  opus_encoder_ctl(encoder_, OPUS_SET_INBAND_FEC(options.fec ? 1 : 0));
  opus_encoder_ctl(encoder_, OPUS_SET_PACKET_LOSS_PERC(options.fec ? 10 : 0));
  opus_encoder_ctl(encoder_, OPUS_SET_DTX(options.dtx ? 1 : 0));
  opus_encoder_ctl(encoder_, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
}
AudioEncoder::~AudioEncoder() { opus_encoder_destroy(encoder_); }

std::vector<std::uint8_t> AudioEncoder::encode(std::span<const std::int16_t> samples) {
  std::vector<std::uint8_t> out(1275);
  const int n =
      opus_encode(encoder_, samples.data(), static_cast<int>(samples.size()), out.data(), static_cast<opus_int32>(out.size()));
  // libopus: a packet of 2 bytes or less need not be sent.
  out.resize(n > 2 ? static_cast<std::size_t>(n) : 0);
  return out;
}

}  // namespace hansard::webrtc
