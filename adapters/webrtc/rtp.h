#pragma once
// What we read and write of RTP (RFC 3550), Opus packets (RFC 6716) and session descriptions (RFC 8866).
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hansard::webrtc {

struct RtpHeader {
  std::uint8_t payload_type = 0;
  bool marker = false;
  std::uint16_t sequence = 0;
  std::uint32_t timestamp = 0;
  std::uint32_t ssrc = 0;
  std::size_t payload_offset = 0;
  std::size_t payload_size = 0;  ///< without padding
};

/// nullopt when the bytes are no RTP packet of version 2.
std::optional<RtpHeader> parse_rtp(std::span<const std::uint8_t> packet);

/// A packet without extensions.
std::vector<std::uint8_t> make_rtp(const RtpHeader& header, std::span<const std::uint8_t> payload);

/// Samples at 48 kHz that an Opus packet lasts (its TOC byte; RFC 6716, 3.1); 0 when it is malformed or longer than 120 ms.
int opus_duration(std::span<const std::uint8_t> payload);
/// Whether the packet carries a low-bitrate copy of the frame before it (in-band FEC; RFC 6716, 4.2.3).
bool opus_has_fec(std::span<const std::uint8_t> payload);

/// The dynamic payload type of Opus in an offer or answer, or nullopt when there is no Opus.
std::optional<std::uint8_t> opus_payload_type(std::string_view sdp);
/// Whether the description lets lost packets of its Opus be asked for again: generic NACK (RFC 4585, 4.2), not "nack pli".
bool has_nack(std::string_view sdp);
/// Whether the text looks like a session description with at least one media section.
bool is_session_description(std::string_view sdp);

/// The description with every SHA-256 fingerprint replaced.
std::string with_fingerprint(std::string_view sdp, std::string_view fingerprint);

}  // namespace hansard::webrtc
