#include "daemon/config.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace hansard {
namespace {

std::string problem_of(const std::string& text) {
  const auto config = parse_config(text, "h.toml");
  return config ? "" : config.error().detail;
}

TEST(Config, TheExampleIsRightAndSaysTheDefaults) {
  std::ifstream file("share/hansard.example.toml");
  ASSERT_TRUE(file) << "run from the repository";
  std::ostringstream text;
  text << file.rdbuf();
  const auto example = parse_config(text.str(), "share/hansard.example.toml");
  ASSERT_TRUE(example) << example.error().detail;
  // What the example shows commented out is what holds anyway.
  const auto defaults = default_config();
  ASSERT_TRUE(defaults);
  Json a = config_json(*example);
  Json b = config_json(*defaults);
  a.set("file", Json());
  EXPECT_EQ(a.dump(), b.dump());
}

TEST(Config, EachCommentedKeyOfTheExampleIsKnown) {
  std::ifstream file("share/hansard.example.toml");
  std::string line;
  std::string text;
  while (std::getline(file, line)) {
    // "#key = value" and "#[table]" are settings, "# words" are comments.
    if (line.size() > 1 && line[0] == '#' && line[1] != ' ') line = line.substr(1);
    text += line + "\n";
  }
  const auto config = parse_config(text, "/etc/example.toml");
  ASSERT_TRUE(config) << config.error().detail;
  EXPECT_EQ(config->calendars.size(), 3u);
}

TEST(Config, ReadsWhatItSays) {
  const auto config = parse_config(R"(
data_dir = "/srv/h"
[listen]
port = 0
[[calendar]]
id = "a"
path = "cal/a.ics"
interval = "2s"
[leave]
alone = "5s"
)",
                                   "/etc/h/h.toml");
  ASSERT_TRUE(config) << config.error().detail;
  EXPECT_EQ(config->output_dir, "/srv/h/minutes");
  EXPECT_EQ(config->listen_port, 0);
  ASSERT_EQ(config->calendars.size(), 1u);
  EXPECT_EQ(config->calendars[0].url, "/etc/h/cal/a.ics");
  EXPECT_EQ(config->calendars[0].interval.ms, 2000);
  EXPECT_EQ(config->meeting.leave.alone.ms, 5000);
}

TEST(Config, NamesTheLineAndWhatToDo) {
  EXPECT_NE(problem_of("\nportt = 1\n").find("line 2: unknown key 'portt'"), std::string::npos);
  EXPECT_NE(problem_of("[listen]\nport = \"x\"\n").find("line 2: 'port' in [listen] must be a whole number"), std::string::npos);
  EXPECT_NE(problem_of("[listen]\naddress = \"0.0.0.0\"\n").find("allow_remote"), std::string::npos);
  EXPECT_EQ(problem_of("[listen]\naddress = \"0.0.0.0\"\nallow_remote = true\n"), "");
  EXPECT_NE(problem_of("[leave]\nalone = 5\n").find("a time like"), std::string::npos);
  EXPECT_NE(problem_of("[[calendar]]\nid = \"x\"\n").find("either 'url' or 'path'"), std::string::npos);
  EXPECT_NE(problem_of("[[calendar]]\nid='x'\npath='a'\n[[calendar]]\nid='x'\npath='b'\n").find("two calendars"),
            std::string::npos);
  EXPECT_NE(problem_of("a = [\n").find("line "), std::string::npos);
  EXPECT_NE(problem_of("[log]\nlevel = \"loud\"\n").find("\"debug\""), std::string::npos);
  // Both problems at once, a line each.
  EXPECT_NE(problem_of("x = 1\ny = 2\n").find('\n'), std::string::npos);
}

TEST(Config, RulesOfAttendanceHaveDefaultsThatACalendarOverrides) {
  const auto config = parse_config(R"(
[attend]
only = ["accepted"]
exclude = ["1:1*"]
own_domains = ["@Own.example", "group.example"]
[[calendar]]
id = "work"
kind = "google"
[[calendar]]
id = "team"
url = "https://h.example/a.ics"
account = "team@own.example"
[calendar.attend]
only = ["external", "tagged"]
tag = "#record"
)",
                                   "h.toml");
  ASSERT_TRUE(config) << config.error().detail;
  ASSERT_EQ(config->calendars.size(), 2u);
  EXPECT_EQ(config->calendars[0].attend, config->attend);
  EXPECT_TRUE(config->attend.accepted);
  EXPECT_EQ(config->attend.own_domains, (std::vector<std::string>{"own.example", "group.example"}));
  EXPECT_TRUE(config->calendars[0].url.empty()) << "settings of a connected one";
  const auto& team = config->calendars[1];
  EXPECT_TRUE(!team.attend.accepted && team.attend.external && team.attend.tagged);
  EXPECT_EQ(team.attend.tag, "#record");
  EXPECT_EQ(team.attend.exclude, std::vector<std::string>{"1:1*"}) << "what is not written stays";
  EXPECT_EQ(team.account, "team@own.example");
}

TEST(Config, SaysWhatIsWrongWithCalendars) {
  EXPECT_NE(problem_of("[attend]\nonly = [\"mine\"]\n").find("line 2: 'only' in [attend] must be a list of \"accepted\""),
            std::string::npos);
  EXPECT_NE(problem_of("[attend]\nincludes = []\n").find("unknown key 'includes'"), std::string::npos);
  EXPECT_NE(problem_of("[[calendar]]\nid='x'\nkind='google'\nurl='https://h.example'\n").find("hansard calendar connect google"),
            std::string::npos);
  EXPECT_NE(problem_of("[[calendar]]\nid='x'\nkind='outlook'\n").find("\"microsoft\""), std::string::npos);
  EXPECT_NE(problem_of("[[calendar]]\nid='x'\nurl='https://h.example'\npath='a'\n").find("not both"), std::string::npos);
  EXPECT_EQ(problem_of("[[calendar]]\nid='x'\nkind='ics'\n"), "") << "a connected feed";
}

TEST(Config, ShowsNoCalendarAddress) {
  const auto config = parse_config("[[calendar]]\nid='x'\nurl='https://example.org/secret.ics'\n", "h.toml");
  ASSERT_TRUE(config);
  EXPECT_EQ(config_json(*config).dump().find("secret"), std::string::npos);
}

TEST(Config, ReadsTaskSinks) {
  const auto config =
      parse_config("[[task_sink]]\nid='board'\nkind='webhook'\nurl='https://tasks.example.org/hook'\nper_minute=5\n", "h.toml");
  ASSERT_TRUE(config) << config.error().detail;
  ASSERT_EQ(config->task_sinks.size(), 1u);
  EXPECT_EQ(config->task_sinks[0].per_minute, 5);
  EXPECT_EQ(config->meeting.sinks, std::vector<std::string>{"board"});
}

TEST(Config, RefusesASinkThatDoesNotExist) {
  const auto config = parse_config("[[task_sink]]\nid='x'\nkind='slack'\nurl='https://example.org'\n", "h.toml");
  ASSERT_FALSE(config);
  EXPECT_NE(config.error().detail.find("line 1"), std::string::npos) << config.error().detail;
  EXPECT_NE(config.error().detail.find("webhook"), std::string::npos) << config.error().detail;
}

TEST(Config, ReadsHowTheDaemonEnds) {
  const auto config = parse_config("[daemon]\non_stop = \"finish\"\ndrain_limit = \"45min\"\n", "h.toml");
  ASSERT_TRUE(config) << config.error().detail;
  EXPECT_EQ(config->on_stop, OnStop::kFinish);
  EXPECT_EQ(config->drain_limit, minutes(45));
  EXPECT_EQ(default_config()->on_stop, OnStop::kHandOver);
  EXPECT_NE(problem_of("[daemon]\non_stop = \"wait\"\n").find("line 2: 'on_stop' in [daemon] must be \"hand_over\""),
            std::string::npos);
  EXPECT_NE(problem_of("[daemon]\ndrain_limit = \"0s\"\n").find("at least 1 s"), std::string::npos);
}

TEST(Config, ReadsWhereTheAuditLogIsAnchored) {
  const auto config = parse_config("[audit]\nanchor_file = \"logs/anchors\"\nanchor_every = \"5min\"\n", "/etc/h/h.toml");
  ASSERT_TRUE(config) << config.error().detail;
  EXPECT_EQ(config->audit_anchor_file, "/etc/h/logs/anchors");
  EXPECT_EQ(config->audit_anchor_every, minutes(5));
  EXPECT_NE(problem_of("[audit]\nanchor_every = \"0s\"\n").find("at least 1 s"), std::string::npos);
}

TEST(Config, MissingAndUnreadableFilesAreSaid) {
  EXPECT_EQ(read_config("/nonexistent/h.toml").error().code, ErrorClass::kNotFound);
  EXPECT_EQ(read_config("/").error().code, ErrorClass::kDenied);
}

}  // namespace
}  // namespace hansard
