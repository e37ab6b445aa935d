#pragma once
// One meeting of the built-in room server: its participants, who publish; viewers, who receive; and what each of them is
// told. A participant has one peer connection, and so has each pair of viewer and participant, so that one's trouble
// stays its own.
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "adapters/webrtc/gst/forwarder.h"
#include "adapters/webrtc/gst/http_server.h"
#include "adapters/webrtc/gst/loop.h"
#include "adapters/webrtc/gst/peer.h"

namespace hansard::webrtc {

struct RoomOptions {
  bool lobby = false;
  Faults faults;
};

class Room {
 public:
  using ResponderPtr = std::shared_ptr<Responder>;

  Room(std::string name, RoomOptions options) : name_(std::move(name)), options_(options) {}

  Json roster() const;
  /// WHIP: takes an SDP offer of a new participant.
  void publish(const std::string& participant_name, const std::string& offer, ResponderPtr responder);
  bool end_publish(const std::string& session);
  /// WHEP: gives a participant's audio to a viewer.
  void play(const std::string& participant, const std::string& viewer, const std::string& offer, ResponderPtr responder);
  bool end_play(const std::string& participant, const std::string& session);

  void add_viewer(const std::string& viewer_name, ResponderPtr responder);
  /// Everybody who watches or waits, in the order of their coming.
  Json viewers() const;
  bool remove_viewer(const std::string& viewer);
  /// Lets a viewer in from the lobby or turns it away. False when there is no such viewer waiting.
  bool decide_viewer(const std::string& viewer, bool admit);
  void open_events(const std::string& viewer, ResponderPtr responder);

  /// Stops forwarding a participant's audio for a while. False when there is no such participant.
  bool inject_outage(const std::string& participant, std::int64_t ms);
  /// Closes the connections to all who receive a participant, without telling them.
  bool inject_hang_up(const std::string& participant);
  /// What the injected faults took away.
  Result<Json> injected(const std::string& participant) const;

  /// Closes everything; all are told.
  void end();
  /// Removes who is gone without a word. Once a second.
  void clean_up();

 private:
  struct Subscription {
    std::unique_ptr<Peer> peer;
    bool failed = false;
  };
  struct Participant {
    std::string id;
    std::string name;
    std::string session;
    std::unique_ptr<Peer> peer;
    std::shared_ptr<Forwarder> forwarder;
    bool failed = false;
    std::map<std::string, Subscription> subscriptions;
  };
  struct Viewer {
    std::string id;
    std::string name;
    bool admitted = true;
    int streams = 0;  ///< open event streams
    int number = 0;   ///< counts up
    std::int64_t last_seen_us = 0;
  };
  struct EventSink {
    std::string viewer;
    ResponderPtr responder;
  };

  void tell(const Json& event, const std::string& only_viewer = {});
  bool may_receive(const std::string& viewer) const;
  void remove_participant(const std::string& id, const char* why);
  void remove_subscription(Participant& participant, const std::string& session);
  std::string new_id(const std::string& participant_name) const;
  Json describe(const Participant& participant) const;
  Json describe(const Viewer& viewer) const;

  std::string name_;
  RoomOptions options_;
  std::map<std::string, Participant> participants_;
  std::map<std::string, Viewer> viewers_;
  std::list<EventSink> sinks_;
  int next_viewer_ = 1;
};

/// Runs the room server (`room --listen ...`) until it is told to end. Returns the exit code.
int run_room(const std::vector<std::string>& args);

/// The page from which a browser publishes its microphone.
extern const std::string_view kJoinPage;

}  // namespace hansard::webrtc
