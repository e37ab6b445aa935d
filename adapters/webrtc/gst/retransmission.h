#pragma once
// Asking for lost packets again, with what webrtcbin has: its jitter buffer notices that a packet is missing and has a NACK sent
// (RFC 4585), its sender keeps the last packets and sends them again, as RTX (RFC 4588) where that was agreed on. A peer without
// RTX sends the packet itself once more; that is a late packet to us.
#include <cstdint>

typedef struct _GstElement GstElement;

namespace hansard::webrtc {

struct Retransmissions {
  std::uint64_t requested = 0;  ///< packets asked for, each time counted
  std::uint64_t received = 0;   ///< came as RTX, in time (what is sent again without RTX cannot be told from a late packet)
};

/// Whether the audio transceivers that `webrtc` has offer, accept and make requests.
void set_nack(GstElement* webrtc, bool wanted);

/// Sets up a part that webrtcbin has just made inside itself, if it is one for this. From any thread.
void prepare_part(GstElement* element, bool nack);

/// Of the jitter buffers inside `webrtc`.
Retransmissions count_retransmissions(GstElement* webrtc);

}  // namespace hansard::webrtc
