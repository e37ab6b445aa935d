// How a CalDAV calendar is read, against a server that keeps a collection.
#include "core/calendar/sources/caldav_source.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>

#include "core/base/encoding.h"
#include "core/calendar/sources/talk_testing.h"

namespace hansard::calendar {
namespace {

using testing::event_file;

constexpr Instant kNow{1'760'000'000'000};  // 2025-10-09
constexpr const char* kHome = "/cal/team%20a/";

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

class CalDav : public ::testing::Test {
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
  server_.put("a.ics", event_file("a"));
  server_.put("b.ics", event_file("b"));
  ASSERT_EQ(sync(), "");
  EXPECT_EQ(titles(), (Titles{"a", "b"}));
  EXPECT_EQ(server_.requests.size(), 3u);
  server_.put("b.ics", event_file("b2"));
  server_.put("c.ics", event_file("c"));
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
  for (int i = 0; i < 120; ++i) server_.put("e" + std::to_string(i) + ".ics", event_file("e" + std::to_string(i)));
  server_.page = 50;
  ASSERT_EQ(sync(), "");
  EXPECT_EQ(titles().size(), 120u);
  EXPECT_EQ(server_.requests.size(), 1u + 3u + 3u);
}

TEST_F(CalDav, ReadsAllAnewWhenTheTokenIsNotKnown) {
  for (const int status : {403, 409, 400, 412}) {
    server_.invalid_token_status = status;
    server_.put("a.ics", event_file("a"));
    server_.put("b.ics", event_file("b"));
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
  server_.put("a.ics", event_file("a"));
  server_.put("b.ics", event_file("b"));
  ASSERT_EQ(sync(), "");
  EXPECT_EQ(titles(), (Titles{"a", "b"}));
  ASSERT_EQ(sync(), "");
  EXPECT_EQ(server_.requests.size(), 1u);  // the same getctag
  server_.put("c.ics", event_file("c"));
  server_.remove("a.ics");
  ASSERT_EQ(sync(), "");
  EXPECT_EQ(titles(), (Titles{"b", "c"}));
  ASSERT_EQ(server_.requests.size(), 3u);
  EXPECT_EQ(server_.requests.back().body.find("b.ics"), std::string::npos);
}

TEST_F(CalDav, DoesWithoutSyncWhenTheServerOnlyNamesIt) {
  server_.answers_sync = false;
  server_.put("a.ics", event_file("a"));
  ASSERT_EQ(sync(), "");
  EXPECT_EQ(titles(), Titles{"a"});
  ASSERT_EQ(sync(), "");
  EXPECT_EQ(server_.requests.size(), 1u);
}

TEST_F(CalDav, OneBrokenResourceHidesNoOther) {
  server_.put("a.ics", event_file("a"));
  server_.put("bad.ics", "this is nothing");
  server_.put("z.ics", event_file("z"));
  ASSERT_EQ(sync(), "");
  EXPECT_EQ(titles(), (Titles{"a", "z"}));
  ASSERT_EQ(source_.problems().size(), 1u);
  EXPECT_NE(source_.problems()[0].find("1 entries"), std::string::npos);
  // The last readable version stays.
  server_.put("a.ics", "<html>oops</html>");
  ASSERT_EQ(sync(), "");
  EXPECT_EQ(titles(), (Titles{"a", "z"}));
  server_.put("a.ics", event_file("a2"));
  server_.remove("bad.ics");
  ASSERT_EQ(sync(), "");
  EXPECT_EQ(titles(), (Titles{"a2", "z"}));
  EXPECT_TRUE(source_.problems().empty());
}

TEST_F(CalDav, KeepsOnlyWhatCanMatter) {
  server_.put("old.ics", event_file("old", "20240101T100000Z"));
  server_.put("series.ics", event_file("series", "20240101T100000Z", "RRULE:FREQ=DAILY\r\n"));
  server_.put("long.ics", event_file("long", "20240101T100000Z", "DTEND:20260101T100000Z\r\n"));
  server_.put("future.ics", event_file("future", "20300101T100000Z"));
  ASSERT_EQ(sync(), "");
  EXPECT_EQ(titles(), (Titles{"future", "long", "series"}));
}

TEST_F(CalDav, AClockSetBackBringsBackWhatWasOver) {
  server_.put("a.ics", event_file("a"));
  for (const bool can_sync : {true, false}) {
    server_.can_sync = can_sync;
    ASSERT_EQ(sync(kNow + hours(24 * 30)), "");
    EXPECT_EQ(titles(), Titles{});
    ASSERT_EQ(sync(), "");
    EXPECT_EQ(titles(), Titles{"a"});
  }
}

TEST_F(CalDav, AsksAgainForWhatWasNotGiven) {
  server_.put("a.ics", event_file("a"));
  server_.put("b.ics", event_file("b"));
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
  server_.put("a.ics", event_file("a"));
  ASSERT_EQ(sync(), "");
  for (int i = 0; i < 60; ++i) server_.put("n" + std::to_string(i) + ".ics", event_file("n"));
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
  server_.put("a.ics", event_file("a"));
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
  server_.put("a.ics", event_file("a"));
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
  for (int i = 0; i < 20; ++i) server_.put("n" + std::to_string(i) + ".ics", event_file("n"));
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

}  // namespace
}  // namespace hansard::calendar
