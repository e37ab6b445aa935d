#pragma once
// The bot's side of a room's signalling: it registers as a viewer under its display name, which is its announcement,
// and follows who is there.
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "adapters/webrtc/gst/http.h"
#include "adapters/webrtc/gst/loop.h"
#include "ipc/messages.h"

namespace hansard::webrtc {

class RoomClient {
 public:
  struct Events {
    std::function<void(ipc::MediaStatus)> status;  ///< waiting_room, in_call, and all that end the meeting for us
    std::function<void(const ipc::ParticipantUpdate&, const std::string& whep_url)> joined;  ///< no URL: another viewer
    std::function<void(const std::string& id)> left;
  };

  RoomClient(Url room, std::string display_name, std::string token, Events events);
  void join();
  /// Takes our name out of the room.
  void leave(std::function<void()> done);

 private:
  void registered(Result<HttpReply> reply);
  void open_stream();
  void stream_closed(int status);
  void event(const Json& event);
  void roster(const Json& room);
  void add(const Json& participant);
  void remove(const std::string& id);
  void watch();
  void report(ipc::MediaState state, std::string code = {}, std::string vendor_code = {}, std::string announced = {});
  std::string viewer_query() const { return "?viewer=" + query_escape(viewer_); }

  Url room_;
  std::string display_name_;
  std::string token_;
  Events events_;
  std::string viewer_;
  std::set<std::string> present_;
  std::unique_ptr<EventStream> stream_;
  Timer reopen_;
  Timer watchdog_;
  std::int64_t last_event_us_ = 0;
  bool in_call_ = false;
  bool over_ = false;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

/// What a refused HTTP request to enter a meeting means.
ipc::MediaStatus refusal(int http_status);

}  // namespace hansard::webrtc
