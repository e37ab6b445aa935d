// From the address that a person knows to the calendars of a CalDAV server.
#include "core/calendar/sources/caldav_discovery.h"

#include <gtest/gtest.h>

#include <map>

namespace hansard::calendar {
namespace {

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

}  // namespace
}  // namespace hansard::calendar
