// The role `room`: HTTP in front of the rooms.
#include <glib-unix.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "adapters/webrtc/gst/options.h"
#include "adapters/webrtc/gst/room.h"
#include "core/base/hash.h"
#include "core/base/text.h"

namespace hansard::webrtc {
namespace {

constexpr unsigned kWarmUpMs = 3000;
constexpr std::size_t kMaxRooms = 100;
constexpr std::uintmax_t kMaxStaticFile = 4 << 20;
constexpr std::int64_t kMaxOutageMs = 600'000;

using ResponderPtr = std::shared_ptr<Responder>;

bool is_room_name(std::string_view name) {
  if (name.empty() || name.size() > 64) return false;
  for (const char c : name) {
    const bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (!ok) return false;
  }
  return true;
}

std::string_view content_type_of(std::string_view name) {
  if (name.ends_with(".ics")) return "text/calendar; charset=utf-8";
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  if (name.ends_with(".json")) return "application/json";
  if (name.ends_with(".wav")) return "audio/wav";
  return "application/octet-stream";
}

class RoomServer {
 public:
  RoomServer(RoomOptions options, std::string static_dir) : options_(options), static_dir_(std::move(static_dir)) {
    cleaner_ = Timer::every(1000, [this] {
      ended_.clear();
      for (auto& [name, room] : rooms_) room->clean_up();
    });
  }

  void handle(const ServerRequest& request, const ResponderPtr& responder) {
    const auto& path = request.path;
    const bool reads = request.method == "GET" || request.method == "HEAD";
    if (path.empty()) return reads ? landing(responder) : responder->reply_error(405, "only GET here");
    if (path[0] == "static" && path.size() == 2)
      return reads ? serve_file(request, responder) : responder->reply_error(405, "only GET here");
    if (path[0] != "rooms" || path.size() < 2) return responder->reply_error(404, "no such page");
    if (!is_room_name(path[1])) return responder->reply_error(400, "a room's name has 1 to 64 letters, digits, - and _");
    if (path.size() == 2) return handle_room(request, responder);
    if (path[2] == "join" && path.size() == 3 && reads) return responder->reply(200, "text/html; charset=utf-8", kJoinPage);
    if (path[2] == "whip") return handle_whip(request, responder);
    const auto room = rooms_.find(path[1]);
    if (room == rooms_.end()) return responder->reply_error(404, "no such room");
    if (path[2] == "events" && path.size() == 3 && reads)
      return room->second->open_events(request.query_value("viewer"), responder);
    if (path[2] == "viewers") return handle_viewers(*room->second, request, responder);
    if (path[2] == "participants" && path.size() >= 5) return handle_participant(*room->second, request, responder);
    responder->reply_error(404, "no such page");
  }

  void end_all() {
    for (auto& [name, room] : rooms_) room->end();
    rooms_.clear();
  }

 private:
  Room* room_or_new(const std::string& name) {
    auto it = rooms_.find(name);
    if (it == rooms_.end()) {
      if (rooms_.size() >= kMaxRooms) return nullptr;
      it = rooms_.emplace(name, std::make_unique<Room>(name, options_)).first;
      log_line("info", "room_opened", {{"room", name}});
    }
    return it->second.get();
  }

  void landing(const ResponderPtr& responder) {
    Json names = Json::array();
    for (const auto& [name, room] : rooms_) names.push(name);
    responder->reply_json(200, Json::object().set("service", "hansard room").set("rooms", std::move(names)));
  }

  void handle_room(const ServerRequest& request, const ResponderPtr& responder) {
    const std::string& name = request.path[1];
    const auto it = rooms_.find(name);
    if (request.method == "PUT" || request.method == "POST") {
      Room* room = room_or_new(name);
      if (room == nullptr) return responder->reply_error(503, "too many rooms");
      return responder->reply_json(it == rooms_.end() ? 201 : 200, room->roster(), {{"Location", "/rooms/" + name}});
    }
    if (it == rooms_.end()) return responder->reply_error(404, "no such room");
    if (request.method == "GET" || request.method == "HEAD") return responder->reply_json(200, it->second->roster());
    if (request.method != "DELETE") return responder->reply_error(405, "GET, PUT, POST or DELETE");
    auto room = std::move(it->second);
    rooms_.erase(it);
    room->end();
    log_line("info", "room_ended", {{"room", name}});
    ended_.push_back(std::move(room));  // callbacks that are on their way may still name it
    responder->reply(200, "application/json", "{}");
  }

  void handle_whip(const ServerRequest& request, const ResponderPtr& responder) {
    const auto& path = request.path;
    if (path.size() == 3) {
      if (request.method == "HEAD" || request.method == "GET") return responder->reply(200, "application/sdp", "");
      if (request.method != "POST") return responder->reply_error(405, "POST an SDP offer here");
      if (request.content_type != "application/sdp") return responder->reply_error(415, "the body must be application/sdp");
      Room* room = room_or_new(path[1]);
      if (room == nullptr) return responder->reply_error(503, "too many rooms");
      return room->publish(request.query_value("name"), request.body, responder);
    }
    const auto room = rooms_.find(path[1]);
    if (path.size() != 4 || room == rooms_.end()) return responder->reply_error(404, "no such session");
    if (request.method != "DELETE") return responder->reply_error(405, "only DELETE; all candidates are in the answer");
    if (!room->second->end_publish(path[3])) return responder->reply_error(404, "no such session");
    responder->reply(200, "application/json", "{}");
  }

  void handle_participant(Room& room, const ServerRequest& request, const ResponderPtr& responder) {
    const auto& path = request.path;
    const std::string& id = path[3];
    if (path[4] == "whep" && path.size() == 5) {
      if (request.method == "HEAD" || request.method == "GET") return responder->reply(200, "application/sdp", "");
      if (request.method != "POST") return responder->reply_error(405, "POST an SDP offer here");
      if (request.content_type != "application/sdp") return responder->reply_error(415, "the body must be application/sdp");
      return room.play(id, request.query_value("viewer"), request.body, responder);
    }
    if (path[4] == "whep" && path.size() == 6) {
      if (request.method != "DELETE") return responder->reply_error(405, "only DELETE; all candidates are in the answer");
      if (!room.end_play(id, path[5])) return responder->reply_error(404, "no such session");
      return responder->reply(200, "application/json", "{}");
    }
    if (!options_.faults.enabled || path.size() != 5) return responder->reply_error(404, "no such page");
    if (path[4] == "outage" && request.method == "POST") {
      std::int64_t ms = 0;
      if (!parse_digits(request.query_value("ms"), ms) || ms > kMaxOutageMs) return responder->reply_error(400, "ms=1..600000");
      const std::int64_t now = unix_ms();
      if (!room.inject_outage(id, ms)) return responder->reply_error(404, "no such participant");
      return responder->reply_json(200, Json::object().set("from_unix_ms", now).set("until_unix_ms", now + ms));
    }
    if (path[4] == "hangup" && request.method == "POST") {
      if (!room.inject_hang_up(id)) return responder->reply_error(404, "no such participant");
      return responder->reply(200, "application/json", "{}");
    }
    if (path[4] == "faults" && request.method == "GET") {
      auto json = room.injected(id);
      if (!json) return responder->reply_error(404, json.error().detail);
      return responder->reply_json(200, *json);
    }
    responder->reply_error(404, "no such page");
  }

  void handle_viewers(Room& room, const ServerRequest& request, const ResponderPtr& responder) {
    const auto& path = request.path;
    if (path.size() == 3 && request.method == "POST") {
      const auto json = Json::parse(request.body);
      if (!json || !(*json)["name"].is_string()) return responder->reply_error(400, "the body must be {\"name\": TEXT}");
      return room.add_viewer(json->text_or("name"), responder);
    }
    if (path.size() == 3 && request.method == "GET") return responder->reply_json(200, room.viewers());
    bool known = false;
    if (path.size() == 4 && request.method == "DELETE") {
      known = room.remove_viewer(path[3]);
    } else if (path.size() == 5 && request.method == "POST" && (path[4] == "admit" || path[4] == "deny")) {
      known = room.decide_viewer(path[3], path[4] == "admit");
    } else {
      return responder->reply_error(405, "GET the viewers, POST one, DELETE one, or POST its admit or deny");
    }
    if (!known) return responder->reply_error(404, "no such viewer");
    responder->reply(200, "application/json", "{}");
  }

  void serve_file(const ServerRequest& request, const ResponderPtr& responder) {
    const std::string& name = request.path[1];
    const std::filesystem::path path = std::filesystem::path(static_dir_) / name;
    std::error_code error;
    const bool plain = !name.starts_with('.') && name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
    if (static_dir_.empty() || !plain || !std::filesystem::is_regular_file(path, error) ||
        std::filesystem::file_size(path, error) > kMaxStaticFile) {
      return responder->reply_error(404, "no such file");
    }
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    const std::string etag = "\"" + sha256_hex(text.str(), 32) + "\"";
    if (request.if_none_match == etag) return responder->reply(304, "", "", {{"ETag", etag}});
    responder->reply(200, content_type_of(name), text.str(), {{"ETag", etag}, {"Cache-Control", "no-cache"}});
  }

  RoomOptions options_;
  std::string static_dir_;
  std::map<std::string, std::unique_ptr<Room>> rooms_;
  std::vector<std::unique_ptr<Room>> ended_;
  Timer cleaner_;
};

gboolean stop(gpointer) {
  quit_loop(0);
  return G_SOURCE_REMOVE;
}

/// Writes the port where a script waits for it: complete or not at all.
bool write_port(const std::string& file, unsigned port) {
  const std::string part = file + ".part";
  std::ofstream(part) << port << "\n";
  std::error_code error;
  std::filesystem::rename(part, file, error);
  return !error;
}

}  // namespace

int run_room(const std::vector<std::string>& args) {
  constexpr const char* kUsage =
      "room --listen ADDRESS:PORT [--port-file FILE] [--static DIR] [--lobby] [--faults [--drop PERCENT] [--seed N]]";
  const auto options = parse_options(args, {"listen", "port-file", "static", "drop", "seed"}, {"lobby", "faults"});
  if (!options) return complain(options.error().detail + "; usage: " + kUsage, 2);
  const std::string listen = options->text("listen", "127.0.0.1:0");
  const std::size_t colon = listen.rfind(':');
  std::int64_t port = 0;
  if (colon == std::string::npos || !parse_digits(listen.substr(colon + 1), port) || port > 65'535 || !options->rest.empty()) {
    return complain(std::string("usage: ") + kUsage, 2);
  }
  const auto drop = options->number("drop", 0, 0, 100);
  const auto seed = options->number("seed", 1, 0, 1'000'000'000);
  if (!drop || !seed) return complain((!drop ? drop : seed).error().detail, 2);
  RoomOptions room_options;
  room_options.lobby = options->flag("lobby");
  room_options.faults = {options->flag("faults"), static_cast<unsigned>(*drop), static_cast<std::uint64_t>(*seed)};
  if (*drop > 0 && !room_options.faults.enabled) return complain("--drop is only for tests: add --faults", 2);
  if (auto r = init_gstreamer(); !r) return complain(r.error().detail, 1);

  RoomServer rooms(room_options, options->text("static"));
  const auto server = HttpServer::listen(listen.substr(0, colon), static_cast<unsigned>(port),
                                         [&rooms](const ServerRequest& q, const ResponderPtr& r) { rooms.handle(q, r); });
  if (!server) return complain(server.error().detail, 1);
  const std::string port_file = options->text("port-file");
  if (!port_file.empty() && !write_port(port_file, (*server)->port())) return complain("cannot write " + port_file, 1);
  auto warm_peer = warm_up();
  const Timer warm_up_end = Timer::after(kWarmUpMs, [&warm_peer] { warm_peer.reset(); });
  log_line("info", "room_server_listening", {{"port", (*server)->port()}});
  g_unix_signal_add(SIGTERM, stop, nullptr);
  g_unix_signal_add(SIGINT, stop, nullptr);
  const int code = run_loop();
  rooms.end_all();
  return code;
}

}  // namespace hansard::webrtc
