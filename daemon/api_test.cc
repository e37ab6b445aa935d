#include "daemon/api.h"

#include "core/base/secret.h"

#include <span>

#include "daemon/calendar_view.h"
#include "daemon/testing.h"

namespace hansard::api {
namespace {

class ApiTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    AnalysisItem item{"d1", ItemKind::kDecision, "We ship.", {}, {}, {"u1"}, "we ship", 0.9};
    commit("m1", meeting::State::kRecording,
           {flow::ParticipantRecord{"p1", "Ann", true, false, {0}}, utterance("u1", "we ship"),
            flow::ItemRecord{{ItemChangeKind::kAdded, item}}, flow::CoverageRecord{{"p1", {0}, {1000}, Coverage::kSilent, ""}},
            flow::CoverageRecord{{"p1", {1000}, {2000}, Coverage::kTranscribed, ""}},
            flow::CoverageRecord{{"p1", {2000}, {2500}, Coverage::kLost, "network"}}});
    commit("m2", meeting::State::kDone, {utterance("u1", "bye")});
  }

  Context context() {
    return {*store,
            "0123456789abcdef",
            {"127.0.0.1:8177", "localhost:8177"},
            [] { return Json::object().set("version", "x"); },
            [] { return std::uint64_t{7}; },
            [this](const Json& body) -> Result<std::string> {
              joined.push_back(body.text_or("url"));
              if (body.text_or("url").empty()) return fail(ErrorClass::kInvalid, "join", "give an address");
              return std::string("m9");
            },
            [this](const std::string& id, flow::Event event) {
              posted.push_back(id + ":" + std::string(host::type_of(event)));
              return id == "m1";
            }};
  }
  Request request(std::string method, std::string target, std::string body = {}) {
    return {std::move(method), std::move(target), "127.0.0.1:8177", "", "Bearer 0123456789abcdef", "application/json", "",
            std::move(body)};
  }
  Response ask(const Request& r) { return handle(context(), r); }

  std::vector<std::string> stops;
  int refused = 0;
  std::vector<std::string> joined;
  std::vector<std::string> posted;
};

TEST_F(ApiTest, EndsTheDaemonAsAsked) {
  const auto with_stop = [this](const Request& r) {
    Context c = context();
    c.refused = [this] { ++refused; };
    c.stop = [this](const std::string& how) -> Result<Json> {
      if (how != "finish") return fail(ErrorClass::kInvalid, "daemon", "not that");
      stops.push_back(how);
      return Json::object().set("meetings", std::int64_t{2});
    };
    return handle(c, r);
  };
  const Response answer = with_stop(request("POST", "/api/stop", R"({"how":"finish"})"));
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.body, "{\"meetings\":2}");
  EXPECT_EQ(with_stop(request("POST", "/api/stop", R"({"how":"fast"})")).status, 400);
  EXPECT_EQ(with_stop(request("POST", "/api/stop", "[")).status, 400);
  EXPECT_EQ(with_stop(request("GET", "/api/stop")).status, 405);
  Request form = request("POST", "/api/stop", R"({"how":"finish"})");
  form.content_type = "text/plain";  // what another site's form could send
  EXPECT_EQ(with_stop(form).status, 415);
  Request stranger = request("POST", "/api/stop", R"({"how":"finish"})");
  stranger.authorization = "";
  EXPECT_EQ(with_stop(stranger).status, 401);
  EXPECT_EQ(refused, 1) << "and is counted";
  EXPECT_EQ(stops.size(), 1u);
}

TEST_F(ApiTest, EachRouteGivesItsAnswer) {
  EXPECT_EQ(ask(request("GET", "/healthz")).status, 200);
  EXPECT_EQ(ask(request("GET", "/api/status")).body, "{\"version\":\"x\"}");
  const auto list = Json::parse(ask(request("GET", "/api/meetings")).body);
  ASSERT_TRUE(list);
  ASSERT_EQ(list->items().size(), 2u);
  EXPECT_EQ(list->items()[0].text_or("id"), "m2");
  const auto one = Json::parse(ask(request("GET", "/api/meetings/m1")).body);
  ASSERT_TRUE(one);
  EXPECT_EQ((*one)["utterances"].items()[0].text_or("text"), "we ship");
  EXPECT_EQ((*one)["items"].items()[0].text_or("quote"), "we ship");
  EXPECT_EQ((*one)["coverage"].items()[0]["totals_ms"].int_or("lost", 0), 500);
  EXPECT_EQ(one->int_or("seq", 0), 6);
  EXPECT_EQ(ask(request("POST", "/api/meetings", R"({"url":"http://h/rooms/x"})")).status, 202);
  EXPECT_EQ(joined, std::vector<std::string>{"http://h/rooms/x"});
  for (const char* verb : {"stop", "pause", "resume"})
    EXPECT_EQ(ask(request("POST", std::string("/api/meetings/m1/") + verb, "{}")).status, 202);
  EXPECT_EQ(posted, (std::vector<std::string>{"m1:stop_requested", "m1:pause_requested", "m1:pause_requested"}));
}

TEST_F(ApiTest, PageNeedsNoTokenAndHoldsNone) {
  Request r = request("GET", "/");
  r.authorization.clear();
  const auto page = ask(r);
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.type, "text/html; charset=utf-8");
  EXPECT_EQ(page.body.find("0123456789abcdef"), std::string::npos);
  // Nothing inline and nothing from elsewhere, as the content security policy demands.
  EXPECT_EQ(page.body.find("http://"), std::string::npos);
  EXPECT_EQ(page.body.find("https://"), std::string::npos);
  for (const char* name : {"/app.js", "/meeting.js", "/connection.js", "/dom.js", "/style.css", "/icon.svg"}) {
    r.target = name;
    EXPECT_EQ(ask(r).status, 200) << name;
    EXPECT_EQ(ask(r).body.find("innerHTML"), std::string::npos) << name;
  }
  r.target = "/../etc/passwd";
  EXPECT_EQ(ask(r).status, 404);
}

TEST_F(ApiTest, EveryApiRouteNeedsTheToken) {
  for (const char* target : {"/api/status", "/api/meetings", "/api/meetings/m1", "/api/events", "/api", "/api/nothing"}) {
    for (const char* given : {"", "Bearer", "Bearer ", "Bearer 0123456789abcdee", "Bearer 0123456789abcdef0",
                              "Basic 0123456789abcdef", "0123456789abcdef"}) {
      Request r = request("GET", target);
      r.authorization = given;
      EXPECT_EQ(ask(r).status, 401) << target << " " << given;
    }
  }
  Request r = request("POST", "/api/meetings/m1/stop", "{}");
  r.authorization.clear();
  EXPECT_EQ(ask(r).status, 401);
  EXPECT_TRUE(posted.empty());
}

TEST_F(ApiTest, OtherNamesAndOtherSitesAreRefused) {
  for (const char* host : {"evil.example", "127.0.0.1", "127.0.0.1:80", "", "localhost:8177.evil.example"}) {
    Request r = request("GET", "/api/status");
    r.host = host;
    EXPECT_EQ(ask(r).status, 421) << host;
  }
  for (const char* origin : {"http://evil.example", "null", "https://127.0.0.1", "file://"}) {
    Request r = request("POST", "/api/meetings", R"({"url":"http://h/rooms/x"})");
    r.origin = origin;
    EXPECT_EQ(ask(r).status, 403) << origin;
  }
  Request r = request("GET", "/api/status");
  r.host = "LOCALHOST:8177";
  r.origin = "http://localhost:8177";
  EXPECT_EQ(ask(r).status, 200);
  EXPECT_TRUE(joined.empty());
}

/// A calendar as the flow keeps it, with one meeting m1 and one that is not attended.
flow::CalendarState calendar_state(const std::string& id, const std::string& reason) {
  flow::CalendarState c;
  c.source.id = id;
  c.source.kind = "google";
  c.source.account = "me@own.example";
  c.state = "reconnect";
  c.detail = "connect it again";
  c.last_success = {1'000'000};
  flow::KnownOccurrence k;
  k.key = k.identity = "uid";
  k.spec.title = "Standup <b>";
  k.spec.platform = "generic";
  k.spec.meeting_key = "room";
  k.spec.start = {1'000'000};
  k.spec.end = {2'000'000};
  k.spec.source = id;
  k.reason = reason;
  if (reason == "all") k.meeting = flow::meeting_id(k);
  c.known.push_back(k);
  k.key = "day-" + id;
  k.spec.platform.clear();
  k.meeting.clear();
  k.all_day = true;
  k.reason = "all-day";
  c.known.push_back(k);
  return c;
}

TEST_F(ApiTest, CalendarsAndThePlanComeFromTheStore) {
  std::vector<Commit> commits;
  for (const auto& c : {calendar_state("b", "all"), calendar_state("a", "declined")}) {
    Commit commit;
    commit.aggregate = "calendar:" + c.source.id;
    commit.kind = std::string(flow::CalendarState::kType);
    commit.at = {1'000'000};
    commit.state = host::encode(flow::State(c), host::state_binding(commit.aggregate));
    commit.journal = host::encode(flow::Event(flow::ScanRequested{}), host::journal_binding(commit.aggregate));
    commits.push_back(std::move(commit));
  }
  ASSERT_TRUE(store->commit(fence, commits));
  flow::CalendarSource configured;
  configured.id = "c";
  configured.kind = "caldav";
  const auto list = calendars_view(*store, std::span(&configured, 1));
  ASSERT_TRUE(list);
  ASSERT_EQ(list->items().size(), 3u);
  EXPECT_EQ(list->items()[0].text_or("id"), "a");
  EXPECT_EQ(list->items()[1].int_or("meetings", -1), 1);
  EXPECT_EQ(list->items()[1].int_or("occurrences", -1), 2);
  EXPECT_EQ(list->items()[1].text_or("state"), "reconnect");
  EXPECT_EQ(list->items()[1].text_or("last_success"), "1970-01-01T00:16:40Z");
  EXPECT_EQ(list->items()[1].text_or("next_scan"), "");
  EXPECT_EQ(list->items()[2].text_or("state"), "not connected");
  EXPECT_NE(list->items()[2].text_or("detail").find("connect caldav --id c"), std::string::npos);

  const auto answer = ask(request("GET", "/api/calendars/plan"));
  ASSERT_EQ(answer.status, 200);
  const auto plan = Json::parse(answer.body);
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->items().size(), 3u) << "the shared meeting is one line";
  int shared = 0;
  for (const Json& m : plan->items()) {
    if (m.text_or("reason") != "all") continue;
    ++shared;
    EXPECT_TRUE(m.bool_or("attend", false));
    EXPECT_EQ(m["calendars"].dump(), R"(["a","b"])");
    EXPECT_EQ(m["views"].items()[0].text_or("reason"), "declined");
    EXPECT_EQ(m.text_or("start"), "1970-01-01T00:16:40Z");
  }
  EXPECT_EQ(shared, 1);
}

TEST_F(ApiTest, CalendarCommandsReachTheDaemon) {
  Context c = context();
  std::vector<std::string> calls;
  c.calendars = [] { return Json::array(); };
  c.reload_calendars = [&]() -> Result<Json> {
    calls.emplace_back("reload");
    return fail(ErrorClass::kInvalid, "config", "h.toml: line 3: no");
  };
  c.sync_calendars = [&](const std::string& id) -> Result<Json> {
    calls.push_back("sync:" + id);
    return Json::array();
  };
  EXPECT_EQ(handle(c, request("GET", "/api/calendars")).body, "[]");
  EXPECT_EQ(handle(c, request("POST", "/api/calendars/reload", "{}")).status, 400);
  EXPECT_EQ(handle(c, request("POST", "/api/calendars/sync", "{}")).status, 200);
  EXPECT_EQ(handle(c, request("POST", "/api/calendars/sync/my%20cal", "{}")).status, 200);
  EXPECT_EQ(calls, (std::vector<std::string>{"reload", "sync:", "sync:my cal"}));
  EXPECT_EQ(handle(c, request("GET", "/api/calendars/sync")).status, 405);
  EXPECT_EQ(handle(c, request("GET", "/api/calendars/reload")).status, 405);
  EXPECT_EQ(handle(c, request("POST", "/api/calendars")).status, 405);
  EXPECT_EQ(handle(c, request("POST", "/api/calendars/nothing", "{}")).status, 404);
  Request stranger = request("POST", "/api/calendars/sync", "{}");
  stranger.authorization.clear();
  EXPECT_EQ(handle(c, stranger).status, 401);
}

TEST_F(ApiTest, BadInputIsSaidPlainly) {
  struct Case {
    const char* method;
    const char* target;
    const char* body;
    int status;
  };
  for (const Case& c :
       {Case{"GET", "/api/meetings/nothing", "", 404}, Case{"POST", "/api/meetings/nothing/stop", "{}", 404},
        Case{"POST", "/api/meetings/m2/stop", "{}", 409}, Case{"POST", "/api/meetings", "{", 400},
        Case{"POST", "/api/meetings", "[]", 400}, Case{"POST", "/api/meetings", "{}", 400},
        Case{"PUT", "/api/meetings", "{}", 405}, Case{"DELETE", "/api/meetings/m1", "", 405},
        Case{"GET", "/api/meetings/m1/stop", "", 405}, Case{"POST", "/api/meetings/m1/explode", "{}", 404},
        Case{"POST", "/api/status", "", 405}, Case{"GET", "/api/events?after=-1", "", 400},
        Case{"GET", "/api/events?after=x", "", 400}, Case{"POST", "/", "", 405}, Case{"GET", "/nothing.js", "", 404},
        Case{"BREW", "/api/meetings", "", 405}, Case{"GET", "/api/meetings/m1/a/b", "", 404}}) {
    const auto answer = ask(request(c.method, c.target, c.body));
    EXPECT_EQ(answer.status, c.status) << c.method << " " << c.target;
    const auto json = Json::parse(answer.body);
    ASSERT_TRUE(json) << answer.body;
    EXPECT_FALSE((*json)["error"].text_or("detail").empty());
    EXPECT_EQ(answer.allow.empty(), c.status != 405);
  }
  Request form = request("POST", "/api/meetings", R"({"url":"http://h/rooms/x"})");
  form.content_type = "text/plain";
  EXPECT_EQ(ask(form).status, 415);
}

TEST_F(ApiTest, EventsResumeWhereTheViewerWas) {
  EXPECT_EQ(ask(request("GET", "/api/events")).after, 7u);
  EXPECT_EQ(ask(request("GET", "/api/events?after=3")).after, 3u);
  Request r = request("GET", "/api/events?after=3");
  r.last_event_id = "5";
  const auto answer = ask(r);
  EXPECT_TRUE(answer.stream);
  EXPECT_EQ(answer.after, 5u);
}

TEST_F(ApiTest, PushesReachTheirSourceWithoutToken) {
  Context c = context();
  std::vector<std::string> seen;
  c.push = [&](const std::string& source, const calendar::PushRequest& r) {
    seen.push_back(source + " " + r.method + " " + r.target + " " + std::string(find_header(r.headers, "x-goog-channel-id")) +
                   " " + r.body);
    return calendar::PushAnswer{202, "text/plain; charset=utf-8", "a<b", false};
  };
  Request r{"POST", "/hooks/calendar/work%2Da?validationToken=a%20b", "calendars.example.org", "", "", "", "", "{}"};
  r.headers = {{"X-Goog-Channel-ID", "c1"}};
  const auto answer = handle(c, r);
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.type, "text/plain; charset=utf-8");
  EXPECT_EQ(answer.body, "a<b");
  EXPECT_EQ(seen, std::vector<std::string>{"work-a POST /hooks/calendar/work%2Da?validationToken=a%20b c1 {}"});
  // Only these addresses are open, and nothing else of the API comes with them.
  for (const char* target : {"/hooks/calendar/", "/hooks/calendar/a/b", "/hooks/calendar/../../api/status"}) {
    r.target = target;
    EXPECT_EQ(handle(c, r).status, 404) << target;
  }
  r.target = "/hooks/calendar";
  EXPECT_EQ(handle(c, r).status, 421);
  c.push = nullptr;
  r.target = "/hooks/calendar/work";
  EXPECT_EQ(handle(c, r).status, 404);
  EXPECT_EQ(seen.size(), 1u);
}

TEST_F(ApiTest, SecretsCompareWhole) {
  EXPECT_TRUE(same_secret("abc", "abc"));
  EXPECT_FALSE(same_secret("abc", "abd"));
  EXPECT_FALSE(same_secret("abc", "ab"));
  EXPECT_FALSE(same_secret("abc", ""));
}

}  // namespace
}  // namespace hansard::api
