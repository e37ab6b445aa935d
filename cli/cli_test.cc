#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/demo_audio.h"
#include "cli/live_view.h"
#include "cli/printable.h"

namespace hansard::cli {
namespace {

int run_words(std::vector<std::string> words) { return run(words); }

/// What `f` writes to standard error.
template <class F>
std::string errors_of(F f) {
  ::testing::internal::CaptureStderr();
  f();
  return ::testing::internal::GetCapturedStderr();
}
template <class F>
std::string output_of(F f) {
  ::testing::internal::CaptureStdout();
  f();
  return ::testing::internal::GetCapturedStdout();
}

class CliTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/hansard-cli-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder = pattern;
    ::setenv("XDG_STATE_HOME", (folder + "/state").c_str(), 1);
    ::setenv("XDG_CONFIG_HOME", (folder + "/config").c_str(), 1);
    ::unsetenv("HANSARD_API_TOKEN");
  }
  void TearDown() override { std::filesystem::remove_all(folder); }
  std::string folder;
};

TEST_F(CliTest, ListsBeforeTheFirstStartAreEmpty) {
  EXPECT_EQ(output_of([] { EXPECT_EQ(run_words({"meetings", "list"}), kOk); }), "no meetings yet\n");
  EXPECT_EQ(output_of([] { EXPECT_EQ(run_words({"tasks", "list"}), kOk); }), "no task waits\n");
  for (const char* what : {"meetings", "tasks"}) {
    EXPECT_EQ(output_of([what] { EXPECT_EQ(run_words({what, "list", "--json"}), kOk); }), "[]\n") << what;
  }
}

TEST_F(CliTest, WrongUseIsTwoWithOneLine) {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{{"nonsense"},
                                                                                     {"serve", "x"},
                                                                                     {"serve", "--wrong"},
                                                                                     {"serve", "--config"},
                                                                                     {"serve", "--port", "99999"},
                                                                                     {"join"},
                                                                                     {"join", "a", "b"},
                                                                                     {"stop"},
                                                                                     {"meetings"},
                                                                                     {"meetings", "show"},
                                                                                     {"meetings", "list", "x"},
                                                                                     {"config"},
                                                                                     {"config", "x"},
                                                                                     {"status", "x"},
                                                                                     {"doctor", "x"},
                                                                                     {"lifecycle", "x"},
                                                                                     {"child"},
                                                                                     {"child", "x"},
                                                                                     {"demo", "x"},
                                                                                     {"help", "nonsense"}}) {
    int code = 0;
    const std::string said = errors_of([&] { code = run_words(words); });
    EXPECT_EQ(code, kWrongUse) << words[0];
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
    EXPECT_EQ(said.rfind("hansard: ", 0), 0u) << said;
  }
  EXPECT_EQ(run_words({}), kWrongUse);
}

TEST_F(CliTest, SuggestsTheCommandThatWasMeant) {
  EXPECT_NE(errors_of([] { run_words({"meetins"}); }).find("did you mean 'meetings'"), std::string::npos);
  EXPECT_EQ(errors_of([] { run_words({"xyzzyplugh"}); }).find("did you mean"), std::string::npos);
}

TEST_F(CliTest, EveryCommandHasHelp) {
  const std::string overview = output_of([] { EXPECT_EQ(run_words({"help"}), kOk); });
  for (const std::string name :
       {"serve", "demo", "join", "stop", "status", "meetings", "doctor", "config", "room", "lifecycle"}) {
    EXPECT_NE(overview.find("  " + name), std::string::npos);
    EXPECT_NE(output_of([&] { EXPECT_EQ(run_words({name, "--help"}), kOk); }).find("usage: hansard " + name), std::string::npos);
    EXPECT_NE(output_of([&] { EXPECT_EQ(run_words({"help", name}), kOk); }).find("usage: hansard " + name), std::string::npos);
  }
  EXPECT_NE(output_of([] { EXPECT_EQ(run_words({"--version"}), kOk); }).find("hansard "), std::string::npos);
  EXPECT_NE(output_of([] { EXPECT_EQ(run_words({"lifecycle"}), kOk); }).find("stateDiagram"), std::string::npos);
}

TEST_F(CliTest, SaysThatNoDaemonRuns) {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{{"status"}, {"stop", "m1"}}) {
    int code = 0;
    const std::string said = errors_of([&] { code = run_words(words); });
    EXPECT_EQ(code, kFailed);
    EXPECT_NE(said.find("hansard serve"), std::string::npos) << said;
  }
  EXPECT_NE(errors_of([] { EXPECT_EQ(run_words({"meetings", "show", "m1"}), kFailed); }).find("no meetings yet"),
            std::string::npos);
}

TEST_F(CliTest, BadConfigurationsAreOneLineEach) {
  std::ofstream(folder + "/h.toml") << "[listen]\nport = 99999\nprot = 1\n";
  int code = 0;
  const std::string said = errors_of([&] { code = run_words({"config", "check", folder + "/h.toml"}); });
  EXPECT_EQ(code, kFailed);
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 2) << said;
  EXPECT_NE(said.find("line 3: unknown key 'prot'"), std::string::npos);
  EXPECT_NE(errors_of([&] { EXPECT_EQ(run_words({"serve", "--config", folder + "/none.toml"}), kFailed); }).find("cannot read"),
            std::string::npos);
  EXPECT_NE(output_of([&] { EXPECT_EQ(run_words({"config", "check"}), kOk); }).find("defaults"), std::string::npos);
}

TEST_F(CliTest, StopNeedsAMeetingOrAWayToEnd) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"stop"}, {"stop", "m1", "--now"}, {"stop", "--finish", "--leave"}}) {
    EXPECT_NE(errors_of([&] { EXPECT_EQ(run_words(words), kWrongUse); }).find("--finish, --leave and --now"), std::string::npos);
  }
}

TEST_F(CliTest, TerminalTextCannotSteerTheTerminal) {
  EXPECT_EQ(printable("a\x1b[31mb\nc\x7f"), "a [31mb c ");
  EXPECT_EQ(printable("\xe2\x80\xaex"), " x");
  EXPECT_EQ(printable("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
  EXPECT_EQ(clock_text(65'000), "01:05");
  EXPECT_EQ(clock_text(3'661'000), "1:01:01");
}

TEST_F(CliTest, LiveViewShowsFinalsAndItemsOfItsMeeting) {
  std::FILE* file = std::tmpfile();
  LiveView view(file, "m1");
  view.event("meeting.state", *Json::parse(R"({"meeting":"m1","state":"recording","title":"T"})"));
  view.event("utterance.partial", *Json::parse(R"({"meeting":"m1","speaker":"Ann","text":"hel","start_ms":0})"));
  view.event("utterance.final",
             *Json::parse(R"({"meeting":"m1","utterance":{"speaker":"Ann","text":"hello there","start_ms":61000}})"));
  view.event("utterance.final",
             *Json::parse(R"({"meeting":"m2","utterance":{"speaker":"Eve","text":"elsewhere","start_ms":0}})"));
  view.event("analysis.item",
             *Json::parse(R"({"meeting":"m1","change":{"change":"added","item":{"id":"d1","kind":"decision","text":"We go"}}})"));
  std::rewind(file);
  char text[1024] = {};
  ASSERT_GT(std::fread(text, 1, sizeof text - 1, file), 0u);
  std::fclose(file);
  const std::string said = text;
  EXPECT_NE(said.find("01:01  Ann: hello there"), std::string::npos) << said;
  EXPECT_NE(said.find("decision: We go"), std::string::npos);
  EXPECT_EQ(said.find("elsewhere"), std::string::npos);
  EXPECT_EQ(said.find("hel\n"), std::string::npos);
  EXPECT_EQ(view.state_of("m1"), "recording");
}

TEST_F(CliTest, CutsAConversationBySpeaker) {
  const auto segments = read_stm("f 1 A 0.5 1.0 hi there\nf 1 B 1.0 2.0 yes\n;; comment\nf 1 A 3.0 3.5 ok\n");
  ASSERT_TRUE(segments);
  EXPECT_EQ((*segments)[0].text, "hi there");
  const std::vector<std::int16_t> audio(4 * kDemoRate, 1000);
  const auto tracks = cut_by_speaker(audio, *segments, {"A", "B"});
  ASSERT_EQ(tracks.size(), 2u);
  for (std::size_t i = 0; i < audio.size(); ++i) ASSERT_TRUE(tracks[0][i] == 0 || tracks[1][i] == 0) << i;
  EXPECT_EQ(tracks[0][kDemoRate * 3 / 4], 1000);
  EXPECT_EQ(tracks[1][kDemoRate * 3 / 2], 1000);
  EXPECT_EQ(tracks[1][kDemoRate * 3 / 4], 0);
  EXPECT_FALSE(read_stm("f 1 A 2.0 1.0 x\n"));
  ASSERT_TRUE(write_wav(folder + "/x.wav", tracks[0]));
  EXPECT_EQ(*read_wav(folder + "/x.wav"), tracks[0]);
  std::ofstream(folder + "/bad.wav") << "not a wav";
  EXPECT_EQ(read_wav(folder + "/bad.wav").error().code, ErrorClass::kInvalid);
}

}  // namespace
}  // namespace hansard::cli
