#include "adapters/webrtc/gst/peer.h"

#include <arpa/inet.h>
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <gst/sdp/sdp.h>
#include <gst/webrtc/webrtc.h>
#include <ifaddrs.h>
#include <net/if.h>

#include <atomic>
#include <utility>

#include "adapters/webrtc/gst/certificate.h"
#include "adapters/webrtc/gst/loop.h"
#include "adapters/webrtc/rtp.h"

namespace hansard::webrtc {
namespace {

constexpr unsigned kGatherTimeoutMs = 5000;

/// Every usable address of this machine, loopback included (link-local IPv6 needs a scope that SDP cannot carry).
std::vector<std::string> local_addresses() {
  std::vector<std::string> out;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return out;
  for (const ifaddrs* a = list; a != nullptr; a = a->ifa_next) {
    if (a->ifa_addr == nullptr || (a->ifa_flags & IFF_UP) == 0) continue;
    char text[INET6_ADDRSTRLEN] = {};
    if (a->ifa_addr->sa_family == AF_INET) {
      ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(a->ifa_addr)->sin_addr, text, sizeof text);
    } else if (a->ifa_addr->sa_family == AF_INET6) {
      const auto& address = reinterpret_cast<const sockaddr_in6*>(a->ifa_addr)->sin6_addr;
      if (IN6_IS_ADDR_LINKLOCAL(&address) || IN6_IS_ADDR_LOOPBACK(&address)) continue;
      ::inet_ntop(AF_INET6, &address, text, sizeof text);
    } else {
      continue;
    }
    out.emplace_back(text);
  }
  ::freeifaddrs(list);
  return out;
}

std::string text_of(const GstWebRTCSessionDescription* description) {
  gchar* text = gst_sdp_message_as_text(description->sdp);
  std::string out = text != nullptr ? text : "";
  g_free(text);
  return out;
}

GstWebRTCSessionDescription* parse_description(GstWebRTCSDPType type, const std::string& sdp) {
  if (!is_session_description(sdp)) return nullptr;
  GstSDPMessage* message = nullptr;
  if (gst_sdp_message_new(&message) != GST_SDP_OK) return nullptr;
  if (gst_sdp_message_parse_buffer(reinterpret_cast<const guint8*>(sdp.data()), static_cast<guint>(sdp.size()), message) !=
      GST_SDP_OK) {
    gst_sdp_message_free(message);
    return nullptr;
  }
  return gst_webrtc_session_description_new(type, message);
}

}  // namespace

/// Callbacks of GStreamer's threads hold a weak pointer to this and post to the loop.
struct Peer::Impl : std::enable_shared_from_this<Peer::Impl> {
  PeerOptions options;
  GstElement* pipeline = nullptr;
  GstElement* webrtc = nullptr;
  GstElement* source = nullptr;
  StateHandler state_handler;
  PacketHandler packet_handler;
  SdpHandler sdp_handler;
  Timer gather_timer;
  bool local_set = false;
  std::atomic<bool> connected{false};
  std::atomic<bool> nack{false};  ///< agreed on with the other side
  std::atomic<std::int64_t> last_activity{0};

  using Weak = std::weak_ptr<Impl>;
  Weak* weak() { return new Weak(weak_from_this()); }
  static void free_weak(gpointer data, GClosure*) { delete static_cast<Weak*>(data); }
  static void free_weak_data(gpointer data) { delete static_cast<Weak*>(data); }
  static std::shared_ptr<Impl> lock(gpointer data) { return static_cast<Weak*>(data)->lock(); }

  /// Stops GStreamer's threads. On the loop's thread: the last reference may be dropped by one of the threads it joins.
  void stop() {
    if (pipeline == nullptr) return;
    connected = false;
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(std::exchange(pipeline, nullptr));
  }

  Result<void> build();
  void start();
  void name_addresses();
  void watch_transport();
  void add_source(std::uint8_t payload_type, std::uint32_t ssrc);
  void agree_on_nack(const std::string& remote);
  void connect_signal(gpointer object, const char* signal, GCallback callback) {
    g_signal_connect_data(object, signal, callback, weak(), free_weak, static_cast<GConnectFlags>(0));
  }
  /// Calls `then` on the loop when webrtcbin has fulfilled the promise, with its reply or an error text.
  GstPromise* promise(std::function<void(Impl&, const GstStructure*, std::string error)> then);
  void create(const char* what, SdpHandler done);
  void created(const char* what, const GstStructure* reply, const std::string& error);
  void set_remote(GstWebRTCSDPType type, const std::string& sdp, std::function<void(Impl&, Result<void>)> done);
  void give_local();
  void finish_sdp(Result<std::string> sdp);
  void state_changed();

  static void on_state_notify(GObject*, GParamSpec*, gpointer self);
  static void on_gathering_notify(GObject*, GParamSpec*, gpointer self);
  static void on_pad_added(GstElement*, GstPad* pad, gpointer self);
  static void on_transceiver(GstElement*, GstWebRTCRTPTransceiver* transceiver, gpointer self);
  static void on_element_added(GstBin*, GstBin*, GstElement* element, gpointer self);
  static GstFlowReturn on_sample(GstAppSink* sink, gpointer self);
  static GstPadProbeReturn on_transport_buffer(GstPad*, GstPadProbeInfo*, gpointer self);
};

Result<void> init_gstreamer() {
  GError* error = nullptr;
  if (!gst_init_check(nullptr, nullptr, &error)) {
    std::string detail = error != nullptr ? error->message : "GStreamer does not start";
    g_clear_error(&error);
    return fail(ErrorClass::kInternal, "media", detail);
  }
  constexpr std::pair<const char*, const char*> kNeeded[] = {
      {"webrtcbin", "gstreamer1.0-plugins-bad"}, {"dtlsdec", "gstreamer1.0-plugins-bad"},
      {"srtpdec", "gstreamer1.0-plugins-bad"},   {"nicesrc", "gstreamer1.0-nice"},
      {"rtpbin", "gstreamer1.0-plugins-good"},   {"appsink", "gstreamer1.0-plugins-base"}};
  for (const auto& [element, package] : kNeeded) {
    GstElementFactory* factory = gst_element_factory_find(element);
    if (factory == nullptr) {
      return fail(ErrorClass::kInternal, "media", std::string("GStreamer lacks ") + element + "; install the package " + package);
    }
    gst_object_unref(factory);
  }
  return {};
}

Result<void> Peer::Impl::build() {
  pipeline = gst_pipeline_new(nullptr);
  webrtc = gst_element_factory_make("webrtcbin", nullptr);
  if (webrtc == nullptr) {
    return fail(ErrorClass::kInternal, "media", "GStreamer lacks webrtcbin; install the package gstreamer1.0-plugins-bad");
  }
  g_object_set(webrtc, "bundle-policy", GST_WEBRTC_BUNDLE_POLICY_MAX_BUNDLE, "latency", options.jitter_ms, nullptr);
  gst_bin_add(GST_BIN(pipeline), webrtc);
  GstClock* clock = gst_system_clock_obtain();
  gst_pipeline_use_clock(GST_PIPELINE(pipeline), clock);
  gst_object_unref(clock);
  last_activity = monotonic_us();
  name_addresses();
  connect_signal(webrtc, "notify::connection-state", G_CALLBACK(&Impl::on_state_notify));
  connect_signal(webrtc, "notify::ice-gathering-state", G_CALLBACK(&Impl::on_gathering_notify));
  connect_signal(webrtc, "pad-added", G_CALLBACK(&Impl::on_pad_added));
  connect_signal(webrtc, "on-new-transceiver", G_CALLBACK(&Impl::on_transceiver));
  connect_signal(pipeline, "deep-element-added", G_CALLBACK(&Impl::on_element_added));
  return {};
}

void Peer::Impl::start() { gst_element_set_state(pipeline, GST_STATE_PLAYING); }

void Peer::Impl::name_addresses() {
  // Without names webrtcbin offers no loopback candidate; with names it offers only these.
  GObject* ice = nullptr;
  g_object_get(webrtc, "ice-agent", &ice, nullptr);
  if (ice == nullptr) return;
  // Media goes by UDP; and asking the router for a port (UPnP) is not ours to do: it would cost 200 ms a connection, too.
  GObject* agent = nullptr;
  g_object_get(ice, "agent", &agent, nullptr);
  if (agent != nullptr) g_object_set(agent, "ice-tcp", FALSE, "upnp", FALSE, nullptr);
  g_clear_object(&agent);
  for (const std::string& address : local_addresses()) {
    gboolean ok = FALSE;
    g_signal_emit_by_name(ice, "add-local-ip-address", address.c_str(), &ok);
  }
  g_object_unref(ice);
}

void Peer::Impl::on_element_added(GstBin*, GstBin*, GstElement* element, gpointer self) {
  GstElementFactory* factory = gst_element_get_factory(element);
  if (factory == nullptr) return;
  if (g_strcmp0(GST_OBJECT_NAME(factory), "dtlsdec") == 0) g_object_set(element, "pem", dtls_certificate().pem.c_str(), nullptr);
  if (const auto impl = lock(self)) prepare_part(element, impl->nack);
  if (g_strcmp0(GST_OBJECT_NAME(factory), "nicesrc") != 0) return;
  GstPad* pad = gst_element_get_static_pad(element, "src");
  gst_pad_add_probe(pad, static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST),
                    &Impl::on_transport_buffer, new Weak(*static_cast<Weak*>(self)), &Impl::free_weak_data);
  gst_object_unref(pad);
}

GstPadProbeReturn Peer::Impl::on_transport_buffer(GstPad*, GstPadProbeInfo*, gpointer self) {
  if (const auto impl = lock(self)) impl->last_activity = monotonic_us();
  return GST_PAD_PROBE_OK;
}

void Peer::Impl::on_transceiver(GstElement*, GstWebRTCRTPTransceiver* transceiver, gpointer) {
  // The other side may offer video as well: it is answered as inactive.
  GstWebRTCKind kind = GST_WEBRTC_KIND_UNKNOWN;
  g_object_get(transceiver, "kind", &kind, nullptr);
  if (kind == GST_WEBRTC_KIND_VIDEO)
    g_object_set(transceiver, "direction", GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_INACTIVE, nullptr);
}

void Peer::Impl::on_pad_added(GstElement*, GstPad* pad, gpointer self) {
  const auto impl = lock(self);
  if (!impl || GST_PAD_DIRECTION(pad) != GST_PAD_SRC) return;
  GstElement* sink = gst_element_factory_make("appsink", nullptr);
  g_object_set(sink, "sync", FALSE, "async", FALSE, "max-buffers", 200u, "drop", TRUE, nullptr);
  GstAppSinkCallbacks callbacks = {};
  callbacks.new_sample = &Impl::on_sample;
  gst_app_sink_set_callbacks(GST_APP_SINK(sink), &callbacks, impl->weak(), &Impl::free_weak_data);
  gst_bin_add(GST_BIN(impl->pipeline), sink);
  gst_element_sync_state_with_parent(sink);
  GstPad* target = gst_element_get_static_pad(sink, "sink");
  if (gst_pad_link(pad, target) != GST_PAD_LINK_OK) log_line("error", "pad_not_linked", {{"peer", impl->options.label}});
  gst_object_unref(target);
}

GstFlowReturn Peer::Impl::on_sample(GstAppSink* sink, gpointer self) {
  GstSample* sample = gst_app_sink_pull_sample(sink);
  if (sample == nullptr) return GST_FLOW_EOS;
  const auto impl = lock(self);
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  GstMapInfo map;
  if (impl && impl->packet_handler && buffer != nullptr && gst_buffer_map(buffer, &map, GST_MAP_READ)) {
    impl->packet_handler({map.data, map.size}, monotonic_us());
    gst_buffer_unmap(buffer, &map);
  }
  gst_sample_unref(sample);
  return GST_FLOW_OK;
}

void Peer::Impl::on_state_notify(GObject*, GParamSpec*, gpointer self) {
  const auto impl = lock(self);
  if (!impl) return;
  post([weak = Weak(impl)] {
    if (const auto alive = weak.lock()) alive->state_changed();
  });
}

void Peer::Impl::state_changed() {
  if (pipeline == nullptr) return;
  GstWebRTCPeerConnectionState state = GST_WEBRTC_PEER_CONNECTION_STATE_NEW;
  g_object_get(webrtc, "connection-state", &state, nullptr);
  connected = state == GST_WEBRTC_PEER_CONNECTION_STATE_CONNECTED;
  // The handler may end the peer: take what it needs first.
  const StateHandler handler = state_handler;
  if (!handler) return;
  switch (state) {
    case GST_WEBRTC_PEER_CONNECTION_STATE_CONNECTED: handler(PeerState::kConnected); break;
    case GST_WEBRTC_PEER_CONNECTION_STATE_FAILED:
    case GST_WEBRTC_PEER_CONNECTION_STATE_CLOSED: handler(PeerState::kFailed); break;
    default: handler(PeerState::kConnecting); break;
  }
}

GstPromise* Peer::Impl::promise(std::function<void(Impl&, const GstStructure*, std::string)> then) {
  struct Context {
    Weak impl;
    std::function<void(Impl&, const GstStructure*, std::string)> then;
  };
  const auto changed = [](GstPromise* p, gpointer data) {
    auto* context = static_cast<Context*>(data);
    std::shared_ptr<GstStructure> reply;
    if (const GstStructure* s = gst_promise_get_reply(p)) reply.reset(gst_structure_copy(s), gst_structure_free);
    gst_promise_unref(p);
    post([impl = context->impl, then = std::move(context->then), reply] {
      const auto alive = impl.lock();
      if (!alive || alive->pipeline == nullptr) return;
      std::string text;
      GError* error = nullptr;
      if (reply && gst_structure_has_field(reply.get(), "error") &&
          gst_structure_get(reply.get(), "error", G_TYPE_ERROR, &error, nullptr) && error != nullptr) {
        text = error->message;
        g_error_free(error);
      }
      then(*alive, reply.get(), text);
    });
  };
  return gst_promise_new_with_change_func(changed, new Context{weak_from_this(), std::move(then)},
                                          [](gpointer data) { delete static_cast<Context*>(data); });
}

void Peer::Impl::create(const char* what, SdpHandler done) {
  sdp_handler = std::move(done);
  gather_timer = Timer::after(kGatherTimeoutMs, [this] {
    finish_sdp(fail(ErrorClass::kUnavailable, "media", "no ICE candidates were gathered in time"));
  });
  const std::string name = what;
  GstPromise* p = promise(
      [name](Impl& self, const GstStructure* reply, const std::string& error) { self.created(name.c_str(), reply, error); });
  g_signal_emit_by_name(webrtc, name == "offer" ? "create-offer" : "create-answer", nullptr, p);
}

void Peer::Impl::created(const char* what, const GstStructure* reply, const std::string& error) {
  GstWebRTCSessionDescription* description = nullptr;
  if (reply != nullptr && error.empty())
    gst_structure_get(reply, what, GST_TYPE_WEBRTC_SESSION_DESCRIPTION, &description, nullptr);
  if (description == nullptr) {
    finish_sdp(fail(ErrorClass::kInvalid, "media", error.empty() ? std::string("no ") + what + " could be made" : error));
    return;
  }
  GstPromise* p = promise([](Impl& self, const GstStructure*, const std::string& set_error) {
    if (!set_error.empty()) {
      self.finish_sdp(fail(ErrorClass::kInvalid, "media", set_error));
      return;
    }
    self.local_set = true;
    self.give_local();
  });
  g_signal_emit_by_name(webrtc, "set-local-description", description, p);
  gst_webrtc_session_description_free(description);
}

void Peer::Impl::on_gathering_notify(GObject*, GParamSpec*, gpointer self) {
  const auto impl = lock(self);
  if (!impl) return;
  post([weak = Weak(impl)] {
    if (const auto alive = weak.lock()) alive->give_local();
  });
}

// Hands out the local description as soon as it is set and all candidates are in it.
void Peer::Impl::give_local() {
  if (pipeline == nullptr) return;
  GstWebRTCICEGatheringState state = GST_WEBRTC_ICE_GATHERING_STATE_NEW;
  g_object_get(webrtc, "ice-gathering-state", &state, nullptr);
  if (!local_set || !sdp_handler || state != GST_WEBRTC_ICE_GATHERING_STATE_COMPLETE) return;
  GstWebRTCSessionDescription* local = nullptr;
  g_object_get(webrtc, "local-description", &local, nullptr);
  if (local == nullptr) return;
  std::string text = text_of(local);
  gst_webrtc_session_description_free(local);
  // For a certificate that it was given webrtcbin 1.22 hashes the key as well: the fingerprint is ours to correct.
  finish_sdp(with_fingerprint(text, dtls_certificate().fingerprint));
}

void Peer::Impl::finish_sdp(Result<std::string> sdp) {
  gather_timer.cancel();
  if (const auto handler = std::exchange(sdp_handler, nullptr)) handler(std::move(sdp));
}

void Peer::Impl::set_remote(GstWebRTCSDPType type, const std::string& sdp, std::function<void(Impl&, Result<void>)> done) {
  GstWebRTCSessionDescription* description = parse_description(type, sdp);
  if (description == nullptr) {
    done(*this, fail(ErrorClass::kInvalid, "media", "that is no usable session description"));
    return;
  }
  GstPromise* p = promise([done = std::move(done)](Impl& self, const GstStructure*, const std::string& error) {
    if (error.empty()) {
      done(self, {});
    } else {
      done(self, fail(ErrorClass::kInvalid, "media", error));
    }
  });
  g_signal_emit_by_name(webrtc, "set-remote-description", description, p);
  gst_webrtc_session_description_free(description);
}

void Peer::Impl::add_source(std::uint8_t payload_type, std::uint32_t ssrc) {
  GstCaps* caps = gst_caps_new_simple("application/x-rtp", "media", G_TYPE_STRING, "audio", "encoding-name", G_TYPE_STRING,
                                      "OPUS", "clock-rate", G_TYPE_INT, 48000, "encoding-params", G_TYPE_STRING, "2", "payload",
                                      G_TYPE_INT, int{payload_type}, "ssrc", G_TYPE_UINT, ssrc, "minptime", G_TYPE_STRING, "10",
                                      "useinbandfec", G_TYPE_STRING, "1", nullptr);
  source = gst_element_factory_make("appsrc", nullptr);
  g_object_set(source, "is-live", TRUE, "format", GST_FORMAT_TIME, "do-timestamp", TRUE, "block", FALSE, "max-buffers",
               guint64{50}, "max-bytes", guint64{0}, "max-time", guint64{0}, "leaky-type", GST_APP_LEAKY_TYPE_DOWNSTREAM, "caps",
               caps, nullptr);
  gst_bin_add(GST_BIN(pipeline), source);
  GstPad* out = gst_element_get_static_pad(source, "src");
  GstPadTemplate* sink_template = gst_element_class_get_pad_template(GST_ELEMENT_GET_CLASS(webrtc), "sink_%u");
  GstPad* in = gst_element_request_pad(webrtc, sink_template, "sink_0", caps);
  if (in == nullptr || gst_pad_link(out, in) != GST_PAD_LINK_OK) log_line("error", "pad_not_linked", {{"peer", options.label}});
  GstWebRTCRTPTransceiver* transceiver = nullptr;
  if (in != nullptr) g_object_get(in, "transceiver", &transceiver, nullptr);
  if (transceiver != nullptr) {
    g_object_set(transceiver, "direction", GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDONLY, "codec-preferences", caps, nullptr);
    gst_object_unref(transceiver);
  }
  if (in != nullptr) gst_object_unref(in);
  gst_object_unref(out);
  gst_caps_unref(caps);
  gst_element_sync_state_with_parent(source);
}

// Requests are made and answered where the other side's description has them; ours then repeats them.
void Peer::Impl::agree_on_nack(const std::string& remote) {
  nack = has_nack(remote);
  set_nack(webrtc, nack);
}

Peer::Peer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Peer::~Peer() {
  impl_->gather_timer.cancel();
  impl_->sdp_handler = nullptr;
  impl_->state_handler = nullptr;
  impl_->stop();
}

Result<std::unique_ptr<Peer>> Peer::create(PeerOptions options) {
  auto impl = std::make_shared<Impl>();
  impl->options = std::move(options);
  if (auto r = impl->build(); !r) return pass(r);
  return std::unique_ptr<Peer>(new Peer(std::move(impl)));
}

void Peer::on_state(StateHandler handler) { impl_->state_handler = std::move(handler); }
void Peer::on_packet(PacketHandler handler) { impl_->packet_handler = std::move(handler); }

void Peer::offer_to_receive(SdpHandler done) {
  impl_->start();
  GstCaps* caps = gst_caps_from_string(
      "application/"
      "x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000,encoding-params=(string)2,minptime=(string)10,"
      "useinbandfec=(string)1");
  GstWebRTCRTPTransceiver* transceiver = nullptr;
  g_signal_emit_by_name(impl_->webrtc, "add-transceiver", GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_RECVONLY, caps, &transceiver);
  gst_caps_unref(caps);
  if (transceiver != nullptr) gst_object_unref(transceiver);
  set_nack(impl_->webrtc, true);
  impl_->create("offer", std::move(done));
}

void Peer::offer_to_send(std::uint8_t payload_type, std::uint32_t ssrc, SdpHandler done) {
  impl_->add_source(payload_type, ssrc);
  set_nack(impl_->webrtc, true);
  impl_->start();
  impl_->create("offer", std::move(done));
}

void Peer::answer_to_receive(const std::string& offer, SdpHandler done) {
  impl_->start();
  impl_->set_remote(GST_WEBRTC_SDP_TYPE_OFFER, offer, [offer, done = std::move(done)](Impl& self, Result<void> set) {
    if (!set) {
      done(pass(set));
      return;
    }
    self.agree_on_nack(offer);
    self.create("answer", done);
  });
}

void Peer::answer_to_send(const std::string& offer, std::uint8_t payload_type, std::uint32_t ssrc, SdpHandler done) {
  impl_->start();
  impl_->set_remote(GST_WEBRTC_SDP_TYPE_OFFER, offer, [=](Impl& self, Result<void> set) {
    if (!set) {
      done(pass(set));
      return;
    }
    self.add_source(payload_type, ssrc);
    self.agree_on_nack(offer);
    self.create("answer", done);
  });
}

void Peer::accept_answer(const std::string& answer, std::function<void(Result<void>)> done) {
  impl_->agree_on_nack(answer);
  impl_->set_remote(GST_WEBRTC_SDP_TYPE_ANSWER, answer,
                    [done = std::move(done)](Impl&, Result<void> set) { done(std::move(set)); });
}

void Peer::send(std::span<const std::uint8_t> packet) {
  if (!impl_->connected || impl_->source == nullptr) return;
  GstBuffer* buffer = gst_buffer_new_memdup(packet.data(), packet.size());
  gst_app_src_push_buffer(GST_APP_SRC(impl_->source), buffer);
}

std::unique_ptr<Peer> warm_up() {
  auto peer = Peer::create({"warm-up", 0});
  if (!peer) return nullptr;
  (*peer)->offer_to_receive([](Result<std::string>) {});
  return std::move(*peer);
}

bool Peer::connected() const { return impl_->connected; }
std::int64_t Peer::last_activity_us() const { return impl_->last_activity; }
Retransmissions Peer::retransmissions() const {
  return impl_->pipeline == nullptr ? Retransmissions{} : count_retransmissions(impl_->webrtc);
}

}  // namespace hansard::webrtc
