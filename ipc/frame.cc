#include "ipc/frame.h"

namespace hansard::ipc {
namespace {

constexpr std::size_t kHeaderBytes = 5;
constexpr std::size_t kAudioHeaderBytes = 13;
constexpr std::uint8_t kJsonKind = 0;
constexpr std::uint8_t kAudioKind = 1;
constexpr std::uint8_t kConcealedFlag = 1;

void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
}
std::uint64_t get(std::string_view s, std::size_t at, int bytes) {
  std::uint64_t v = 0;
  for (int i = 0; i < bytes; ++i)
    v |= static_cast<std::uint64_t>(static_cast<unsigned char>(s[at + static_cast<std::size_t>(i)])) << (8 * i);
  return v;
}

std::unexpected<Error> corrupt(const char* detail) { return fail(ErrorClass::kCorrupt, "ipc", detail); }

Result<std::optional<Frame>> decode_audio(std::string_view payload) {
  if (payload.size() < kAudioHeaderBytes || (payload.size() - kAudioHeaderBytes) % 2 != 0)
    return corrupt("an audio frame of a wrong size");
  AudioFrame audio;
  audio.track = static_cast<std::uint32_t>(get(payload, 0, 4));
  audio.concealed = (get(payload, 4, 1) & kConcealedFlag) != 0;
  audio.start.ms = static_cast<std::int64_t>(get(payload, 5, 8));
  audio.samples.resize((payload.size() - kAudioHeaderBytes) / 2);
  for (std::size_t i = 0; i < audio.samples.size(); ++i) {
    audio.samples[i] = static_cast<std::int16_t>(get(payload, kAudioHeaderBytes + 2 * i, 2));
  }
  return Frame(std::move(audio));
}

}  // namespace

std::string encode(std::string_view message) {
  std::string out;
  out.reserve(kHeaderBytes + message.size());
  put(out, message.size() + 1, 4);
  put(out, kJsonKind, 1);
  out += message;
  return out;
}

std::string encode(const AudioFrame& audio) {
  std::string out;
  const std::size_t size = 1 + kAudioHeaderBytes + 2 * audio.samples.size();
  out.reserve(4 + size);
  put(out, size, 4);
  put(out, kAudioKind, 1);
  put(out, audio.track, 4);
  put(out, audio.concealed ? kConcealedFlag : 0, 1);
  put(out, static_cast<std::uint64_t>(audio.start.ms), 8);
  for (const std::int16_t s : audio.samples) put(out, static_cast<std::uint16_t>(s), 2);
  return out;
}

Result<std::optional<Frame>> FrameDecoder::next() {
  const std::string_view rest = std::string_view(buffer_).substr(consumed_);
  if (rest.size() < kHeaderBytes) {
    buffer_.erase(0, consumed_);
    consumed_ = 0;
    return std::nullopt;
  }
  const std::size_t size = get(rest, 0, 4);
  if (size < 1 || size > kMaxFrameBytes) return corrupt("a frame of a wrong size");
  if (rest.size() < 4 + size) {
    buffer_.erase(0, consumed_);
    consumed_ = 0;
    return std::nullopt;
  }
  const std::string_view payload = rest.substr(kHeaderBytes, size - 1);
  const auto kind = static_cast<std::uint8_t>(rest[4]);
  consumed_ += 4 + size;
  if (kind == kAudioKind) return decode_audio(payload);
  if (kind != kJsonKind) return corrupt("a frame of an unknown kind");
  auto json = Json::parse(payload);
  if (!json) return corrupt("a message that is not JSON");
  return Frame(std::move(*json));
}

}  // namespace hansard::ipc
