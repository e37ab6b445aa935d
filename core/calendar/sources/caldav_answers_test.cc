// CalDAV servers that answer with something else than they should: what is made of each answer, word for word.
#include <gtest/gtest.h>

#include "core/calendar/sources/caldav_discovery.h"
#include "core/calendar/sources/caldav_source.h"

namespace hansard::calendar {
namespace {

constexpr Instant kNow{1'760'000'000'000};  // 2025-10-09
constexpr const char* kRoot = "<multistatus xmlns='DAV:' xmlns:C='urn:ietf:params:xml:ns:caldav'>";

HttpResponse multi(const std::string& inner) { return {207, {}, kRoot + inner + "</multistatus>"}; }
std::string item(const std::string& href, const std::string& props, const std::string& status = "HTTP/1.1 200 OK") {
  return "<response><href>" + href + "</href><propstat><prop>" + props + "</prop><status>" + status +
         "</status></propstat></response>";
}
std::string told(const std::string& href, int status) {
  return "<response><href>" + href + "</href><status>HTTP/1.1 " + std::to_string(status) + " x</status></response>";
}
std::string data(const std::string& uid, const std::string& times = "DTSTART:20251009T120000Z\n") {
  return "<getetag>1</getetag><C:calendar-data>BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:" + uid + "\nSUMMARY:" + uid + "\n" + times +
         "END:VEVENT\nEND:VCALENDAR\n</C:calendar-data>";
}
const std::string kIsCalendar = "<resourcetype><collection/><C:calendar/></resourcetype>";
const std::string kCanSync =
    "<supported-report-set><supported-report/><supported-report><report><x/></report></"
    "supported-report><supported-report><report>"
    "<sync-collection/></report></supported-report></supported-report-set>";
const std::string kEtag = "<getetag>1</getetag>";

/// One source and what it does with each answer.
struct Talk {
  explicit Talk(const std::string& url = "https://cal.example/team/")
      : source([&] {
          Connection c;
          c.id = "work";
          c.kind = "caldav";
          c.calendar = url;
          c.credentials.grant = "bearer";
          c.credentials.access_token = "T0";
          return c;
        }()) {}
  Talk& begin(Instant at = kNow) { return take(source.begin({at, at + hours(24)}, at, "")); }
  Talk& reply(const Result<HttpResponse>& response) { return take(source.reply(response, kNow)); }
  Talk& take(SourceAction next) {
    action = std::move(next);
    return *this;
  }
  bool done() const { return std::holds_alternative<SyncDone>(action); }
  std::string why() const {
    const auto* f = std::get_if<SyncFailed>(&action);
    return f != nullptr ? f->detail : done() ? "done" : "goes on";
  }
  std::string asks() const {
    const auto* s = std::get_if<SendRequest>(&action);
    if (s == nullptr) return "";
    const bool changes = s->request.body.find("sync-collection") != std::string::npos && s->request.method == "REPORT";
    return changes                                           ? "changes"
           : s->request.method == "REPORT"                   ? "fetch"
           : find_header(s->request.headers, "depth") == "0" ? "look"
                                                             : "list";
  }
  std::size_t asked_for(const std::string& href) const {
    return std::get<SendRequest>(action).request.body.find("<d:href>" + href + "</d:href>") != std::string::npos ? 1 : 0;
  }
  std::vector<std::string> titles() const {
    std::vector<std::string> out;
    for (const Calendar* c : source.documents()) {
      for (const VEvent& e : c->events) out.push_back(e.summary);
    }
    return out;
  }
  CalDavSource source;
  SourceAction action;
};
using Titles = std::vector<std::string>;

TEST(CalDavAnswers, ABearerTokenIsSentAsOne) {
  Talk t;
  t.begin();
  EXPECT_EQ(find_header(std::get<SendRequest>(t.action).request.headers, "authorization"), "Bearer T0");
}

TEST(CalDavAnswers, AnAddressThatIsNoneIsAMatterForAPerson) {
  Talk t("cal.example/team");
  t.begin();
  EXPECT_EQ(t.why(), "the address must begin with https://; run `hansard calendar connect caldav --id work`");
  EXPECT_TRUE(std::get<SyncFailed>(t.action).reconnect);
}

TEST(CalDavAnswers, WhatTheLookFinds) {
  const auto look = [](const HttpResponse& r) { return Talk().begin().reply(r).why(); };
  EXPECT_NE(look(multi("")).find("says nothing about this calendar"), std::string::npos);
  EXPECT_NE(look(multi(item("/a/", kIsCalendar) + item("/b/", kIsCalendar))).find("says nothing"), std::string::npos);
  EXPECT_NE(look(multi(told("/team/", 404))).find("no longer on the server"), std::string::npos);
  EXPECT_NE(look(multi(item("/team/", "<resourcetype><collection/></resourcetype>"))).find("no calendar at this address"),
            std::string::npos);
  EXPECT_NE(look(multi(item("/team/", kIsCalendar, "HTTP/1.1 404 Not Found"))).find("no calendar"), std::string::npos);
  EXPECT_NE(look(multi(item("", kIsCalendar))).find("says nothing"), std::string::npos);
  EXPECT_EQ(look(multi(item("/another/name/of/it/", kIsCalendar))), "goes on") << "the only one that is named is meant";
  EXPECT_EQ(look(multi(item("/other/", kIsCalendar) + item("/team", kIsCalendar))), "goes on");
  EXPECT_EQ(look({207, {}, "<x/>"}), "the server's answer cannot be read: the answer is no WebDAV multistatus");
  EXPECT_NE(look({403, {}, ""}).find("this user may not read"), std::string::npos);
  EXPECT_NE(look({410, {}, ""}).find("no longer on the server (status 410)"), std::string::npos);
  EXPECT_NE(look({500, {}, ""}).find("answered with an error (status 500)"), std::string::npos);
  EXPECT_NE(look({303, {}, ""}).find("an address that cannot be read"), std::string::npos);
  EXPECT_NE(look({301, {{"location", "ftp://cal.example/"}}, ""}).find("cannot be read"), std::string::npos);
  EXPECT_EQ(Talk().begin().reply(fail(ErrorClass::kUnavailable, "http", "no route")).why(), "no route");
  EXPECT_EQ(Talk().begin().reply(fail(ErrorClass::kExhausted, "http", "too large")).why(), "too large") << "not in pieces";
}

TEST(CalDavAnswers, OnlyResourcesOfThisCollectionAreRead) {
  Talk t;
  t.begin().reply(multi(item("/team/", kIsCalendar)));
  ASSERT_EQ(t.asks(), "list");
  t.reply(multi(item("/team/", kEtag) + item("/team/sub/", kEtag) +
                item("/team/inner", kEtag + "<resourcetype><collection/></resourcetype>") +
                item("https://evil.example/team/x.ics", kEtag) + item("https://u:p@cal.example/x", kEtag) +
                told("/team/gone.ics", 404) + item("a.ics", kEtag + "<resourcetype/>")));
  ASSERT_EQ(t.asks(), "fetch");
  EXPECT_EQ(t.asked_for("a.ics"), 1u);
  for (const char* other : {"/team/", "/team/sub/", "/team/inner", "https://evil.example/team/x.ics", "/team/gone.ics"})
    EXPECT_EQ(t.asked_for(other), 0u) << other;
  // What was not asked for is not taken either.
  t.reply(multi(item("/team/a.ics", data("a")) + item("/team/b.ics", data("b")) + item("https://evil.example/c.ics", data("c"))));
  EXPECT_TRUE(t.done());
  EXPECT_EQ(t.titles(), Titles{"a"});
  ASSERT_EQ(t.source.problems().size(), 1u);
  EXPECT_EQ(t.source.problems()[0], "the server names entries of another server; they are not read");
}

TEST(CalDavAnswers, OneThatIsGoneWhenItIsFetchedIsNotThere) {
  for (const int status : {404, 410}) {
    Talk t;
    t.begin().reply(multi(item("/team/", kIsCalendar))).reply(multi(item("a.ics", kEtag) + item("b.ics", kEtag)));
    t.reply(multi(told("/team/a.ics", status) + item("b.ics", data("b"))));
    EXPECT_TRUE(t.done());
    EXPECT_EQ(t.titles(), Titles{"b"});
    EXPECT_TRUE(t.source.problems().empty());
  }
  Talk t;
  t.begin()
      .reply(multi(item("/team/", kIsCalendar)))
      .reply(multi(item("a.ics", kEtag) + item("b.ics", kEtag) + item("c.ics", kEtag)));
  t.reply(multi(told("a.ics", 500) + item("b.ics", kEtag) + item("c.ics", data("c"))));
  EXPECT_EQ(t.titles(), Titles{"c"});
  ASSERT_EQ(t.source.problems().size(), 1u);
  EXPECT_NE(t.source.problems()[0].find("2 entries were named by the server and not given"), std::string::npos);
}

TEST(CalDavAnswers, AnAnswerBeyondTheLimitsOfXmlIsAskedForInPieces) {
  Talk t;
  t.begin().reply(multi(item("/team/", kIsCalendar))).reply(multi(item("a.ics", kEtag) + item("b.ics", kEtag)));
  std::string huge;
  for (int i = 0; i < 600; ++i) huge += "<x>";
  int pieces = 0;
  while (t.asks() == "fetch" && pieces++ < 20) {
    const bool both = t.asked_for("a.ics") + t.asked_for("b.ics") == 2;
    t.reply(both ? multi(huge) : t.asked_for("a.ics") != 0 ? multi(item("a.ics", data("a"))) : multi(item("b.ics", data("b"))));
  }
  EXPECT_EQ(t.why(), "done");
  EXPECT_EQ(t.titles(), (Titles{"a", "b"}));
}

TEST(CalDavAnswers, AListOfChangesThatIsCutShort) {
  const std::string cut = told("/team/", 507);
  Talk t;
  t.begin().reply(multi(item("/team/", kIsCalendar + kCanSync)));
  ASSERT_EQ(t.asks(), "changes");
  t.reply(multi(item("a.ics", kEtag) + cut + "<sync-token>t1</sync-token>"));
  ASSERT_EQ(t.asks(), "changes");
  t.reply(multi(item("b.ics", kEtag) + told("c.ics", 410) + told("d.ics", 403) + cut + "<sync-token>t1</sync-token>"));
  EXPECT_NE(t.why().find("cuts its list of changes short"), std::string::npos) << "the same token again";
  t.begin().reply(multi(item("/team/", kIsCalendar + kCanSync))).reply(multi(cut));
  EXPECT_NE(t.why().find("cuts its list"), std::string::npos) << "no token at all";
}

TEST(CalDavAnswers, ARefusalOfTheChangesThatIsNoLostToken) {
  for (const int status : {401, 404, 410, 429}) {
    Talk t;
    t.begin().reply(multi(item("/team/", kIsCalendar + kCanSync))).reply(HttpResponse{status, {}, ""});
    EXPECT_NE(t.why().find("status " + std::to_string(status)), std::string::npos);
  }
  // 501 and 403 for the first question: this server only names it.
  for (const int status : {501, 403}) {
    Talk t;
    t.begin().reply(multi(item("/team/", kIsCalendar + kCanSync))).reply(HttpResponse{status, {}, ""});
    EXPECT_EQ(t.asks(), "look");
    t.reply(multi(item("/team/", kIsCalendar + kCanSync)));
    EXPECT_EQ(t.asks(), "list");
  }
}

TEST(CalDavAnswers, WhatIsOverDependsOnTheEndOfAnEvent) {
  Talk t;
  std::string listed;
  std::string given;
  const std::pair<const char*, const char*> events[] = {{"day", "DTSTART;VALUE=DATE:20251008\n"},
                                                        {"long", "DTSTART:20250901T000000Z\nDURATION:P40D\n"},
                                                        {"short", "DTSTART:20250901T000000Z\nDURATION:PT1H\n"},
                                                        {"odd", "DTSTART:20251008T000000Z\nDTEND:20250101T000000Z\n"},
                                                        {"dates", "DTSTART:20240101T000000Z\nRDATE:20251010T000000Z\n"}};
  for (const auto& [uid, times] : events) {
    listed += item(std::string(uid) + ".ics", kEtag);
    given += item(std::string(uid) + ".ics", data(uid, times));
  }
  t.begin().reply(multi(item("/team/", kIsCalendar))).reply(multi(listed)).reply(multi(given));
  EXPECT_EQ(t.titles(), (Titles{"dates", "day", "long", "odd"}));
}

TEST(DavMessages, ReadsStatusesAsServersWriteThem) {
  const auto statuses = [](const std::string& inner) {
    std::string out;
    const auto read = read_multistatus(kRoot + inner + "</multistatus>");
    if (!read) return std::string("broken");
    for (const DavResponse& r : read->responses) out += r.href + "=" + std::to_string(r.status) + " ";
    return out;
  };
  EXPECT_EQ(statuses("<response><href>a</href><status>HTTP/1.1 404 Not Found</status></response>"), "a=404 ");
  EXPECT_EQ(statuses("<response><href>a</href><status>404</status></response>"), "a=0 ");
  EXPECT_EQ(statuses("<response><href>a</href><status>HTTP/1.1 what</status></response>"), "a=0 ");
  EXPECT_EQ(statuses("<response><href>a</href><status>HTTP/1.1 007</status></response>"), "a=0 ");
  // One status for several (RFC 4918, 14.24); without one the others mean nothing.
  EXPECT_EQ(statuses("<response><href>a</href><href> b </href><href>c</href><status>HTTP/1.1 410 Gone</status></response>"),
            "a=410 b=410 c=410 ");
  EXPECT_EQ(statuses("<response><href>a</href><href>b</href><propstat><prop/></propstat></response>"), "a=0 ");
  EXPECT_EQ(statuses("<response><status>HTTP/1.1 404 x</status></response><other/><response><href/></response>"), "");
}

TEST(DavMessages, PropertiesCountWhenTheirStatusIs200OrMissing) {
  const auto etag = [](const std::string& propstats) {
    const auto read = read_multistatus(kRoot + ("<response><href>a</href>" + propstats + "</response></multistatus>"));
    return read ? std::string(read->responses[0].props.child_text(kDavNs, "getetag")) : "broken";
  };
  EXPECT_EQ(etag("<propstat><prop><getetag>1</getetag></prop></propstat>"), "1");
  EXPECT_EQ(etag("<propstat><prop><getetag/></prop><status>HTTP/1.1 404 x</status></propstat>"
                 "<propstat><error/><prop><getetag>2</getetag></prop><status>HTTP/1.1 200 OK</status></propstat>"),
            "2");
  EXPECT_EQ(etag("<propstat><prop><getetag>3</getetag></prop><status>nonsense</status></propstat>"), "");
}

TEST(DavMessages, WhichCollectionsHoldEvents) {
  const auto holds = [](const std::string& set) {
    const auto read = read_multistatus(
        kRoot + ("<response><href>a</href><propstat><prop>" + set + "</prop></propstat></response></multistatus>"));
    return read && holds_events(read->responses[0].props);
  };
  EXPECT_TRUE(holds(""));
  EXPECT_TRUE(holds("<C:supported-calendar-component-set/>"));
  EXPECT_TRUE(
      holds("<C:supported-calendar-component-set><C:comp name='VTODO'/><C:comp x='1' "
            "name='vevent'/></C:supported-calendar-component-set>"));
  EXPECT_FALSE(holds(
      "<C:supported-calendar-component-set><C:comp name='VTODO'/><C:comp kind='VEVENT'/></C:supported-calendar-component-set>"));
}

TEST(DavMessages, AFragmentIsNoPartOfAnAddressAndNoOddCharactersAre) {
  const auto base = *read_dav_url("https://x/a/b?c=d");
  EXPECT_EQ(resolve_href(base, " e f.ics#g ")->text(), "https://x/a/e%20f.ics");
  EXPECT_FALSE(resolve_href(base, "#g"));
  for (const char* bad : {"/a\\b", "/a\x7f", "/a\tb", "https://a@b/"}) EXPECT_FALSE(resolve_href(base, bad)) << bad;
  EXPECT_EQ(read_dav_url("http://x:80?q")->text(), "http://x/?q");
  EXPECT_EQ(read_dav_url("https://x///")->key(), "/");
}

// ---- discovery ---------------------------------------------------------------------------------------------------

/// What is found when each question gets the next of these answers (404 after the last).
std::string discovered(const std::string& url, const std::vector<Result<HttpResponse>>& answers) {
  Credentials credentials;
  credentials.grant = "basic";
  CalDavDiscovery discovery(*read_dav_url(url), credentials);
  DiscoveryAction action = discovery.begin();
  for (std::size_t i = 0; i < 60; ++i) {
    if (const auto* f = std::get_if<SyncFailed>(&action)) return f->detail;
    if (const auto* done = std::get_if<Discovered>(&action)) {
      std::string out = done->account + ":";
      for (const FoundCalendar& c : done->calendars) out += " " + c.name + "=" + c.url;
      return out;
    }
    action = discovery.reply(i < answers.size() ? answers[i] : HttpResponse{404, {}, ""});
  }
  return "no end";
}
const std::string kHome = "<C:calendar-home-set><href>/home/</href></C:calendar-home-set>";
const std::string kPrincipal = "<current-user-principal><href>/p/</href></current-user-principal>";

TEST(CalDavDiscoveryAnswers, ACalendarWithoutANameIsCalledByItsPath) {
  EXPECT_EQ(discovered("https://x/cal/team%20a/", {multi(item("/cal/team%20a/", kIsCalendar))}),
            ": team a=https://x/cal/team%20a/");
}

TEST(CalDavDiscoveryAnswers, TasksAloneAreNoCalendarToWatch) {
  const std::string tasks =
      kIsCalendar + "<C:supported-calendar-component-set><C:comp name='VTODO'/></C:supported-calendar-component-set>";
  EXPECT_NE(discovered("https://x/tasks/", {multi(item("/tasks/", tasks))}).find("holds no events"), std::string::npos);
  // In a home they are passed over, as is what is elsewhere, no calendar, or no address.
  EXPECT_EQ(discovered("https://x",
                       {multi(item("/", kHome)),
                        multi(item("/home/t/", tasks) + item("/home/", "<resourcetype/>") + item("http://evil/", kIsCalendar) +
                              item("https://a b@x/", kIsCalendar) + item("/home/good/", kIsCalendar))}),
            ": good=https://x/home/good/");
}

TEST(CalDavDiscoveryAnswers, SeveralHomesAreEachReadOnce) {
  const std::string homes =
      "<C:calendar-home-set><href>/h1/</href><href>/h2</href><href>/h1</href><href>http://evil/</href><href/>"
      "</C:calendar-home-set><C:calendar-user-address-set><href>mailto:a@x</href><href>mailto:b@x</href>"
      "</C:calendar-user-address-set>";
  EXPECT_EQ(discovered("https://x", {multi(item("/", kPrincipal)), multi(item("/p/", homes)),
                                     multi(item("/h1/one/", kIsCalendar)), multi(item("/h2/two/", kIsCalendar))}),
            "a@x: one=https://x/h1/one/ two=https://x/h2/two/");
}

TEST(CalDavDiscoveryAnswers, EachWayOfFailingSaysWhy) {
  const auto probe = [](const Result<HttpResponse>& r) { return discovered("https://x", {r}); };
  EXPECT_EQ(probe(fail(ErrorClass::kUnavailable, "http", "no route")), "no route");
  EXPECT_NE(probe(HttpResponse{429, {}, ""}).find("status 429: try again later"), std::string::npos);
  EXPECT_NE(probe(HttpResponse{301, {}, ""}).find("no CalDAV calendars were found"), std::string::npos)
      << "the next place is tried";
  EXPECT_NE(probe(multi("")).find("no CalDAV calendars"), std::string::npos);
  EXPECT_NE(probe(HttpResponse{207, {}, "<html>"}).find("no CalDAV calendars"), std::string::npos);
  EXPECT_NE(
      probe(multi(item("/", "<current-user-principal><href>http://evil/</href></current-user-principal>"))).find("without https"),
      std::string::npos);
  EXPECT_NE(probe(multi(item("/", ""))).find("no CalDAV calendars"), std::string::npos);
  const auto after = [](const Result<HttpResponse>& r) { return discovered("https://x", {multi(item("/", kPrincipal)), r}); };
  EXPECT_NE(after(multi(item("/p/", ""))).find("names no calendars for this user"), std::string::npos);
  EXPECT_NE(after(multi(item("/p/", "<C:calendar-home-set><href>http://evil/</href></C:calendar-home-set>")))
                .find("names no calendars"),
            std::string::npos);
  EXPECT_NE(after(HttpResponse{302, {}, ""}).find("an address that cannot be read"), std::string::npos);
  EXPECT_NE(after(HttpResponse{200, {}, "<html>"}).find("(status 200): it is no WebDAV answer"), std::string::npos);
  EXPECT_NE(after(HttpResponse{207, {}, "<html>"}).find("(status 207): "), std::string::npos);
  EXPECT_NE(after(multi("")).find("no CalDAV calendars"), std::string::npos);
  EXPECT_NE(after(HttpResponse{401, {}, ""}).find("password"), std::string::npos);
}

}  // namespace
}  // namespace hansard::calendar
