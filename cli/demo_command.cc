// `hansard demo`: a daemon, a room and speakers as processes of their own, two meetings in a calendar, shown live.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <ctime>
#include <deque>
#include <filesystem>

#include "adapters/files/files.h"
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/daemon_client.h"
#include "cli/demo_audio.h"
#include "cli/demo_process.h"
#include "cli/http_request.h"
#include "cli/live_view.h"
#include "cli/modules.h"
#include "core/base/text.h"
#include "daemon/data_dir.h"
#include "daemon/system.h"
#include "ipc/process.h"

namespace hansard::cli {
namespace {

constexpr std::int64_t kUntilFirstMs = 10'000;
/// The speakers begin this long after the meeting's start, when the bot has joined.
constexpr std::int64_t kSpeakAfterMs = 4'000;
constexpr std::int64_t kTailMs = 2'500;
constexpr std::int64_t kBetweenMs = 4'000;
constexpr int kMaxRestarts = 20;
/// Speakers connect this long before their meeting, so that a busy machine has the time.
constexpr std::int64_t kConnectAheadMs = 25'000;

volatile std::sig_atomic_t g_interrupted = 0;

std::int64_t now_ms() { return system_now().ms; }

Result<std::uint16_t> free_port(std::uint16_t wanted) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  a.sin_port = htons(wanted);
  const bool bound = ::bind(fd, reinterpret_cast<sockaddr*>(&a), sizeof a) == 0;
  socklen_t n = sizeof a;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&a), &n);
  ::close(fd);
  if (bound) return ntohs(a.sin_port);
  return fail(ErrorClass::kConflict, "demo",
              "port " + std::to_string(wanted) + " is in use; choose another with --port, or leave --port out");
}

struct DemoMeeting {
  std::string room;
  std::string title;
  DemoMeetingAudio audio;
  std::int64_t start_ms = 0;
  std::int64_t speak_ms = 0;
  std::int64_t end_ms = 0;
  bool ended = false;                 ///< the room was closed
  int second_tries = 0;               ///< speakers started again before they had begun
  std::vector<DemoProcess> speakers;  ///< as audio.tracks, once started
};

class Demo {
 public:
  Demo(std::string dir, std::string executable, bool exit_when_done)
      : dir_(std::move(dir)), exe_(std::move(executable)), exit_(exit_when_done) {}

  int run(std::uint16_t wanted_port);

 private:
  Result<void> prepare(std::uint16_t wanted_port);
  Result<void> make_voices();
  Result<void> start_room();
  Result<void> start_daemon();
  Result<void> write_config();
  Result<void> write_calendar();
  Result<DemoProcess> start_speaker(const DemoMeeting& meeting, const DemoTrack& track);
  Result<void> look_after_speakers(DemoMeeting& meeting);
  Result<LocalReply> ask_room(const std::string& method, const std::string& room);
  void follow();
  bool tick();
  void show_results();
  void show_meeting(const std::string& id, const std::string& state);
  void stop_all();

  std::string file(const std::string& name) const { return dir_ + "/" + name; }

  std::string dir_;
  std::string exe_;
  bool exit_;
  std::uint16_t page_port_ = 0;
  std::uint16_t room_port_ = 0;
  std::string token_;
  MeetingScript script_;
  std::vector<DemoMeeting> meetings_;
  std::optional<DemoProcess> room_;
  std::optional<DemoProcess> daemon_;
  int restarts_ = 0;
  LiveView view_{stdout};
  std::set<std::string> shown_;
  std::size_t done_ = 0;
  bool failed_ = false;
  bool said_end_ = false;
  std::string trouble_;
};

Result<void> Demo::prepare(std::uint16_t wanted_port) {
  for (const char* module : {"media", "speech"}) {
    if (find_module(module).empty()) {
      return fail(ErrorClass::kNotFound, "demo",
                  std::string("the module libhansard_") + module + ".so is not beside the program; build it with: scripts/build");
    }
  }
  for (const char* folder : {"", "/data", "/calendar", "/voices", "/logs"}) {
    if (auto r = make_folders(dir_ + folder, 0700); !r) return r;
  }
  auto port = free_port(wanted_port);
  if (!port) return pass(port);
  page_port_ = *port;
  // Known before the daemon runs, so that the address can be said first.
  if (const char* given = std::getenv("HANSARD_API_TOKEN"); given != nullptr && std::string_view(given).size() >= 16)
    token_ = given;
  if (token_.empty()) {
    auto kept = keep_api_token(file("data"));
    if (!kept) return pass(kept);
    token_ = std::move(*kept);
  }
  return {};
}

Result<void> Demo::make_voices() {
  const std::string script_path = find_share_file("demo/script1.json");
  if (script_path.empty())
    return fail(ErrorClass::kNotFound, "demo", "share/demo/script1.json is missing; build or install hansard again");
  const auto text = read_file(script_path, 1 << 20);
  if (!text) return std::unexpected(text.error());
  const auto json = Json::parse(*text);
  if (!json) return std::unexpected(json.error());
  auto script = MeetingScript::read(*json);
  if (!script) return pass(script);
  script_ = std::move(*script);
  const char* cache = std::getenv("HANSARD_CACHE");
  const std::string samples =
      (cache != nullptr && *cache != '\0' ? std::string(cache) : std::string(HANSARD_SOURCE_DIR "/.cache")) + "/samples/pyannote";
  auto recorded = make_recorded_meeting(samples, file("voices"));
  if (!recorded) return pass(recorded);
  auto spoken = make_spoken_meeting(script_, file("voices"));
  if (!spoken) return pass(spoken);
  meetings_.resize(2);
  meetings_[0].room = "telephone";
  meetings_[0].title = "A telephone conversation (recorded)";
  meetings_[0].audio = std::move(*recorded);
  meetings_[1].room = "library";
  meetings_[1].title = script_.title + " (synthetic voices)";
  meetings_[1].audio = std::move(*spoken);
  return {};
}

Result<LocalReply> Demo::ask_room(const std::string& method, const std::string& room) {
  return local_request({"127.0.0.1", room_port_, method, "/rooms/" + room});
}

Result<void> Demo::start_room() {
  const std::string port_file = file("room.port");
  ::unlink(port_file.c_str());
  auto process = DemoProcess::start(
      {exe_, "child", "media", "room", "--listen", "127.0.0.1:0", "--port-file", port_file, "--static", file("calendar")},
      file("logs/room.log"));
  if (!process) return pass(process);
  room_.emplace(std::move(*process));
  for (const std::int64_t limit = now_ms() + 20'000; now_ms() < limit && !room_->poll(); ::usleep(20'000)) {
    const auto text = read_file(port_file, 64);
    std::int64_t port = 0;
    if (!text || !parse_digits(trim(*text), port)) continue;
    room_port_ = static_cast<std::uint16_t>(port);
    for (const auto& m : meetings_) {
      if (auto made = ask_room("PUT", m.room); !made) return pass(made);
    }
    return {};
  }
  return fail(ErrorClass::kUnavailable, "demo", "the room did not start; " + file("logs/room.log") + " says why");
}

Result<void> Demo::write_config() {
  const std::string room = "127.0.0.1:" + std::to_string(room_port_);
  const std::string text =
      "# Written by `hansard demo`.\n"
      "data_dir = \"" +
      file("data") + "\"\noutput_dir = \"" + file("minutes") +
      "\"\n"
      "[listen]\nport = " +
      std::to_string(page_port_) +
      "\n"
      "[[calendar]]\nid = \"demo\"\nurl = \"http://" +
      room +
      "/static/demo.ics\"\ninterval = \"5s\"\n"
      "[leave]\nalone = \"10s\"\n[join]\nnot_started_retry = \"1s\"\n"
      "[media]\nhosts = [\"" +
      room + "\"]\nmin_free_mb = 50\n[http]\nallow_hosts = [\"" + room + "\"]\n";
  return write_file(file("hansard.toml"), text, 0600);
}

std::string ics_time(std::int64_t ms) {
  // "2026-03-04T10:00:00Z" without its separators; whole seconds.
  std::string out;
  for (const char c : format_rfc3339({ms / 1000 * 1000})) {
    if (c != '-' && c != ':') out += c;
  }
  return out;
}

Result<void> Demo::write_calendar() {
  std::int64_t at = (now_ms() + kUntilFirstMs) / 1000 * 1000;
  std::string text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//hansard//demo//EN\r\n";
  for (auto& m : meetings_) {
    m.start_ms = at;
    m.speak_ms = at + kSpeakAfterMs;
    m.end_ms = (m.speak_ms + m.audio.length_ms + kTailMs + 999) / 1000 * 1000;
    at = m.end_ms + kBetweenMs;
    text += "BEGIN:VEVENT\r\nUID:" + m.room + "-" + std::to_string(m.start_ms) +
            "@hansard.demo\r\nDTSTAMP:" + ics_time(now_ms()) + "\r\nDTSTART:" + ics_time(m.start_ms) +
            "\r\nDTEND:" + ics_time(m.end_ms) + "\r\nSUMMARY:" + m.title +
            "\r\nLOCATION:http://127.0.0.1:" + std::to_string(room_port_) + "/rooms/" + m.room + "\r\nEND:VEVENT\r\n";
  }
  return write_file(file("calendar/demo.ics"), text + "END:VCALENDAR\r\n", 0600);
}

Result<DemoProcess> Demo::start_speaker(const DemoMeeting& meeting, const DemoTrack& track) {
  const std::string whip = "http://127.0.0.1:" + std::to_string(room_port_) + "/rooms/" + meeting.room + "/whip";
  return DemoProcess::start({exe_, "child", "media", "publish", "--whip", whip, "--file", track.file, "--name", track.speaker,
                             "--start-at", std::to_string(meeting.speak_ms), "--tail-ms", std::to_string(kTailMs)},
                            file("logs/speaker-" + track.speaker + ".log"));
}

/// Starts them in time, once more when one fails before it has spoken, and closes the room after the last one.
Result<void> Demo::look_after_speakers(DemoMeeting& m) {
  constexpr int kMaxSecondTries = 10;
  const std::int64_t now = now_ms();
  if (m.ended || now < m.start_ms - kConnectAheadMs) return {};
  bool over = true;
  for (std::size_t i = 0; i < m.audio.tracks.size(); ++i) {
    if (i < m.speakers.size()) {
      const auto code = m.speakers[i].poll();
      over = over && code.has_value();
      if (!code || *code == 0) continue;
      if (now >= m.speak_ms || ++m.second_tries > kMaxSecondTries) {
        return fail(ErrorClass::kUnavailable, "demo",
                    "a speaker has failed; " + file("logs/speaker-" + m.audio.tracks[i].speaker + ".log") + " says why");
      }
    }
    auto process = start_speaker(m, m.audio.tracks[i]);
    if (!process) return pass(process);
    over = false;
    if (i < m.speakers.size()) {
      m.speakers[i] = std::move(*process);
    } else {
      m.speakers.push_back(std::move(*process));
    }
  }
  if (!over) return {};
  // The last one out closes the room, as a host does.
  m.ended = true;
  (void)ask_room("DELETE", m.room);
  return {};
}

Result<void> Demo::start_daemon() {
  auto process = DemoProcess::start({exe_, "serve", "--config", file("hansard.toml")}, file("logs/daemon.log"));
  if (!process) return pass(process);
  daemon_.emplace(std::move(*process));
  return {};
}

/// What has to be looked after between events. False: the demo ends.
bool Demo::tick() {
  if (g_interrupted != 0) return false;
  if (daemon_->poll()) {
    if (++restarts_ > kMaxRestarts) {
      trouble_ = "the daemon does not stay up; " + file("logs/daemon.log") + " says why";
      return false;
    }
    std::printf("\n  ! the daemon has died (exit code %d); it is started again\n", *daemon_->poll());
    if (auto r = start_daemon(); !r) {
      trouble_ = r.error().detail;
      return false;
    }
  }
  if (room_->poll()) {
    trouble_ = "the room has died; " + file("logs/room.log") + " says why";
    return false;
  }
  for (auto& m : meetings_) {
    if (auto r = look_after_speakers(m); !r) {
      trouble_ = r.error().detail;
      return false;
    }
  }
  if (done_ == meetings_.size() && exit_) return false;
  return true;
}

void Demo::show_meeting(const std::string& id, const std::string& state) {
  const DaemonClient client("127.0.0.1", page_port_, token_);
  const auto meeting = client.get("/api/meetings/" + id);
  if (!meeting) return;
  shown_.insert(id);
  ++done_;
  if (state != "done") failed_ = true;
  print_meeting(stdout, *meeting, false);
  const bool scripted = meeting->text_or("title").starts_with(script_.title);
  if (!scripted || state != "done") return;
  const auto utterances = from_json<std::vector<Utterance>>((*meeting)["utterances"]);
  auto items = from_json<std::vector<AnalysisItem>>((*meeting)["items"]);
  if (!utterances || !items) return;
  // Due dates in the script are seen from its own day, these from today: they are not compared.
  MeetingScript script = script_;
  for (auto& g : script.gold) g.due.reset();
  for (auto& i : *items) i.due.reset();
  std::string table = format_script_score(script, score_script(script, *utterances, *items));
  for (std::size_t at = 0; (at = table.find(", due", at)) != std::string::npos;)
    table.erase(at, table.find_first_of("]\n", at) - at);
  std::printf("\nWhat of the script was found, missed and invented (dates left out: the script has its own day)\n%s",
              table.c_str());
  std::fflush(stdout);
}

void Demo::show_results() {
  for (const auto& [id, state] : view_.states()) {
    if (shown_.contains(id) || (state != "done" && state != "failed" && state != "cancelled")) continue;
    show_meeting(id, state);
  }
  if (done_ == meetings_.size() && !std::exchange(said_end_, true)) {
    std::printf("\nBoth meetings are over. Minutes are in %s/minutes, logs in %s/logs.\n", dir_.c_str(), dir_.c_str());
    if (!exit_)
      std::printf("The daemon stays up at http://127.0.0.1:%u/#token=%s\nPress Ctrl-C to end it.\n", page_port_, token_.c_str());
    std::fflush(stdout);
  }
}

void Demo::follow() {
  const DaemonClient client("127.0.0.1", page_port_, token_);
  client.follow(0, [&](const std::string& kind, const Json& body) {
    if (!kind.empty()) {
      view_.event(kind, body);
      if (kind != "meeting.state") return true;
    }
    show_results();
    return tick();
  });
}

void Demo::stop_all() {
  for (auto& m : meetings_) {
    for (auto& s : m.speakers) s.stop(2000);
  }
  if (daemon_) daemon_->stop(8000);
  if (room_) room_->stop(3000);
}

int Demo::run(std::uint16_t wanted_port) {
  if (auto r = prepare(wanted_port); !r) return report(r.error());
  std::printf("hansard demo: the page is at http://127.0.0.1:%u/#token=%s\n", page_port_, token_.c_str());
  std::printf("Everything it makes is kept in %s\n", dir_.c_str());
  std::printf("Making the speakers' voices ...\n");
  std::fflush(stdout);
  if (auto r = make_voices(); !r) return report(r.error());
  for (const auto step : {&Demo::start_room, &Demo::write_config, &Demo::start_daemon, &Demo::write_calendar}) {
    if (auto r = (this->*step)(); !r) {
      stop_all();
      return report(r.error());
    }
  }
  for (const auto& m : meetings_) {
    std::printf("In the calendar: %s, %s\n", format_rfc3339({m.start_ms}).c_str(), m.title.c_str());
  }
  std::printf("The room is http://127.0.0.1:%u/rooms/NAME, the calendar http://127.0.0.1:%u/static/demo.ics\n", room_port_,
              room_port_);
  std::fflush(stdout);
  std::signal(SIGINT, [](int) { g_interrupted = 1; });
  std::signal(SIGTERM, [](int) { g_interrupted = 1; });
  follow();
  stop_all();
  if (!trouble_.empty()) return report({ErrorClass::kInternal, "demo", trouble_});
  return failed_ || (exit_ && done_ < meetings_.size()) ? kFailed : kOk;
}

}  // namespace

int cmd_demo(std::span<const std::string> args) {
  const auto a = parse_args(args, {"--dir", "--port"}, {"--exit"});
  if (!a || !a->rest.empty()) return wrong_use(a ? "demo takes no '" + a->rest[0] + "'" : a.error().detail);
  std::int64_t port = 0;
  if (const std::string text = a->text("--port"); !text.empty() && (!parse_digits(text, port) || port > 65535))
    return wrong_use("--port needs a number up to 65535");
  std::string dir = a->text("--dir");
  if (dir.empty()) {
    const auto config = default_config();
    if (!config) return report(config.error());
    dir = config->data_dir + "-demo/" + std::to_string(now_ms() / 1000);
  }
  if (auto r = make_folders(dir, 0700); !r) return report(r.error());
  dir = std::filesystem::absolute(dir).lexically_normal().string();
  const auto exe = ipc::self_executable();
  if (!exe) return report(exe.error());
  return Demo(dir, *exe, a->flag("--exit")).run(static_cast<std::uint16_t>(port));
}

}  // namespace hansard::cli
