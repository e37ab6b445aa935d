#include "adapters/webrtc/rtp.h"

#include <algorithm>

#include "core/base/text.h"

namespace hansard::webrtc {
namespace {

constexpr std::size_t kFixedHeader = 12;

std::uint32_t read_u16(const std::uint8_t* p) { return static_cast<std::uint32_t>(p[0] << 8 | p[1]); }
std::uint32_t read_u32(const std::uint8_t* p) { return read_u16(p) << 16 | read_u16(p + 2); }

void write_u32(std::uint8_t* p, std::uint32_t v) {
  for (int i = 0; i < 4; ++i) p[i] = static_cast<std::uint8_t>(v >> (24 - 8 * i));
}

}  // namespace

std::optional<RtpHeader> parse_rtp(std::span<const std::uint8_t> packet) {
  if (packet.size() < kFixedHeader || (packet[0] >> 6) != 2) return std::nullopt;
  RtpHeader h;
  h.payload_type = packet[1] & 0x7f;
  h.marker = (packet[1] & 0x80) != 0;
  h.sequence = static_cast<std::uint16_t>(read_u16(&packet[2]));
  h.timestamp = read_u32(&packet[4]);
  h.ssrc = read_u32(&packet[8]);
  std::size_t offset = kFixedHeader + 4u * (packet[0] & 0x0f);
  if ((packet[0] & 0x10) != 0) {
    if (packet.size() < offset + 4) return std::nullopt;
    offset += 4 + 4 * read_u16(&packet[offset + 2]);
  }
  std::size_t end = packet.size();
  if ((packet[0] & 0x20) != 0) {
    const std::size_t padding = packet.back();
    if (padding == 0 || padding > end) return std::nullopt;
    end -= padding;
  }
  if (offset > end) return std::nullopt;
  h.payload_offset = offset;
  h.payload_size = end - offset;
  return h;
}

std::vector<std::uint8_t> make_rtp(const RtpHeader& header, std::span<const std::uint8_t> payload) {
  std::vector<std::uint8_t> out(kFixedHeader + payload.size());
  out[0] = 0x80;
  out[1] = static_cast<std::uint8_t>((header.marker ? 0x80 : 0) | (header.payload_type & 0x7f));
  out[2] = static_cast<std::uint8_t>(header.sequence >> 8);
  out[3] = static_cast<std::uint8_t>(header.sequence);
  write_u32(&out[4], header.timestamp);
  write_u32(&out[8], header.ssrc);
  std::copy(payload.begin(), payload.end(), out.begin() + kFixedHeader);
  return out;
}

namespace {

// Samples at 48 kHz of one frame, from the configuration number in the TOC.
int frame_duration(std::uint8_t toc) {
  const int config = toc >> 3;
  if (config < 12) {
    constexpr int kSilk[] = {480, 960, 1920, 2880};
    return kSilk[config & 3];
  }
  if (config < 16) return (config & 1) != 0 ? 960 : 480;
  return 120 << (config & 3);
}

// Where the first frame's data begins, for codes 0 to 3; 0 when there is none.
std::size_t first_frame_offset(std::span<const std::uint8_t> p) {
  const int code = p[0] & 3;
  if (code < 2) return 1;
  const auto length_bytes = [&](std::size_t at) -> std::size_t { return at < p.size() && p[at] >= 252 ? 2 : 1; };
  if (code == 2) return 1 + length_bytes(1);
  if (p.size() < 2) return 0;
  const std::size_t frames = p[1] & 0x3f;
  std::size_t at = 2;
  if ((p[1] & 0x40) != 0) {
    while (at < p.size() && p[at] == 255) ++at;
    ++at;
  }
  if ((p[1] & 0x80) != 0) {
    for (std::size_t i = 0; i + 1 < frames; ++i) at += length_bytes(at);
  }
  return at;
}

}  // namespace

int opus_duration(std::span<const std::uint8_t> payload) {
  if (payload.empty()) return 0;
  int frames = 1;
  const int code = payload[0] & 3;
  if (code == 1 || code == 2) frames = 2;
  if (code == 3) frames = payload.size() < 2 ? 0 : payload[1] & 0x3f;
  const int total = frames * frame_duration(payload[0]);
  return total > 5760 ? 0 : total;
}

bool opus_has_fec(std::span<const std::uint8_t> payload) {
  if (payload.empty() || (payload[0] >> 3) >= 16) return false;  // CELT has no such copy
  const std::size_t at = first_frame_offset(payload);
  if (at == 0 || at >= payload.size()) return false;
  // The first bits of the range coder are plain: a voice flag for each 20 ms of the frame, then the flag we look for;
  // the same again for the second channel.
  const int parts = std::max(1, frame_duration(payload[0]) / 960);
  const bool mid = (payload[at] >> (7 - parts) & 1) != 0;
  const bool side = (payload[0] & 4) != 0 && (payload[at] >> (6 - 2 * parts) & 1) != 0;
  return mid || side;
}

std::optional<std::uint8_t> opus_payload_type(std::string_view sdp) {
  constexpr std::string_view kMap = "a=rtpmap:";
  for (std::string_view line : split(sdp, '\n')) {
    line = trim(line);
    if (!line.starts_with(kMap)) continue;
    line.remove_prefix(kMap.size());
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos || !starts_with_ignore_case(line.substr(space + 1), "opus/48000")) continue;
    std::int64_t number = 0;
    if (parse_digits(line.substr(0, space), number) && number < 128) return static_cast<std::uint8_t>(number);
  }
  return std::nullopt;
}

bool has_nack(std::string_view sdp) {
  constexpr std::string_view kFeedback = "a=rtcp-fb:";
  const auto opus = opus_payload_type(sdp);
  if (!opus) return false;
  for (std::string_view line : split(sdp, '\n')) {
    line = trim(line);
    if (!line.starts_with(kFeedback)) continue;
    line.remove_prefix(kFeedback.size());
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos || trim(line.substr(space)) != "nack") continue;
    std::int64_t number = 0;
    if (line.substr(0, space) == "*" || (parse_digits(line.substr(0, space), number) && number == *opus)) return true;
  }
  return false;
}

bool is_session_description(std::string_view sdp) {
  return sdp.starts_with("v=0") && sdp.find("\nm=") != std::string_view::npos &&
         sdp.find("a=ice-ufrag:") != std::string_view::npos;
}

std::string with_fingerprint(std::string_view sdp, std::string_view fingerprint) {
  constexpr std::string_view kAttribute = "a=fingerprint:sha-256 ";
  std::string out;
  while (true) {
    const std::size_t at = sdp.find(kAttribute);
    if (at == std::string_view::npos) return out.append(sdp);
    const std::size_t end = sdp.find_first_of("\r\n", at);
    out.append(sdp.substr(0, at)).append(kAttribute).append(fingerprint);
    if (end == std::string_view::npos) return out;
    sdp.remove_prefix(end);
  }
}

}  // namespace hansard::webrtc
