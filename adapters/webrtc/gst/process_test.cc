// Room, publisher and capture as processes over loopback, on real speech.
#include "adapters/webrtc/gst/process_harness.h"

namespace hansard::webrtc::test {
namespace {

class MediaProcesses : public ::testing::Test {
 protected:
  void SetUp() override {
    file = speech_file();
    if (file.empty()) GTEST_SKIP() << "no recorded speech: install pocketsphinx-testdata";
  }
  std::vector<std::string> publish(const RoomProcess& room, const std::string& name, std::int64_t start_at,
                                   std::vector<std::string> more = {}) const {
    std::vector<std::string> args{"publish", "--whip",     room.url("/rooms/demo/whip"), "--file", file, "--name",
                                  name,      "--start-at", std::to_string(start_at)};
    args.insert(args.end(), more.begin(), more.end());
    return args;
  }
  std::string file;
};

TEST_F(MediaProcesses, TwoParticipantsAreHeardWholeAndInTime) {
  RoomProcess room;
  ASSERT_EQ(http(room.port, "PUT", "/rooms/demo").first, 201);
  Bot bot;
  bot.join(room.url("/rooms/demo"));
  ASSERT_TRUE(bot.until_state(ipc::MediaState::kInCall));
  EXPECT_EQ(bot.statuses.back().announced, "display_name");
  EXPECT_NE(http(room.port, "GET", "/rooms/demo").second.find("hansard (records)"), std::string::npos);
  bot.capture();
  const std::int64_t start = unix_now_ms() + 8000;  // time enough to connect on a busy machine
  Child ada(publish(room, "Ada", start));
  Child bob(publish(room, "Bob", start + 500, {"--volume", "50"}));
  ASSERT_TRUE(bot.until([&] { return bot.present("ada") && bot.present("bob"); }, 15));
  EXPECT_EQ(bot.participants["ada"].name, "Ada");
  ASSERT_TRUE(bot.until([&] { return !bot.present("ada") && !bot.present("bob"); }, 40));
  EXPECT_EQ(ada.wait(), 0);
  EXPECT_EQ(bob.wait(), 0);
  const auto source = samples_of(file);
  for (const auto& [id, begins] : std::map<std::string, std::int64_t>{{"ada", start}, {"bob", start + 500}}) {
    const Bot::Track* t = bot.track_of(id);
    ASSERT_NE(t, nullptr) << id;
    const Fit f = fit(*t, source, begins - bot.origin);
    std::printf("%s: correlation %.3f, %lld ms late\n", id.c_str(), f.correlation, static_cast<long long>(f.late_ms));
    EXPECT_GT(f.correlation, 0.9);
    EXPECT_LE(std::abs(f.late_ms), 100);
    EXPECT_EQ(t->closed, t->end());
  }
  bot.send(ipc::Leave{});
  EXPECT_TRUE(bot.until_state(ipc::MediaState::kLeft));
  EXPECT_EQ(bot.child.wait(), 0);
  EXPECT_EQ(http(room.port, "GET", "/rooms/demo").second.find("hansard (records)"), std::string::npos);
}

TEST_F(MediaProcesses, SilenceThatWasNotSentIsNoLoss) {
  RoomProcess room;
  ASSERT_EQ(http(room.port, "PUT", "/rooms/demo").first, 201);
  Bot bot;
  bot.join(room.url("/rooms/demo"));
  ASSERT_TRUE(bot.until_state(ipc::MediaState::kInCall));
  bot.capture();
  // Three seconds of silence under DTX before and after the speech.
  const std::int64_t start = unix_now_ms() + 8000;  // time enough to connect on a busy machine
  Child ada(publish(room, "Ada", start, {"--dtx", "--tail-ms", "3000"}));
  ASSERT_TRUE(bot.until([&] { return bot.present("ada"); }, 15));
  ASSERT_TRUE(bot.until([&] { return !bot.present("ada"); }, 40));
  const Bot::Track* t = bot.track_of("ada");
  ASSERT_NE(t, nullptr);
  std::int64_t unsent = 0;
  for (const auto& g : t->gaps) {
    if (g.reason != "connecting") {
      EXPECT_FALSE(g.lost) << g.reason << " " << g.start.ms << " to " << g.end.ms;
    }
    if (!g.lost) unsent += g.end.ms - g.start.ms;
  }
  EXPECT_GT(unsent, 3000);
  const Fit f = fit(*t, samples_of(file), start - bot.origin);
  std::printf("with DTX: correlation %.3f, %lld ms late, %lld ms not sent\n", f.correlation, static_cast<long long>(f.late_ms),
              static_cast<long long>(unsent));
  EXPECT_GT(f.correlation, 0.9);
  EXPECT_LE(std::abs(f.late_ms), 100);
}

TEST_F(MediaProcesses, AStalledPublisherDoesNotStallTheOther) {
  RoomProcess room;
  ASSERT_EQ(http(room.port, "PUT", "/rooms/demo").first, 201);
  Bot bot;
  bot.join(room.url("/rooms/demo"));
  ASSERT_TRUE(bot.until_state(ipc::MediaState::kInCall));
  bot.capture();
  Child ada(publish(room, "Ada", unix_now_ms(), {"--loop"}));
  Child bob(publish(room, "Bob", unix_now_ms(), {"--loop"}));
  ASSERT_TRUE(bot.until([&] { return bot.track_of("ada") != nullptr && bot.track_of("bob") != nullptr; }, 20));
  ::kill(bob.pid, SIGSTOP);
  const std::int64_t stopped = unix_now_ms() - bot.origin;
  // The room drops the dead publisher after ten seconds; the other is heard all the time.
  ASSERT_TRUE(bot.until([&] { return !bot.present("bob"); }, 20));
  EXPECT_TRUE(bot.present("ada"));
  for (const auto& g : bot.track_of("ada")->gaps) EXPECT_LT(g.end.ms, stopped) << g.reason;
  EXPECT_GT(bot.track_of("ada")->end(), unix_now_ms() - bot.origin - 500);
}

TEST_F(MediaProcesses, AConnectionThatDiesIsMadeAgain) {
  RoomProcess room({"--faults"});
  ASSERT_EQ(http(room.port, "PUT", "/rooms/demo").first, 201);
  Bot bot;
  bot.join(room.url("/rooms/demo"));
  ASSERT_TRUE(bot.until_state(ipc::MediaState::kInCall));
  bot.capture();
  Child ada(publish(room, "Ada", unix_now_ms(), {"--loop"}));
  ASSERT_TRUE(bot.until(
      [&] { return bot.track_of("ada") != nullptr && bot.track_of("ada")->end() - bot.track_of("ada")->start > 1000; }, 20));
  const std::int64_t died = unix_now_ms() - bot.origin;
  ASSERT_EQ(http(room.port, "POST", "/rooms/demo/participants/ada/hangup").first, 200);
  const auto lost_until = [&] {
    std::int64_t end = 0;
    for (const auto& g : bot.track_of("ada")->gaps) {
      if (g.lost && g.reason == "disconnected") end = std::max(end, g.end.ms);
    }
    return end;
  };
  ASSERT_TRUE(bot.until([&] { return lost_until() > 0 && bot.track_of("ada")->end() > lost_until() + 2000; }, 40));
  std::int64_t first = -1;
  for (const auto& g : bot.track_of("ada")->gaps) {
    if (g.reason == "disconnected" && first < 0) first = g.start.ms;
  }
  EXPECT_LE(std::abs(first - died), 100);
  EXPECT_EQ(bot.statuses.back().state, ipc::MediaState::kInCall);
  std::printf("connected again after %lld ms\n", static_cast<long long>(lost_until() - first));
}

TEST_F(MediaProcesses, AnInjectedOutageIsFoundWhereItWas) {
  RoomProcess room({"--faults"});
  ASSERT_EQ(http(room.port, "PUT", "/rooms/demo").first, 201);
  Bot bot;
  bot.join(room.url("/rooms/demo"));
  ASSERT_TRUE(bot.until_state(ipc::MediaState::kInCall));
  bot.capture();
  Child ada(publish(room, "Ada", unix_now_ms()));
  ASSERT_TRUE(bot.until([&] { return bot.track_of("ada") != nullptr; }, 15));
  // Two outages: one shorter than the filler's delay, one longer.
  std::vector<std::pair<std::int64_t, std::int64_t>> injected;
  for (const int ms : {160, 1200}) {
    const std::int64_t resume = bot.track_of("ada")->end() + 600;
    ASSERT_TRUE(bot.until([&] { return bot.track_of("ada")->end() >= resume; }, 10));
    const auto [status, body] = http(room.port, "POST", "/rooms/demo/participants/ada/outage?ms=" + std::to_string(ms));
    ASSERT_EQ(status, 200);
    const auto json = Json::parse(body);
    injected.emplace_back(json->int_or("from_unix_ms", 0) - bot.origin, json->int_or("until_unix_ms", 0) - bot.origin);
    ASSERT_TRUE(bot.until([&] { return bot.track_of("ada")->end() >= injected.back().second + 600; }, 10));
  }
  for (const auto& [from, until] : injected) {
    bool found = false;
    for (const auto& g : bot.track_of("ada")->gaps) {
      if (g.lost && g.reason == "network" && std::abs(g.start.ms - from) <= 100 && std::abs(g.end.ms - until) <= 100)
        found = true;
    }
    EXPECT_TRUE(found) << from << " to " << until;
  }
}

TEST_F(MediaProcesses, DroppedPacketsAreFoundOneByOne) {
  RoomProcess room({"--faults", "--drop", "5", "--seed", "7"});
  ASSERT_EQ(http(room.port, "PUT", "/rooms/demo").first, 201);
  Bot bot;
  bot.join(room.url("/rooms/demo"));
  ASSERT_TRUE(bot.until_state(ipc::MediaState::kInCall));
  bot.capture();
  Child ada(publish(room, "Ada", unix_now_ms() + 1500, {"--no-fec"}));
  ASSERT_TRUE(bot.until([&] { return bot.track_of("ada") != nullptr; }, 15));
  ASSERT_TRUE(bot.until([&] { return bot.track_of("ada")->end() - bot.track_of("ada")->start > 6000; }, 20));
  const auto json = Json::parse(http(room.port, "GET", "/rooms/demo/participants/ada/faults").second);
  ASSERT_TRUE(json);
  int checked = 0;
  const Bot::Track& t = *bot.track_of("ada");
  for (const Json& d : (*json)["dropped"].items()) {
    const std::int64_t at = d.int_or("at_unix_ms", 0) - bot.origin;
    if (at < t.start + 200 || at > t.end() - 500) continue;
    ++checked;
    bool found = false;
    for (const auto& g : t.gaps) found = found || (g.lost && g.start.ms - 100 <= at && at <= g.end.ms + 100);
    EXPECT_TRUE(found) << "a packet dropped at " << at;
  }
  EXPECT_GT(checked, 5);
}

TEST_F(MediaProcesses, AReaderWithoutCreditLosesTheOldestAndIsTold) {
  RoomProcess room;
  ASSERT_EQ(http(room.port, "PUT", "/rooms/demo").first, 201);
  Bot bot(0);
  bot.join(room.url("/rooms/demo"));
  ASSERT_TRUE(bot.until_state(ipc::MediaState::kInCall));
  bot.capture();
  Child ada(publish(room, "Ada", unix_now_ms()));
  ASSERT_TRUE(bot.until([&] { return !bot.tracks.empty(); }, 15));
  const std::int64_t opened = unix_now_ms();
  bot.until([&] { return unix_now_ms() - opened > 4000; }, 6);  // time has to pass for audio to pile up
  EXPECT_TRUE(bot.tracks.begin()->second.samples.empty());
  bot.send(ipc::Credit{1 << 22});
  ASSERT_TRUE(bot.until([&] { return bot.track_of("ada") != nullptr; }, 10));
  const Bot::Track& t = *bot.track_of("ada");
  bool overload = false;
  for (const auto& g : t.gaps) overload = overload || (g.reason == "overload" && g.lost && g.end.ms - g.start.ms > 500);
  EXPECT_TRUE(overload);
}

TEST_F(MediaProcesses, TheLobbyKeepsTheBotWaiting) {
  RoomProcess room({"--lobby"});
  ASSERT_EQ(http(room.port, "PUT", "/rooms/demo").first, 201);
  for (const bool admit : {true, false}) {
    Bot bot;
    bot.join(room.url("/rooms/demo"));
    ASSERT_TRUE(bot.until_state(ipc::MediaState::kWaitingRoom));
    const auto list = Json::parse(http(room.port, "GET", "/rooms/demo/viewers").second);
    ASSERT_TRUE(list);
    ASSERT_FALSE((*list)["viewers"].items().empty());
    const std::string id = (*list)["viewers"].items().back().text_or("id");
    ASSERT_EQ(http(room.port, "POST", "/rooms/demo/viewers/" + id + (admit ? "/admit" : "/deny")).first, 200);
    EXPECT_TRUE(bot.until_state(admit ? ipc::MediaState::kInCall : ipc::MediaState::kDenied));
    http(room.port, "DELETE", "/rooms/demo/viewers/" + id);
    if (admit) {
      EXPECT_TRUE(bot.until([&] { return bot.statuses.back().code == "removed"; }, 10));
    }
  }
}

TEST_F(MediaProcesses, EndsAreToldApart) {
  RoomProcess room;
  Bot missing;
  missing.join(room.url("/rooms/nowhere"));
  ASSERT_TRUE(missing.until_state(ipc::MediaState::kFailed));
  EXPECT_EQ(missing.statuses.back().code, "meeting_not_found");

  ASSERT_EQ(http(room.port, "PUT", "/rooms/demo").first, 201);
  Bot ended;
  Bot lost;
  ended.join(room.url("/rooms/demo"));
  ASSERT_TRUE(ended.until_state(ipc::MediaState::kInCall));
  ASSERT_EQ(http(room.port, "DELETE", "/rooms/demo").first, 200);
  EXPECT_TRUE(ended.until_state(ipc::MediaState::kEnded));

  ASSERT_EQ(http(room.port, "PUT", "/rooms/demo").first, 201);
  lost.join(room.url("/rooms/demo"));
  ASSERT_TRUE(lost.until_state(ipc::MediaState::kInCall));
  room.kill();
  const auto killed = Clock::now();
  EXPECT_TRUE(lost.until_state(ipc::MediaState::kLost));
  EXPECT_LT(Clock::now() - killed, std::chrono::seconds(6));

  Bot unreachable;
  unreachable.join(room.url("/rooms/demo"));
  EXPECT_TRUE(unreachable.until_state(ipc::MediaState::kLost));
}

TEST_F(MediaProcesses, TheRoomRefusesWhatIsWrong) {
  RoomProcess room;
  const std::string sdp = "Content-Type: application/sdp\r\n";
  EXPECT_EQ(http(room.port, "POST", "/rooms/demo/whip?name=A", "v=0\r\nnonsense", sdp).first, 400);
  EXPECT_EQ(http(room.port, "POST", "/rooms/demo/whip?name=A", "x", "Content-Type: text/plain\r\n").first, 415);
  EXPECT_EQ(
      http(room.port, "POST", "/rooms/demo/whip?name=A", "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=ice-ufrag:x\r\n", sdp).first,
      422);
  EXPECT_EQ(http(room.port, "POST", "/rooms/demo/whip?name=A", std::string(70'000, 'x'), sdp).first, 413);
  EXPECT_EQ(http(room.port, "POST", "/rooms/demo/participants/nobody/whep", "v=0", sdp).first, 404);
  EXPECT_EQ(http(room.port, "DELETE", "/rooms/demo/whip/unknown").first, 404);
  EXPECT_EQ(http(room.port, "PATCH", "/rooms/demo/whip/unknown").first, 405);
  EXPECT_EQ(http(room.port, "GET", "/rooms/bad%20name").first, 400);
  EXPECT_EQ(http(room.port, "POST", "/rooms/demo/viewers", "{").first, 400);
  EXPECT_EQ(http(room.port, "POST", "/rooms/demo", "", "Origin: https://example.com\r\n").first, 403);
  EXPECT_EQ(http(room.port, "POST", "/rooms/demo/participants/a/outage?ms=1").first, 404);  // without --faults
  std::ofstream(room.directory() / "a.ics") << "BEGIN:VCALENDAR\r\n";
  EXPECT_EQ(http(room.port, "GET", "/static/a.ics"), (std::pair<int, std::string>{200, "BEGIN:VCALENDAR\r\n"}));
  EXPECT_GE(http(room.port, "GET", "/static/..%2Fport").first, 400);
  EXPECT_GE(http(room.port, "GET", "/static/../port").first, 400);
  EXPECT_EQ(http(room.port, "GET", "/static/missing").first, 404);
}

TEST_F(MediaProcesses, DecodesAFileAndRefusesWhatIsNone) {
  Bot good(1 << 22, {"decode", file, "--fd", "3"});
  ASSERT_TRUE(good.until([&] { return !good.tracks.empty() && good.tracks[1].closed >= 0; }, 30));
  EXPECT_EQ(good.child.wait(), 0);
  const auto source = samples_of(file);
  ASSERT_TRUE(good.info);
  EXPECT_NEAR(static_cast<double>(good.info->duration.ms), static_cast<double>(source.size()) / 16, 20);
  EXPECT_EQ(good.tracks[1].start, 0);
  EXPECT_EQ(good.tracks[1].closed, good.tracks[1].end());
  ASSERT_GE(good.tracks[1].samples.size(), source.size());
  EXPECT_TRUE(std::equal(source.begin(), source.end(), good.tracks[1].samples.begin()));

  for (const auto& [path, words] : std::map<std::string, std::string>{
           {"/nonexistent.wav", "no such file"}, {"/", "folder"}, {"CMakeLists.txt", "no audio or video"}}) {
    Bot bad(1 << 22, {"decode", path, "--fd", "3"});
    ASSERT_TRUE(bad.until_state(ipc::MediaState::kFailed)) << path;
    EXPECT_NE(bad.statuses.back().vendor_code.find(words), std::string::npos) << bad.statuses.back().vendor_code;
    EXPECT_EQ(bad.statuses.back().vendor_code.find('\n'), std::string::npos);
    EXPECT_EQ(bad.child.wait(), 1);
  }
}

TEST_F(MediaProcesses, DecodesSeveralFilesAndGoesOnBehindOneThatIsNone) {
  Bot decoder(1 << 24, {"decode", file, "/nonexistent.wav", file, "--fd", "3"});
  ASSERT_TRUE(decoder.until([&] { return decoder.tracks.contains(3) && decoder.tracks[3].closed >= 0; }, 30));
  EXPECT_EQ(decoder.child.wait(), 1);
  EXPECT_EQ(decoder.statuses.size(), 1u);
  EXPECT_FALSE(decoder.tracks.contains(2));
  EXPECT_EQ(decoder.tracks[1].closed, decoder.tracks[3].closed);
  EXPECT_EQ(decoder.tracks[1].samples, decoder.tracks[3].samples);
}

}  // namespace
}  // namespace hansard::webrtc::test
