#include "core/calendar/invite.h"

#include <gtest/gtest.h>

#include "core/calendar/invite_html.h"
#include "core/calendar/invite_text.h"
#include "core/calendar/test_support.h"

namespace hansard::calendar {
namespace {

void check_file(const std::filesystem::path& file, int at_least) {
  const auto text = testing::read_file(file);
  ASSERT_TRUE(text) << file;
  int cases = 0;
  std::size_t from = 0;
  while (from < text->size()) {
    const std::size_t end = std::min(text->find('\n', from), text->size());
    const auto c = Json::parse(text->substr(from, end - from));
    from = end + 1;
    ASSERT_TRUE(c) << file;
    ++cases;
    const InviteLink link = find_invite(c->text_or("text"), c->bool_or("html", false), invite_config((*c)["config"]));
    Json wanted = (*c)["expect"];
    if (wanted.is_null()) wanted.set("platform", nullptr);
    EXPECT_EQ(invite_json(link).dump(), wanted.dump()) << c->text_or("id");
  }
  EXPECT_GE(cases, at_least);
}

TEST(Invites, DevelopmentSet) { check_file(testing::tests_data() / "invites" / "dev.jsonl", 79); }
TEST(Invites, MoreLanguagesWrappersAndDecoys) { check_file(testing::tests_data() / "invites" / "more.jsonl", 130); }

VEvent event(const std::string& body) {
  const auto c = read_calendar(testing::calendar_of(testing::event_of("UID:i\r\nDTSTART:20250101T100000Z\r\n" + body)));
  return c && !c->events.empty() ? c->events[0] : VEvent{};
}

TEST(EventInvites, FollowTheOrderOfTheProperties) {
  const std::string description = "DESCRIPTION:https://zoom.us/j/81234567890\\nPasscode: 998877\r\n";
  const std::string location = "LOCATION:Room 4\\, https://meet.google.com/abc-defg-hij\r\n";
  EXPECT_EQ(find_invite(event(description)).platform, "zoom");
  EXPECT_EQ(find_invite(event(description)).passcode, "998877");
  EXPECT_EQ(find_invite(event(description + location)).platform, "meet");
  const std::string conference =
      "CONFERENCE;VALUE=URI;FEATURE=MODERATOR,VIDEO:https://meet.jit.si/Host\r\n"
      "CONFERENCE;VALUE=URI;FEATURE=PHONE:tel:+1-412-555-0123\r\n"
      "CONFERENCE;VALUE=URI;FEATURE=AUDIO,VIDEO:https://meet.jit.si/Quiet\r\n";
  EXPECT_EQ(find_invite(event(description + location + conference)).url, "https://meet.jit.si/Quiet");
}

TEST(EventInvites, TakeThePasscodeFromTheText) {
  const VEvent e = event(
      "X-MICROSOFT-SKYPETEAMSMEETINGURL:https://teams.microsoft.com/l/meetup-join/19%3ameeting_A%40thread.v2/0\r\n"
      "DESCRIPTION:Join <https://teams.microsoft.com/l/meetup-join/19%3ameeting_A%40thread.v2/0>\\nMeeting ID: 345 678 901 "
      "234\\nPasscode: aB3dEf\r\n");
  const InviteLink link = find_invite(e);
  EXPECT_EQ(link.platform, "teams");
  EXPECT_EQ(link.meeting_id, "345678901234");
  EXPECT_EQ(link.passcode, "aB3dEf");
}

TEST(EventInvites, ReadTheHtmlBody) {
  EXPECT_EQ(find_invite(event("LOCATION:Microsoft Teams Meeting\r\nX-ALT-DESC;FMTTYPE=text/html:<a "
                              "href=\"https://teams.microsoft.com/meet/2233445566778?p=Q\">Join</a>\r\n"))
                .url,
            "https://teams.microsoft.com/meet/2233445566778?p=Q");
  EXPECT_FALSE(find_invite(event("LOCATION:Room 5\r\n")));
}

TEST(InviteHtml, KeepsTextAndSkipsWhatNobodySees) {
  EXPECT_EQ(html_to_text("a<!-- x --><br>b &amp; c<script>var d='</p>';</script><style>e{}</style><p>f</p>").text,
            "a\nb & c\nf\n");
  EXPECT_EQ(html_to_text("x <https://a.example/b> y").text, "x <https://a.example/b> y");
  EXPECT_EQ(html_to_text("<p").links.size(), 0u);
  EXPECT_EQ(html_to_text("<a href='x' href='y'>").links.front().url, "x");
  EXPECT_EQ(html_to_text("<s>gone</s><del>gone</del><div style='display: none'><div>gone</div>gone</div>here").text, "here");
}

TEST(InviteUrl, MatchesHostsOnLabelBorders) {
  EXPECT_TRUE(host_within("us02web.zoom.us", "zoom.us"));
  EXPECT_FALSE(host_within("evilzoom.us", "zoom.us"));
  EXPECT_FALSE(host_within("zoom.us.evil.example", "zoom.us"));
  EXPECT_FALSE(parse_url("https://zoom.us@evil.example/j/81234567890"));
}

TEST(InviteUrl, StopsAtNestedWrappers) {
  std::string url = "https://zoom.us/j/81234567890";
  const auto wrap = [](const std::string& inner) {
    std::string out = "https://x.safelinks.protection.outlook.com/?url=";
    for (const char c : inner) {
      char hex[4];
      std::snprintf(hex, sizeof hex, "%%%02X", static_cast<unsigned char>(c));
      out += hex;
    }
    return out;
  };
  for (int i = 0; i < 3; ++i) url = wrap(url);
  EXPECT_TRUE(read_join_link(url, {}));
  for (int i = 0; i < 4; ++i) url = wrap(url);
  EXPECT_FALSE(read_join_link(url, {}));
}

TEST(InviteUrl, NeverGivesBrokenBytesOrLineBreaks) {
  const auto link =
      read_join_link("https://x.safelinks.protection.outlook.com/?url=https%3A%2F%2Fmeet.jit.si%2FRoom%0D%0AX-Evil%3A1", {});
  ASSERT_TRUE(link);
  EXPECT_EQ(link->url, "https://meet.jit.si/Room");
  const auto broken = find_invite("<a href='https://acme.webex.com/acme/j.php?MTID=m01\xFF'>x</a>", true);
  EXPECT_EQ(broken.meeting_id, "m01\xEF\xBF\xBD");
}

TEST(InviteText, FoldsLettersOfManyScripts) {
  EXPECT_EQ(fold_text("CONTRASEÑA Código ŁÓDŹ ΚΩΔΙΚΌΣ Пароль Mật mã").text, "contrasena codigo lodz κωδικοσ пароль mat ma");
  const FoldedText f = fold_text("äÖ:x");
  EXPECT_EQ(f.origin[f.text.find('x')], 5u);
}

}  // namespace
}  // namespace hansard::calendar
