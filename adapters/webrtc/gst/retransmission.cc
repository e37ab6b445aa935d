#include "adapters/webrtc/gst/retransmission.h"

#include <gst/gst.h>
#include <gst/webrtc/webrtc.h>

#include <string_view>

namespace hansard::webrtc {
namespace {

// Feedback may go out once in an interval that the RTCP bandwidth sets (RFC 4585, 3.5.2). With the usual twentieth of the audio's
// it is half a second, too late for most requests; with this it is 35 ms. Regular reports stay 5 s apart, so nothing is sent more
// often where nothing is lost.
constexpr double kFeedbackBytesPerSecond = 64'000;

bool is(GstElement* element, std::string_view factory) {
  GstElementFactory* made_by = gst_element_get_factory(element);
  return made_by != nullptr && factory == GST_OBJECT_NAME(made_by);
}

}  // namespace

void set_nack(GstElement* webrtc, bool wanted) {
  GArray* transceivers = nullptr;
  g_signal_emit_by_name(webrtc, "get-transceivers", &transceivers);
  if (transceivers == nullptr) return;
  for (guint i = 0; i < transceivers->len; ++i) {
    auto* transceiver = g_array_index(transceivers, GstWebRTCRTPTransceiver*, i);
    GstWebRTCKind kind = GST_WEBRTC_KIND_UNKNOWN;
    g_object_get(transceiver, "kind", &kind, nullptr);
    if (kind != GST_WEBRTC_KIND_VIDEO) g_object_set(transceiver, "do-nack", wanted ? TRUE : FALSE, nullptr);
  }
  g_array_unref(transceivers);
}

void prepare_part(GstElement* element, bool nack) {
  if (is(element, "rtpsession")) {
    // Packets are authenticated: a new source needs no probation, which would hold back the first packet that is sent again.
    g_object_set(element, "probation", 0u, "rtcp-fraction", kFeedbackBytesPerSecond, nullptr);
  } else if (is(element, "rtpjitterbuffer")) {
    // Not before a later packet shows that one is missing: a sender that falls silent has sent all it has. And the first packet
    // is passed on when it comes, or its time would be taken for that much later.
    g_object_set(element, "do-retransmission", nack ? TRUE : FALSE, "rtx-next-seqnum", FALSE, "faststart-min-packets", 1u,
                 nullptr);
  }
}

Retransmissions count_retransmissions(GstElement* webrtc) {
  Retransmissions out;
  GstIterator* buffers = gst_bin_iterate_all_by_element_factory_name(GST_BIN(webrtc), "rtpjitterbuffer");
  const auto add = [](const GValue* item, gpointer data) {
    GstStructure* stats = nullptr;
    g_object_get(g_value_get_object(item), "stats", &stats, nullptr);
    guint64 requested = 0;
    guint64 received = 0;
    if (stats != nullptr)
      gst_structure_get(stats, "rtx-count", G_TYPE_UINT64, &requested, "rtx-success-count", G_TYPE_UINT64, &received, nullptr);
    static_cast<Retransmissions*>(data)->requested += requested;
    static_cast<Retransmissions*>(data)->received += received;
    if (stats != nullptr) gst_structure_free(stats);
  };
  gst_iterator_foreach(buffers, add, &out);
  gst_iterator_free(buffers);
  return out;
}

}  // namespace hansard::webrtc
