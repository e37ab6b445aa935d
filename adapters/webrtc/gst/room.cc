#include "adapters/webrtc/gst/room.h"

#include <glib.h>

#include <algorithm>

#include "adapters/webrtc/rtp.h"
#include "core/base/text.h"

namespace hansard::webrtc {
namespace {

constexpr std::size_t kMaxParticipants = 100;
constexpr std::size_t kMaxSubscriptions = 200;
constexpr std::size_t kMaxName = 80;
constexpr std::int64_t kDeadAfterUs = 10'000'000;
constexpr std::int64_t kDeadSubscriberAfterUs = 20'000'000;
constexpr std::int64_t kViewerGoneAfterUs = 10'000'000;
/// A missing packet is waited for this long, and asked for again, before those after it are passed on. Shorter than subscribers
/// wait.
constexpr unsigned kIngestJitterMs = 100;

std::string random_id() {
  gchar* text = g_uuid_string_random();
  std::string out = text;
  g_free(text);
  return out;
}

std::string clean_name(const std::string& name, std::string_view fallback) {
  std::string out;
  for (const char c : sanitize_utf8(trim(name))) {
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) out += c;
  }
  if (out.size() > kMaxName) out = sanitize_utf8(out.substr(0, kMaxName));
  return out.empty() ? std::string(fallback) : out;
}

Headers session_headers(const std::string& location) { return {{"Location", location}, {"ETag", "\"" + random_id() + "\""}}; }

int http_status(const Error& error) { return error.code == ErrorClass::kInvalid ? 400 : 503; }

}  // namespace

Json Room::describe(const Participant& p) const {
  return Json::object()
      .set("id", p.id)
      .set("name", p.name)
      .set("bot", false)
      .set("whep", "/rooms/" + name_ + "/participants/" + p.id + "/whep");
}

Json Room::describe(const Viewer& v) const { return Json::object().set("id", v.id).set("name", v.name).set("bot", true); }

Json Room::roster() const {
  Json list = Json::array();
  for (const auto& [id, p] : participants_) list.push(describe(p));
  for (const auto& [id, v] : viewers_) {
    if (v.admitted) list.push(describe(v));
  }
  return Json::object().set("name", name_).set("state", "open").set("participants", std::move(list));
}

std::string Room::new_id(const std::string& participant_name) const {
  std::string base;
  for (const char c : to_lower(participant_name)) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      base += c;
    } else if (!base.empty() && base.back() != '-') {
      base += '-';
    }
  }
  while (!base.empty() && base.back() == '-') base.pop_back();
  if (base.empty()) base = "participant";
  std::string id = base;
  for (int n = 2; participants_.contains(id); ++n) id = base + "-" + std::to_string(n);
  return id;
}

void Room::publish(const std::string& participant_name, const std::string& offer, ResponderPtr responder) {
  if (participants_.size() >= kMaxParticipants) return responder->reply_error(503, "the room is full");
  if (!is_session_description(offer)) return responder->reply_error(400, "the body is no SDP offer");
  if (!opus_payload_type(offer)) return responder->reply_error(422, "the offer has no Opus audio");
  auto peer = Peer::create({"whip", kIngestJitterMs});
  if (!peer) return responder->reply_error(503, peer.error().detail);
  const std::string name = clean_name(participant_name, "Participant");
  // Somebody who comes back under the same name takes the place of the connection that failed.
  for (const auto& [old_id, old] : participants_) {
    if (old.name != name || !old.failed) continue;
    remove_participant(old_id, "replaced");
    break;
  }
  const std::string id = new_id(name);
  Participant& p = participants_[id];
  p.id = id;
  p.name = name;
  p.session = random_id();
  p.forwarder = std::make_shared<Forwarder>(options_.faults);
  p.peer = std::move(*peer);
  p.peer->on_packet(
      [forwarder = p.forwarder](std::span<const std::uint8_t> packet, std::int64_t) { forwarder->forward(packet); });
  p.peer->on_state([this, id](PeerState state) {
    const auto it = participants_.find(id);
    if (it != participants_.end() && state == PeerState::kFailed) it->second.failed = true;
  });
  p.peer->answer_to_receive(offer, [this, id, responder](Result<std::string> answer) {
    const auto it = participants_.find(id);
    if (it == participants_.end()) return responder->reply_error(503, "the meeting ended");
    if (!answer) {
      responder->reply_error(http_status(answer.error()), answer.error().detail);
      return post([this, id] { remove_participant(id, "refused"); });
    }
    responder->reply(201, "application/sdp", *answer, session_headers("/rooms/" + name_ + "/whip/" + it->second.session));
    log_line("info", "participant_joined", {{"room", name_}, {"participant", id}});
    tell(Json::object().set("type", "participant_joined").set("participant", describe(it->second)));
  });
}

bool Room::end_publish(const std::string& session) {
  for (const auto& [id, p] : participants_) {
    if (p.session != session) continue;
    remove_participant(std::string(id), "left");
    return true;
  }
  return false;
}

bool Room::may_receive(const std::string& viewer) const {
  if (!options_.lobby) return true;
  const auto it = viewers_.find(viewer);
  return it != viewers_.end() && it->second.admitted;
}

void Room::play(const std::string& participant, const std::string& viewer, const std::string& offer, ResponderPtr responder) {
  const auto found = participants_.find(participant);
  if (found == participants_.end()) return responder->reply_error(404, "no such participant");
  if (!may_receive(viewer)) return responder->reply_error(403, "not admitted");
  if (found->second.subscriptions.size() >= kMaxSubscriptions) return responder->reply_error(503, "too many viewers");
  if (!is_session_description(offer)) return responder->reply_error(400, "the body is no SDP offer");
  const auto payload_type = opus_payload_type(offer);
  if (!payload_type) return responder->reply_error(422, "the offer has no Opus audio");
  auto peer = Peer::create({"whep", kIngestJitterMs});
  if (!peer) return responder->reply_error(503, peer.error().detail);
  const std::string session = random_id();
  const std::uint32_t ssrc = g_random_int();
  Subscription& s = found->second.subscriptions[session];
  s.peer = std::move(*peer);
  const auto find = [this, participant, session]() -> Subscription* {
    const auto p = participants_.find(participant);
    if (p == participants_.end()) return nullptr;
    const auto it = p->second.subscriptions.find(session);
    return it == p->second.subscriptions.end() ? nullptr : &it->second;
  };
  s.peer->on_state([find](PeerState state) {
    if (Subscription* it = find(); it != nullptr && state == PeerState::kFailed) it->failed = true;
  });
  s.peer->answer_to_send(offer, *payload_type, ssrc, [=, this](Result<std::string> answer) {
    Subscription* it = find();
    if (it == nullptr) return responder->reply_error(404, "the participant left");
    if (!answer) {
      it->failed = true;  // the next clean-up removes it
      return responder->reply_error(http_status(answer.error()), answer.error().detail);
    }
    participants_[participant].forwarder->add(session, it->peer.get(), *payload_type, ssrc);
    responder->reply(201, "application/sdp", *answer,
                     session_headers("/rooms/" + name_ + "/participants/" + participant + "/whep/" + session));
  });
}

bool Room::end_play(const std::string& participant, const std::string& session) {
  const auto p = participants_.find(participant);
  if (p == participants_.end() || !p->second.subscriptions.contains(session)) return false;
  remove_subscription(p->second, session);
  return true;
}

void Room::remove_subscription(Participant& participant, const std::string& session) {
  participant.forwarder->remove(session);
  participant.subscriptions.erase(session);
}

void Room::remove_participant(const std::string& id, const char* why) {
  const auto it = participants_.find(id);
  if (it == participants_.end()) return;
  // Out of the list first: what the destructors trigger must not find it.
  Participant gone = std::move(it->second);
  participants_.erase(it);
  gone.peer.reset();
  while (!gone.subscriptions.empty()) remove_subscription(gone, std::string(gone.subscriptions.begin()->first));
  log_line("info", "participant_left",
           {{"room", name_}, {"participant", gone.id}, {"why", why}, {"packets", gone.forwarder->received()}});
  tell(Json::object().set("type", "participant_left").set("id", gone.id));
}

void Room::add_viewer(const std::string& viewer_name, ResponderPtr responder) {
  if (viewers_.size() >= kMaxParticipants) return responder->reply_error(503, "too many viewers");
  Viewer v{random_id(), clean_name(viewer_name, "Viewer"), !options_.lobby, 0, next_viewer_++, monotonic_us()};
  const Json reply = describe(v).set("state", v.admitted ? "admitted" : "waiting");
  responder->reply_json(201, reply, {{"Location", "/rooms/" + name_ + "/viewers/" + v.id}});
  log_line("info", "viewer_joined", {{"room", name_}, {"viewer", v.id}, {"admitted", v.admitted}});
  const auto added = viewers_.emplace(v.id, v).first;
  if (v.admitted) tell(Json::object().set("type", "participant_joined").set("participant", describe(added->second)));
}

Json Room::viewers() const {
  std::map<int, const Viewer*> ordered;
  for (const auto& [id, v] : viewers_) ordered[v.number] = &v;
  Json list = Json::array();
  for (const auto& [number, v] : ordered) list.push(describe(*v).set("state", v->admitted ? "admitted" : "waiting"));
  return Json::object().set("viewers", std::move(list));
}

bool Room::remove_viewer(const std::string& viewer) {
  const auto it = viewers_.find(viewer);
  if (it == viewers_.end()) return false;
  viewers_.erase(it);
  tell(Json::object().set("type", "removed"), viewer);
  for (auto sink = sinks_.begin(); sink != sinks_.end();) {
    if (sink->viewer == viewer) sink->responder->end_events();
    sink = sink->viewer == viewer ? sinks_.erase(sink) : std::next(sink);
  }
  log_line("info", "viewer_left", {{"room", name_}, {"viewer", viewer}});
  tell(Json::object().set("type", "participant_left").set("id", viewer));
  return true;
}

bool Room::decide_viewer(const std::string& viewer, bool admit) {
  const auto it = viewers_.find(viewer);
  if (it == viewers_.end() || it->second.admitted) return false;
  if (!admit) {
    tell(Json::object().set("type", "denied"), viewer);
    return remove_viewer(viewer);
  }
  it->second.admitted = true;
  tell(Json::object().set("type", "admitted"), viewer);
  tell(Json::object().set("type", "roster").set("room", roster()), viewer);
  tell(Json::object().set("type", "participant_joined").set("participant", describe(it->second)));
  return true;
}

void Room::open_events(const std::string& viewer, ResponderPtr responder) {
  const auto it = viewers_.find(viewer);
  if (!viewer.empty() && it == viewers_.end()) return responder->reply_error(404, "no such viewer");
  if (options_.lobby && viewer.empty()) return responder->reply_error(403, "register as a viewer first");
  Responder* raw = responder.get();
  responder->begin_events([this, raw, viewer] {
    sinks_.remove_if([raw](const EventSink& sink) { return sink.responder.get() == raw; });
    if (const auto v = viewers_.find(viewer); v != viewers_.end()) {
      --v->second.streams;
      v->second.last_seen_us = monotonic_us();
    }
  });
  if (it != viewers_.end()) ++it->second.streams;
  sinks_.push_back({viewer, responder});
  if (may_receive(viewer)) {
    responder->send_event(Json::object().set("type", "roster").set("room", roster()));
  } else {
    responder->send_event(Json::object().set("type", "waiting"));
  }
}

void Room::tell(const Json& event, const std::string& only_viewer) {
  for (auto sink = sinks_.begin(); sink != sinks_.end();) {
    const bool for_it =
        only_viewer.empty() ? may_receive(sink->viewer) || event.text_or("type") == "ping" : sink->viewer == only_viewer;
    const bool stuck = for_it && !sink->responder->send_event(event);
    sink = stuck ? sinks_.erase(sink) : std::next(sink);
  }
}

bool Room::inject_outage(const std::string& participant, std::int64_t ms) {
  const auto it = participants_.find(participant);
  if (it == participants_.end()) return false;
  it->second.forwarder->silence_until(monotonic_us() + ms * 1000);
  return true;
}

bool Room::inject_hang_up(const std::string& participant) {
  const auto it = participants_.find(participant);
  if (it == participants_.end()) return false;
  auto& subscriptions = it->second.subscriptions;
  while (!subscriptions.empty()) remove_subscription(it->second, std::string(subscriptions.begin()->first));
  return true;
}

Result<Json> Room::injected(const std::string& participant) const {
  const auto it = participants_.find(participant);
  if (it == participants_.end()) return fail(ErrorClass::kNotFound, "media", "no such participant");
  Json list = Json::array();
  for (const auto& d : it->second.forwarder->dropped()) {
    list.push(Json::object().set("sequence", int{d.sequence}).set("at_unix_ms", d.at_unix_ms));
  }
  return Json::object().set("dropped", std::move(list)).set("received", it->second.forwarder->received());
}

void Room::end() {
  for (const auto& sink : sinks_) {
    sink.responder->send_event(Json::object().set("type", "ended"));
    sink.responder->end_events();
  }
  sinks_.clear();
  while (!participants_.empty()) remove_participant(std::string(participants_.begin()->first), "ended");
  viewers_.clear();
}

void Room::clean_up() {
  const std::int64_t now = monotonic_us();
  std::vector<std::string> dead;
  for (auto& [id, p] : participants_) {
    if (p.failed || now - p.peer->last_activity_us() > kDeadAfterUs) dead.push_back(id);
    std::vector<std::string> ended;
    for (const auto& [session, s] : p.subscriptions) {
      if (s.failed || now - s.peer->last_activity_us() > kDeadSubscriberAfterUs) ended.push_back(session);
    }
    for (const auto& session : ended) remove_subscription(p, session);
  }
  for (const auto& id : dead) remove_participant(id, "gone");
  std::vector<std::string> gone;
  for (const auto& [id, v] : viewers_) {
    if (v.streams == 0 && now - v.last_seen_us > kViewerGoneAfterUs) gone.push_back(id);
  }
  for (const auto& id : gone) remove_viewer(id);
  tell(Json::object().set("type", "ping"));
}

}  // namespace hansard::webrtc
