#include <gtest/gtest.h>

#include <deque>
#include <functional>

#include "core/base/encoding.h"
#include "core/calendar/sources/caldav_discovery.h"
#include "core/calendar/sources/caldav_source.h"
#include "core/calendar/sources/feed_source.h"

namespace hansard::calendar {
namespace {

constexpr Instant kNow{1'760'000'000'000};  // 2025-10-09
constexpr const char* kHome = "/cal/team%20a/";

std::string event(const std::string& uid, const std::string& start = "20251009T120000Z", const std::string& more = "") {
  return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:" + uid + "\r\nDTSTART:" + start + "\r\nSUMMARY:" + uid + "\r\n" +
         more + "END:VEVENT\r\nEND:VCALENDAR\r\n";
}

/// A collection as a server keeps it: resources with ETags, and a log of changes that tokens point into.
class Server {
 public:
  std::map<std::string, std::pair<std::string, std::string>> items;  // file name -> etag, calendar data
  std::vector<std::pair<std::string, bool>> log;                     // file name, there
  bool can_sync = true;
  bool answers_sync = true;
  std::size_t page = 1'000;
  std::size_t first_token = 0;  // older ones are not known
  int invalid_token_status = 403;
  std::vector<HttpRequest> requests;
  std::deque<HttpResponse> instead;  // answered first, one each
  std::string withheld;              // named and never given

  void put(const std::string& name, const std::string& data) {
    items[name] = {"\"e" + std::to_string(++version_) + "\"", data};
    log.emplace_back(name, true);
  }
  void remove(const std::string& name) {
    items.erase(name);
    log.emplace_back(name, false);
  }

  HttpResponse answer(const HttpRequest& r) {
    requests.push_back(r);
    EXPECT_FALSE(r.follow_redirects);
    EXPECT_EQ(find_header(r.headers, "authorization"), "Basic " + base64_encode("ann:secret"));
    if (!instead.empty()) {
      HttpResponse out = instead.front();
      instead.pop_front();
      if (out.status != 0) return out;
    }
    const auto body = read_xml(r.body);
    EXPECT_TRUE(body);
    if (r.method == "PROPFIND") return find_header(r.headers, "depth") == "0" ? look() : list();
    if (body->is(kDavNs, "sync-collection")) return changes(std::string(body->child_text(kDavNs, "sync-token")));
    EXPECT_TRUE(body->is(kCalDavNs, "calendar-multiget"));
    return give(*body);
  }

 private:
  static HttpResponse multistatus(const std::string& inner) {
    return {207, {}, "<D:multistatus xmlns:D='DAV:' xmlns:C='urn:ietf:params:xml:ns:caldav'>" + inner + "</D:multistatus>"};
  }
  static std::string response(const std::string& href, const std::string& props) {
    return "<D:response><D:href>" + href + "</D:href><D:propstat><D:prop>" + props +
           "</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>";
  }
  static std::string gone(const std::string& href) {
    return "<D:response><D:href>" + href + "</D:href><D:status>HTTP/1.1 404 Not Found</D:status></D:response>";
  }
  HttpResponse look() const {
    std::string props =
        "<D:resourcetype><D:collection/><C:calendar/></D:resourcetype><x:getctag xmlns:x='http://calendarserver.org/ns/'>" +
        std::to_string(log.size()) + "</x:getctag>";
    if (can_sync)
      props +=
          "<D:supported-report-set><D:supported-report><D:report><D:sync-collection/></D:report></D:supported-report></"
          "D:supported-report-set>";
    return multistatus(response(kHome, props));
  }
  HttpResponse list() const {
    std::string out = response(kHome, "<D:resourcetype><D:collection/></D:resourcetype>");
    for (const auto& [name, item] : items)
      out += response("https://cal.example" + std::string(kHome) + name, "<D:getetag>" + item.first + "</D:getetag>");
    return multistatus(out);
  }
  HttpResponse changes(const std::string& token) {
    if (!answers_sync) return {501, {}, ""};
    const std::size_t from = token.empty() ? 0 : std::stoul(token.substr(2));
    if (!token.empty() && from < first_token)
      return {invalid_token_status, {}, "<d:error xmlns:d='DAV:'><d:valid-sync-token/></d:error>"};
    const std::size_t to = std::min(log.size(), from + page);
    std::string out;
    for (std::size_t i = from; i < to; ++i) {
      const auto it = items.find(log[i].first);
      const std::string href = "/cal/team a/" + log[i].first;  // another way of writing it
      if (it == items.end()) {
        if (!token.empty()) out += gone(href);
      } else {
        out += response(href, "<D:getetag>" + it->second.first + "</D:getetag>");
      }
    }
    if (to < log.size())
      out += "<D:response><D:href>/cal/team%20a</D:href><D:status>HTTP/1.1 507 Insufficient Storage</D:status></D:response>";
    return multistatus(out + "<D:sync-token>t:" + std::to_string(to) + "</D:sync-token>");
  }
  HttpResponse give(const XmlElement& body) {
    std::string out;
    std::size_t asked = 0;
    for (const XmlElement& href : body.children) {
      if (!href.is(kDavNs, "href")) continue;
      ++asked;
      const std::string name = href.text.substr(href.text.rfind('/') + 1);
      const auto it = items.find(name);
      if (name == withheld) continue;
      out += it == items.end() ? gone(href.text)
                               : response(kHome + name, "<D:getetag>" + it->second.first + "</D:getetag><C:calendar-data>" +
                                                            xml_escape(it->second.second) + "</C:calendar-data>");
    }
    EXPECT_LE(asked, 50u);
    return multistatus(out);
  }
  int version_ = 0;
};

class CalDav : public testing::Test {
 protected:
  CalDav() : source_(connection()) {}
  static Connection connection() {
    Connection c;
    c.id = "work";
    c.kind = "caldav";
    c.calendar = std::string("https://cal.example") + kHome;
    c.credentials.grant = "basic";
    c.credentials.username = "ann";
    c.credentials.password = "secret";
    return c;
  }
  /// Empty: done. Otherwise what failed.
  std::string sync(Instant now = kNow) {
    SourceAction action = source_.begin({now, now + hours(24)}, now, std::string(32, 'e'));
    server_.requests.clear();
    for (int i = 0; i < 500; ++i) {
      if (auto* send = std::get_if<SendRequest>(&action)) {
        action = source_.reply(server_.answer(send->request), kNow);
      } else if (const auto* f = std::get_if<SyncFailed>(&action)) {
        failed_ = *f;
        return f->detail;
      } else {
        return {};
      }
    }
    return "no end";
  }
  std::vector<std::string> titles() const {
    std::vector<std::string> out;
    for (const Calendar* c : source_.documents()) {
      for (const VEvent& e : c->events) out.push_back(e.summary);
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  using Titles = std::vector<std::string>;

  CalDavSource source_;
  Server server_;
  SyncFailed failed_;
};

TEST_F(CalDav, FollowsChangesByToken) {
  server_.put("a.ics", event("a"));
  server_.put("b.ics", event("b"));
  ASSERT_EQ(sync(), "");
  EXPECT_EQ(titles(), (Titles{"a", "b"}));
  EXPECT_EQ(server_.requests.size(), 3u);
  server_.put("b.ics", event("b2"));
  server_.put("c.ics", event("c"));
  server_.remove("a.ics");
  ASSERT_EQ(sync(), "");
  EXPECT_EQ(titles(), (Titles{"b2", "c"}));
  EXPECT_EQ(server_.requests.size(), 2u);
  ASSERT_EQ(sync(), "");
  EXPECT_EQ(server_.requests.size(), 1u);
  EXPECT_EQ(titles(), (Titles{"b2", "c"}));
  EXPECT_TRUE(source_.problems().empty());
}

TEST_F(CalDav, ReadsManyInPagesAndBatches) {
  for (int i = 0; i < 120; ++i) server_.put("e" + std::to_string(i) + ".ics", event("e" + std::to_string(i)));
  server_.page = 50;
  ASSERT_EQ(sync(), "");
  EXPECT_EQ(titles().size(), 120u);
  EXPECT_EQ(server_.requests.size(), 1u + 3u + 3u);
}

TEST_F(CalDav, ReadsAllAnewWhenTheTokenIsNotKnown) {
  for (const int status : {403, 409, 400, 412}) {
    server_.invalid_token_status = status;
    server_.put("a.ics", event("a"));
    server_.put("b.ics", event("b"));
    ASSERT_EQ(sync(), "");
    server_.remove("a.ics");
    server_.first_token = server_.log.size();
    ASSERT_EQ(sync(), "") << status;
    EXPECT_EQ(titles(), Titles{"b"});
    // b was known by its ETag.
    EXPECT_EQ(server_.requests.size(), 3u) << status;
  }
}

TEST_F(CalDav, ComparesTagsWhereThereIsNoSync) {
  server_.can_sync = false;
  server_.put("a.ics", event("a"));
  server_.put("b.ics", event("b"));
  ASSERT_EQ(sync(), "");
  EXPECT_EQ(titles(), (Titles{"a", "b"}));
  ASSERT_EQ(sync(), "");
  EXPECT_EQ(server_.requests.size(), 1u);  // the same getctag
  server_.put("c.ics", event("c"));
  server_.remove("a.ics");
  ASSERT_EQ(sync(), "");
  EXPECT_EQ(titles(), (Titles{"b", "c"}));
  ASSERT_EQ(server_.requests.size(), 3u);
  EXPECT_EQ(server_.requests.back().body.find("b.ics"), std::string::npos);
}

TEST_F(CalDav, DoesWithoutSyncWhenTheServerOnlyNamesIt) {
  server_.answers_sync = false;
  server_.put("a.ics", event("a"));
  ASSERT_EQ(sync(), "");
  EXPECT_EQ(titles(), Titles{"a"});
  ASSERT_EQ(sync(), "");
  EXPECT_EQ(server_.requests.size(), 1u);
}

TEST_F(CalDav, OneBrokenResourceHidesNoOther) {
  server_.put("a.ics", event("a"));
  server_.put("bad.ics", "this is nothing");
  server_.put("z.ics", event("z"));
  ASSERT_EQ(sync(), "");
  EXPECT_EQ(titles(), (Titles{"a", "z"}));
  ASSERT_EQ(source_.problems().size(), 1u);
  EXPECT_NE(source_.problems()[0].find("1 entries"), std::string::npos);
  // The last readable version stays.
  server_.put("a.ics", "<html>oops</html>");
  ASSERT_EQ(sync(), "");
  EXPECT_EQ(titles(), (Titles{"a", "z"}));
  server_.put("a.ics", event("a2"));
  server_.remove("bad.ics");
  ASSERT_EQ(sync(), "");
  EXPECT_EQ(titles(), (Titles{"a2", "z"}));
  EXPECT_TRUE(source_.problems().empty());
}

TEST_F(CalDav, KeepsOnlyWhatCanMatter) {
  server_.put("old.ics", event("old", "20240101T100000Z"));
  server_.put("series.ics", event("series", "20240101T100000Z", "RRULE:FREQ=DAILY\r\n"));
  server_.put("long.ics", event("long", "20240101T100000Z", "DTEND:20260101T100000Z\r\n"));
  server_.put("future.ics", event("future", "20300101T100000Z"));
  ASSERT_EQ(sync(), "");
  EXPECT_EQ(titles(), (Titles{"future", "long", "series"}));
}

TEST_F(CalDav, AClockSetBackBringsBackWhatWasOver) {
  server_.put("a.ics", event("a"));
  for (const bool can_sync : {true, false}) {
    server_.can_sync = can_sync;
    ASSERT_EQ(sync(kNow + hours(24 * 30)), "");
    EXPECT_EQ(titles(), Titles{});
    ASSERT_EQ(sync(), "");
    EXPECT_EQ(titles(), Titles{"a"});
  }
}

TEST_F(CalDav, AsksAgainForWhatWasNotGiven) {
  server_.put("a.ics", event("a"));
  server_.put("b.ics", event("b"));
  server_.withheld = "b.ics";
  ASSERT_EQ(sync(), "");
  EXPECT_EQ(titles(), Titles{"a"});
  EXPECT_EQ(source_.problems().size(), 1u);
  server_.withheld.clear();
  ASSERT_EQ(sync(), "");
  EXPECT_EQ(titles(), (Titles{"a", "b"}));
  EXPECT_TRUE(source_.problems().empty());
}

TEST_F(CalDav, AFailedSyncChangesNothingAndIsTakenUpAgain) {
  server_.put("a.ics", event("a"));
  ASSERT_EQ(sync(), "");
  for (int i = 0; i < 60; ++i) server_.put("n" + std::to_string(i) + ".ics", event("n"));
  server_.remove("a.ics");
  const HttpResponse pass{0, {}, {}};
  server_.instead = {pass, pass, {503, {{"retry-after", "120"}}, ""}};  // the second batch fails
  EXPECT_NE(sync().find("503"), std::string::npos);
  EXPECT_EQ(failed_.retry_after, seconds(120));
  EXPECT_FALSE(failed_.reconnect);
  EXPECT_EQ(titles(), Titles{"a"});
  server_.remove("n0.ics");
  ASSERT_EQ(sync(), "");
  EXPECT_EQ(titles(), Titles(59, "n"));
  EXPECT_EQ(server_.requests.size(), 2u);  // only what was missing
}

TEST_F(CalDav, SaysWhatToDo) {
  server_.put("a.ics", event("a"));
  ASSERT_EQ(sync(), "");
  server_.instead = {{401, {}, ""}};
  EXPECT_NE(sync().find("hansard calendar connect caldav --id work"), std::string::npos);
  EXPECT_TRUE(failed_.reconnect);
  server_.instead = {{404, {}, ""}};
  EXPECT_NE(sync().find("no longer on the server"), std::string::npos);
  EXPECT_FALSE(failed_.reconnect);
  server_.instead = {{429, {{"retry-after", "7"}}, ""}};
  sync();
  EXPECT_EQ(failed_.retry_after, seconds(7));
  server_.instead = {{207, {}, "<html>"}};
  EXPECT_NE(sync().find("cannot be read"), std::string::npos);
  server_.instead = {{200, {}, "<html>log in</html>"}};
  EXPECT_NE(sync().find("does not answer as a CalDAV server"), std::string::npos);
  EXPECT_EQ(failed_.detail.find("secret"), std::string::npos);
  EXPECT_EQ(titles(), Titles{"a"});
}

TEST_F(CalDav, FollowsARedirectOnlyWithinTheServer) {
  server_.put("a.ics", event("a"));
  server_.instead = {{308, {{"location", "/moved/"}}, ""}};
  ASSERT_EQ(sync(), "");
  ASSERT_GE(server_.requests.size(), 2u);
  EXPECT_EQ(server_.requests[1].url, "https://cal.example/moved/");
  EXPECT_EQ(server_.requests[1].method, server_.requests[0].method);
  EXPECT_EQ(server_.requests[1].body, server_.requests[0].body);
  for (const char* other :
       {"https://evil.example/x", "http://cal.example/cal/", "//evil.example/", "https://cal.example:8443/"}) {
    server_.instead = {{302, {{"location", other}}, ""}};
    EXPECT_NE(sync().find("another server"), std::string::npos) << other;
    EXPECT_EQ(server_.requests.size(), 1u);
  }
  for (int i = 0; i < 9; ++i) server_.instead.push_back({307, {{"location", "/x"}}, ""});
  EXPECT_NE(sync().find("in circles"), std::string::npos);
}

TEST_F(CalDav, AsksForFewerWhenAnAnswerIsTooLarge) {
  for (int i = 0; i < 20; ++i) server_.put("n" + std::to_string(i) + ".ics", event("n"));
  SourceAction action = source_.begin({kNow, kNow + hours(24)}, kNow, "");
  int sent = 0;
  while (auto* send = std::get_if<SendRequest>(&action)) {
    ASSERT_LT(++sent, 100);
    std::size_t asked = 0;
    for (std::size_t at = 0; (at = send->request.body.find("<d:href>", at)) != std::string::npos; ++at) ++asked;
    const bool hostile = send->request.body.find("n7.ics") != std::string::npos;
    Result<HttpResponse> answer = server_.answer(send->request);
    if (asked > 5 || hostile) answer = fail(ErrorClass::kExhausted, "http", "too large");
    action = source_.reply(answer, kNow);
  }
  ASSERT_TRUE(std::holds_alternative<SyncDone>(action));
  EXPECT_EQ(titles().size(), 19u);
  EXPECT_EQ(source_.problems().size(), 1u);
}

TEST(DavUrls, AreResolvedAndCompared) {
  const auto base = *read_dav_url("HTTPS://Cal.Example:443/a/b/");
  EXPECT_EQ(base.origin, "https://cal.example");
  EXPECT_EQ(resolve_href(base, "/x%20y/")->key(), "/x y");
  EXPECT_EQ(resolve_href(base, "c.ics")->text(), "https://cal.example/a/b/c.ics");
  EXPECT_EQ(resolve_href(base, "http://other/x?y=//z")->origin, "http://other");
  EXPECT_EQ(resolve_href(base, "//other/x")->origin, "https://other");
  for (const char* bad : {"", "ftp://x/", "https://", "https://:1/", "https://u:p@x/", "https://x/ y", "x"})
    EXPECT_FALSE(read_dav_url(bad)) << bad;
}

HttpResponse found(const std::string& href, const std::string& props) {
  return {207,
          {},
          "<multistatus xmlns='DAV:' xmlns:C='urn:ietf:params:xml:ns:caldav'><response><href>" + href +
              "</href><propstat><prop>" + props + "</prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>"};
}

class Discovery : public testing::Test {
 protected:
  using Answers = std::map<std::string, HttpResponse>;
  DiscoveryAction discover(const std::string& url, const Answers& answers) {
    Credentials credentials;
    credentials.grant = "basic";
    credentials.username = "ann";
    CalDavDiscovery discovery(*read_dav_url(url), credentials);
    DiscoveryAction action = discovery.begin();
    for (int i = 0; i < 50; ++i) {
      const auto* send = std::get_if<SendRequest>(&action);
      if (send == nullptr) return action;
      asked.push_back(send->request.url);
      const auto it = answers.find(send->request.url);
      action = discovery.reply(it == answers.end() ? HttpResponse{404, {}, ""} : it->second);
    }
    return SyncFailed{"no end"};
  }
  std::vector<std::string> asked;
};

const std::string kCalendarProps =
    "<displayname>Team</displayname><resourcetype><collection/><C:calendar/></resourcetype>"
    "<C:supported-calendar-component-set><C:comp name='VEVENT'/></C:supported-calendar-component-set>";

TEST_F(Discovery, GoesFromTheServerToItsCalendars) {
  const Answers answers = {
      {"https://x/.well-known/caldav", {301, {{"location", "/dav/"}}, ""}},
      {"https://x/dav/", found("/dav/", "<current-user-principal><href>/p/ann/</href></current-user-principal>")},
      {"https://x/p/ann/",
       found("/p/ann/",
             "<C:calendar-home-set><href>https://p42.x/home/</href></C:calendar-home-set>"
             "<C:calendar-user-address-set><href>/p/ann/</href><href>mailto:ann@x.org</href></C:calendar-user-address-set>")},
      {"https://p42.x/home/", found("/home/team/", kCalendarProps)}};
  const auto action = discover("https://x", answers);
  const auto* done = std::get_if<Discovered>(&action);
  ASSERT_NE(done, nullptr) << std::get<SyncFailed>(action).detail;
  ASSERT_EQ(done->calendars.size(), 1u);
  EXPECT_EQ(done->calendars[0].url, "https://p42.x/home/team/");
  EXPECT_EQ(done->calendars[0].name, "Team");
  EXPECT_EQ(done->account, "ann@x.org");
}

TEST_F(Discovery, TakesACalendarsOwnAddress) {
  const auto action = discover("https://x/home/team/", {{"https://x/home/team/", found("/home/team/", kCalendarProps)}});
  ASSERT_NE(std::get_if<Discovered>(&action), nullptr);
  EXPECT_EQ(asked.size(), 1u);
}

TEST_F(Discovery, TakesThePasswordNowhereWithoutHttps) {
  for (const char* from : {"https://x", "http://127.0.0.1:5232"}) {
    asked.clear();
    const auto action = discover(from, {{std::string(from) + "/.well-known/caldav", {302, {{"location", "http://evil/"}}, ""}}});
    ASSERT_NE(std::get_if<SyncFailed>(&action), nullptr);
    EXPECT_EQ(asked.size(), 1u);
  }
}

TEST_F(Discovery, SaysWhyNothingWasFound) {
  const auto why = [&](const HttpResponse& r) {
    const auto action = discover("https://x", {{"https://x/.well-known/caldav", r}});
    const auto* f = std::get_if<SyncFailed>(&action);
    return f == nullptr ? std::string("found") : f->detail;
  };
  EXPECT_NE(why({401, {}, ""}).find("password"), std::string::npos);
  EXPECT_NE(why({404, {}, ""}).find("no CalDAV calendars were found"), std::string::npos);
  EXPECT_NE(why({301, {{"location", "/.well-known/caldav"}}, ""}).find("circles"), std::string::npos);
  EXPECT_NE(why({503, {}, ""}).find("later"), std::string::npos);
}

// ---- feeds -----------------------------------------------------------------------------------------------------

class Feed : public testing::Test {
 protected:
  Feed()
      : source_([] {
          Connection c;
          c.kind = "ics";
          c.calendar = "webcal://x/y.ics";
          return c;
        }()) {}
  std::string get(const Result<HttpResponse>& response) {
    const SourceAction sent = source_.begin({kNow, kNow + hours(24)}, kNow, "");
    request_ = std::get<SendRequest>(sent).request;
    const SourceAction action = source_.reply(response, kNow);
    const auto* f = std::get_if<SyncFailed>(&action);
    return f == nullptr ? "" : f->detail;
  }
  std::size_t events() const { return source_.documents()[0]->events.size(); }
  FeedSource source_;
  HttpRequest request_;
};

TEST_F(Feed, WhatIsNoWholeCalendarDeletesNothing) {
  const std::string good = event("a");
  ASSERT_EQ(get(HttpResponse{200, {}, good}), "");
  EXPECT_EQ(request_.url, "https://x/y.ics");
  EXPECT_NE(get(HttpResponse{200, {}, "<!DOCTYPE html><html>log in</html>"}).find("web page"), std::string::npos);
  EXPECT_NE(get(HttpResponse{200, {}, ""}).find("empty"), std::string::npos);
  EXPECT_NE(get(HttpResponse{200, {}, "hello"}).find("no iCalendar data"), std::string::npos);
  EXPECT_NE(get(HttpResponse{200, {}, event("b").substr(0, 60)}).find("ends in the middle"), std::string::npos);
  EXPECT_NE(get(HttpResponse{404, {}, ""}).find("status 404"), std::string::npos);
  EXPECT_NE(get(HttpResponse{403, {}, ""}).find("private address"), std::string::npos);
  EXPECT_EQ(events(), 1u);
  EXPECT_EQ(source_.documents()[0]->events[0].uid, "a");
}

TEST_F(Feed, AnotherDtstampIsNoChange) {
  const auto stamped = [](const std::string& stamp, const std::string& uid) {
    return event(uid, "20251009T120000Z", "DTSTAMP:" + stamp + "\r\n");
  };
  ASSERT_EQ(get(HttpResponse{200, {}, stamped("20251001T000000Z", "a")}), "");
  const auto first = source_.documents()[0]->events[0].stamp;
  ASSERT_EQ(get(HttpResponse{200, {}, stamped("20251002T000000Z", "a")}), "");
  EXPECT_EQ(source_.documents()[0]->events[0].stamp, first);  // not read again
  ASSERT_EQ(get(HttpResponse{200, {}, stamped("20251003T000000Z", "b")}), "");
  EXPECT_EQ(source_.documents()[0]->events[0].uid, "b");
}

TEST_F(Feed, SaysWhatEachRefusalMeans) {
  for (const auto& [status, words] : {std::pair(401, "private address"),
                                      {410, "no feed at this address"},
                                      {429, "fewer requests"},
                                      {500, "has a fault"},
                                      {503, "has a fault"},
                                      {204, "gave no calendar"},
                                      {302, "gave no calendar"}}) {
    const std::string why = get(HttpResponse{status, {}, ""});
    EXPECT_NE(why.find(words), std::string::npos) << why;
    EXPECT_NE(why.find("(status " + std::to_string(status) + ")"), std::string::npos) << why;
  }
  EXPECT_NE(get(HttpResponse{304, {}, ""}).find("status 304"), std::string::npos) << "nothing was read before";
  EXPECT_EQ(get(fail(ErrorClass::kUnavailable, "http", "no route")), "no route");
}

TEST_F(Feed, ATagThatChangesWithEachDownloadIsNotCompared) {
  ASSERT_EQ(get(HttpResponse{200, {}, event("a", "20251009T120000Z", "DTSTAMP;X=1:20251001T000000Z\r\n")}), "");
  const auto first = source_.documents()[0];
  ASSERT_EQ(get(HttpResponse{200, {{"last-modified", "Fri"}}, event("b")}), "");
  EXPECT_EQ(source_.documents()[0]->events[0].uid, "b");
  EXPECT_EQ(source_.documents()[0], first) << "the same place, with what is there now";
  ASSERT_EQ(get(HttpResponse{200, {}, "BEGIN:VCALENDAR\nEND:VCALENDAR\n"}), "");
  EXPECT_EQ(events(), 0u) << "an empty calendar is one";
}

TEST_F(Feed, AsksWithTheServersTags) {
  ASSERT_EQ(get(HttpResponse{200, {{"etag", "\"1\""}, {"last-modified", "Thu"}}, event("a")}), "");
  ASSERT_EQ(get(HttpResponse{304, {}, ""}), "");
  EXPECT_EQ(find_header(request_.headers, "if-none-match"), "\"1\"");
  EXPECT_EQ(find_header(request_.headers, "if-modified-since"), "Thu");
  EXPECT_EQ(events(), 1u);
}

}  // namespace
}  // namespace hansard::calendar
