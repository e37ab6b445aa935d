#include "adapters/webrtc/gst/room_client.h"

#include <utility>

namespace hansard::webrtc {
namespace {

constexpr std::int64_t kSignallingLostUs = 3'000'000;
constexpr unsigned kReopenMs = 300;

}  // namespace

ipc::MediaStatus refusal(int http_status) {
  using enum ipc::MediaState;
  const std::string words = "HTTP " + std::to_string(http_status);
  switch (http_status) {
    case 401: return {kFailed, "login_required", words, ""};
    case 403: return {kDenied, "denied", words, ""};
    case 404:
    case 410: return {kFailed, "meeting_not_found", words, ""};
    case 429: return {kLost, "", words, ""};
    default:
      return http_status >= 500 ? ipc::MediaStatus{kLost, "", words, ""} : ipc::MediaStatus{kFailed, "internal", words, ""};
  }
}

RoomClient::RoomClient(Url room, std::string display_name, std::string token, Events events)
    : room_(std::move(room)), display_name_(std::move(display_name)), token_(std::move(token)), events_(std::move(events)) {}

void RoomClient::report(ipc::MediaState state, std::string code, std::string vendor_code, std::string announced) {
  using enum ipc::MediaState;
  if (over_) return;
  over_ = state == kLost || state == kEnded || state == kDenied || state == kFailed;
  if (over_) {
    watchdog_.cancel();
    reopen_.cancel();
  }
  events_.status({state, std::move(code), std::move(vendor_code), std::move(announced)});
}

void RoomClient::join() {
  const Json body = Json::object().set("name", display_name_);
  http_send({"POST", room_.origin + room_.path + "/viewers", "application/json", body.dump(), token_},
            [this, alive = std::weak_ptr(alive_)](Result<HttpReply> reply) {
              if (!alive.expired()) registered(std::move(reply));
            });
}

void RoomClient::registered(Result<HttpReply> reply) {
  if (!reply) return report(ipc::MediaState::kLost, "", reply.error().detail);
  if (reply->status != 201) {
    auto status = refusal(reply->status);
    return report(status.state, status.code, status.vendor_code);
  }
  const auto json = Json::parse(reply->body);
  viewer_ = json ? json->text_or("id") : "";
  if (viewer_.empty()) return report(ipc::MediaState::kFailed, "internal", "the room's answer is not understood");
  last_event_us_ = monotonic_us();
  watchdog_ = Timer::every(200, [this] { watch(); });
  open_stream();
}

void RoomClient::open_stream() {
  stream_ = std::make_unique<EventStream>(
      room_.origin + room_.path + "/events" + viewer_query(), token_, [this](const Json& e) { event(e); },
      [this](int status) { stream_closed(status); });
}

void RoomClient::stream_closed(int status) {
  if (over_) return;
  if (status == 404) return report(ipc::MediaState::kLost, "", "the room no longer knows us");
  if (status == 401 || status == 403) {
    const auto r = refusal(status);
    return report(r.state, r.code, r.vendor_code);
  }
  reopen_ = Timer::after(kReopenMs, [this] { open_stream(); });
}

void RoomClient::watch() {
  if (monotonic_us() - last_event_us_ > kSignallingLostUs) report(ipc::MediaState::kLost, "", "signalling silent for 3 s");
}

void RoomClient::event(const Json& event) {
  if (over_) return;
  last_event_us_ = monotonic_us();
  const std::string type = event.text_or("type");
  if (type == "roster") {
    roster(event["room"]);
  } else if (type == "participant_joined") {
    add(event["participant"]);
  } else if (type == "participant_left") {
    remove(event.text_or("id"));
  } else if (type == "waiting") {
    report(ipc::MediaState::kWaitingRoom);
  } else if (type == "ended") {
    report(ipc::MediaState::kEnded);
  } else if (type == "denied") {
    report(ipc::MediaState::kDenied, "denied", "denied");
  } else if (type == "removed") {
    report(ipc::MediaState::kFailed, "removed", "removed");
  }
}

void RoomClient::roster(const Json& room) {
  if (!std::exchange(in_call_, true)) report(ipc::MediaState::kInCall, "", "", "display_name");
  std::set<std::string> now;
  for (const Json& p : room["participants"].items()) {
    now.insert(p.text_or("id"));
    add(p);
  }
  const std::set<std::string> before = present_;
  for (const auto& id : before) {
    if (!now.contains(id)) remove(id);
  }
}

void RoomClient::add(const Json& participant) {
  const std::string id = participant.text_or("id");
  if (id.empty() || id == viewer_ || !present_.insert(id).second) return;
  std::string whep = participant.text_or("whep");
  if (!whep.empty()) {
    if (whep.starts_with('/')) whep = room_.origin + whep;
    whep += viewer_query();
  }
  events_.joined({id, participant.text_or("name"), true, participant.bool_or("bot", false)}, whep);
}

void RoomClient::remove(const std::string& id) {
  if (present_.erase(id) > 0) events_.left(id);
}

void RoomClient::leave(std::function<void()> done) {
  over_ = true;
  watchdog_.cancel();
  reopen_.cancel();
  stream_.reset();
  if (viewer_.empty()) return done();
  http_send({"DELETE", room_.origin + room_.path + "/viewers/" + viewer_, "", "", token_},
            [done = std::move(done)](Result<HttpReply>) { done(); });
}

}  // namespace hansard::webrtc
