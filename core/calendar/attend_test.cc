#include "core/calendar/attend.h"

#include <gtest/gtest.h>

#include "core/calendar/test_support.h"

namespace hansard::calendar {
namespace {

VEvent event_with(const std::string& lines) {
  auto calendar = read_calendar(testing::calendar_of(testing::event_of("UID:a\r\nDTSTART:20260304T100000Z\r\n" + lines)));
  EXPECT_TRUE(calendar.has_value());
  return calendar->events.at(0);
}

std::string attendee(const std::string& address, const std::string& partstat, const std::string& more = "") {
  return "ATTENDEE;PARTSTAT=" + partstat + more + ":mailto:" + address + "\r\n";
}

Response response(const std::string& lines, std::string_view account, std::vector<std::string> own = {}) {
  return attend_facts(event_with(lines), account, own).response;
}

AttendReason decided(const AttendFacts& facts, const AttendRules& rules, std::string_view title = "Weekly") {
  return decide({.title = title, .facts = facts}, rules);
}

TEST(AttendFacts, TheOwnResponseIsTheOneThatCounts) {
  EXPECT_EQ(response("SUMMARY:focus\r\n", "me@own.example"), Response::kOwn) << "without guests it is one's own";
  const std::string organized = "ORGANIZER:mailto:ME@own.example\r\n" + attendee("you@own.example", "DECLINED");
  EXPECT_EQ(response(organized, "me@own.example"), Response::kOrganizer);
  EXPECT_EQ(response(organized + attendee("me@own.example", "NEEDS-ACTION"), "me@own.example"), Response::kOrganizer);
  EXPECT_EQ(response(organized + attendee("me@own.example", "DECLINED"), "me@own.example"), Response::kDeclined);
  for (const auto& [partstat, want] : {std::pair("ACCEPTED", Response::kAccepted), std::pair("TENTATIVE", Response::kTentative),
                                       std::pair("DECLINED", Response::kDeclined), std::pair("DELEGATED", Response::kDelegated),
                                       std::pair("NEEDS-ACTION", Response::kNeedsAction)}) {
    EXPECT_EQ(response(attendee("x@y.example", "ACCEPTED") + attendee("Me@Own.Example", partstat), "me@own.example"), want);
  }
  EXPECT_EQ(response(attendee("x@y.example", "ACCEPTED"), "me@own.example"), Response::kUnknown) << "invited by a group";
}

TEST(AttendFacts, WhoseCalendarItIsGoesBeforeTheOwnAddresses) {
  const std::vector<std::string> family = {"ann@own.example", "ben@own.example"};
  const std::string both = attendee("ann@own.example", "DECLINED") + attendee("ben@own.example", "ACCEPTED");
  EXPECT_EQ(response(both, "ann@own.example", family), Response::kDeclined);
  EXPECT_EQ(response(both, "", family), Response::kAccepted) << "of several own answers the clearest yes";
  VEvent marked = event_with(both);
  marked.attendees[0].self = true;
  EXPECT_EQ(attend_facts(marked, "ben@own.example", family).response, Response::kDeclined) << "what the source marks goes first";
}

TEST(AttendFacts, GuestsAreOtherPeople) {
  const VEvent event = event_with("ORGANIZER:mailto:boss@Partner.example\r\n" + attendee("me@own.example", "ACCEPTED") +
                                  attendee("room@own.example", "ACCEPTED", ";CUTYPE=ROOM") +
                                  attendee("c_1@resource.calendar.google.com", "ACCEPTED") +
                                  attendee("projector@else.example", "ACCEPTED", ";CUTYPE=RESOURCE") +
                                  attendee("peer@own.example", "ACCEPTED") + attendee("peer@own.example", "ACCEPTED"));
  const AttendFacts facts = attend_facts(event, "me@own.example", {});
  EXPECT_EQ(facts.guests, 2);
  EXPECT_EQ(facts.guest_domains, std::vector<std::string>{"partner.example"});
}

TEST(AttendFacts, APublicMailServiceMakesNobodyAColleague) {
  const VEvent event = event_with(attendee("me@gmail.com", "ACCEPTED") + attendee("stranger@gmail.com", "ACCEPTED"));
  EXPECT_EQ(attend_facts(event, "me@gmail.com", {}).guest_domains, std::vector<std::string>{"gmail.com"});
}

TEST(AttendFacts, TagsStandInTextAndCategoriesButNotInLinks) {
  const VEvent event = event_with(
      "SUMMARY:Plan #Hansard.\r\nCATEGORIES:Board,#q3\r\nLOCATION:https://x.example/a#frag &#39;\r\n"
      "DESCRIPTION:see <b>#deep-dive-</b> and a#b ##no https://x.example/#anchor\r\n");
  EXPECT_EQ(attend_facts(event, "", {}).tags, (std::vector<std::string>{"#board", "#deep-dive", "#hansard", "#q3"}));
}

TEST(AttendFacts, AFloodOfTagsAndDomainsIsBoundedAndHidesNoShortTag) {
  std::string flood = "DESCRIPTION:";
  for (int i = 0; i < 5000; ++i) flood += "#made-up-word-" + std::to_string(i) + " ";
  std::string guests;
  for (int i = 0; i < 500; ++i) guests += attendee("a@d" + std::to_string(i) + ".example", "ACCEPTED");
  const AttendFacts facts = attend_facts(event_with(flood + "#nohansard\r\n" + guests), "", {});
  EXPECT_EQ(facts.tags.size(), 100u);
  EXPECT_EQ(facts.guest_domains.size(), 50u);
  EXPECT_EQ(facts.guests, 500);
  EXPECT_EQ(decided(facts, {}), AttendReason::kOptOut);
}

TEST(Attend, WithoutRulesEverythingWithALinkIsAttended) {
  const AttendFacts facts;
  EXPECT_EQ(decided(facts, {}), AttendReason::kAll);
  EXPECT_EQ(decide({.title = "", .link = false, .facts = facts}, {}), AttendReason::kNoLink);
  EXPECT_EQ(decide({.title = "", .all_day = true, .link = false, .facts = facts}, {}), AttendReason::kAllDay);
  EXPECT_EQ(decide({.title = "", .over = true, .all_day = true, .facts = facts}, {}), AttendReason::kOver);
  EXPECT_EQ(decide({.title = "", .cancelled = true, .over = true, .facts = facts}, {}), AttendReason::kCancelled);
  AttendFacts declined;
  declined.response = Response::kDeclined;
  declined.tags = {"#hansard"};
  EXPECT_EQ(decided(declined, {}), AttendReason::kDeclined) << "the tag does not overrule the owner's no";
}

TEST(Attend, AcceptedOnly) {
  AttendRules rules;
  rules.accepted = true;
  for (const Response r : {Response::kOwn, Response::kOrganizer, Response::kAccepted}) {
    EXPECT_EQ(decided({.response = r}, rules), AttendReason::kAccepted);
  }
  for (const Response r : {Response::kUnknown, Response::kTentative, Response::kNeedsAction, Response::kDelegated}) {
    EXPECT_EQ(decided({.response = r}, rules), AttendReason::kNotAccepted);
    AttendFacts tagged{.response = r};
    tagged.tags = {"#hansard"};
    EXPECT_EQ(decided(tagged, rules), AttendReason::kNotAccepted) << "whoever writes an invitation can write a tag into it";
  }
}

TEST(Attend, ExternalOnly) {
  AttendRules rules;
  rules.external = true;
  rules.own_domains = {"own.example"};
  AttendFacts facts;
  facts.guest_domains = {"eu.own.example", "own.example"};
  EXPECT_EQ(decided(facts, rules), AttendReason::kInternal) << "a subdomain is one's own too";
  facts.guest_domains = {"notown.example"};
  EXPECT_EQ(decided(facts, rules), AttendReason::kExternal);
  facts.guest_domains = {};
  EXPECT_EQ(decided(facts, rules), AttendReason::kInternal);
}

TEST(Attend, ByTitle) {
  AttendRules rules;
  rules.include = {"*review*", "Standup"};
  rules.exclude = {"1:1 *"};
  const AttendFacts facts;
  EXPECT_EQ(decided(facts, rules, "Design REVIEW, part 2"), AttendReason::kTitle);
  EXPECT_EQ(decided(facts, rules, " standup "), AttendReason::kTitle);
  EXPECT_EQ(decided(facts, rules, "Standups"), AttendReason::kTitleNotIncluded);
  EXPECT_EQ(decided(facts, rules, "1:1 review"), AttendReason::kTitleExcluded) << "exclude goes before include";
  AttendFacts tagged;
  tagged.tags = {"#hansard"};
  EXPECT_EQ(decided(tagged, rules, "1:1 review"), AttendReason::kTag);
}

TEST(Attend, TagsOptInAndOutAndTheOptOutAlwaysWins) {
  AttendRules rules;
  rules.tagged = true;
  AttendFacts facts;
  EXPECT_EQ(decided(facts, rules), AttendReason::kNotTagged);
  facts.tags = {"#hansard"};
  EXPECT_EQ(decided(facts, rules), AttendReason::kTag);
  facts.tags = {"#hansard", "#nohansard"};
  EXPECT_EQ(decided(facts, rules), AttendReason::kOptOut);
  rules.opt_out = "Private";  // a category; the '#' may be left out
  rules.tag = "";
  EXPECT_EQ(decided(facts, rules), AttendReason::kNotTagged);
  facts.tags = {"#private"};
  EXPECT_EQ(decided(facts, rules), AttendReason::kOptOut);
}

TEST(Attend, RulesAreFiltersThatAllMustPass) {
  AttendRules rules;
  rules.accepted = rules.external = true;
  rules.include = {"*"};
  AttendFacts facts{.response = Response::kAccepted};
  facts.guest_domains = {"partner.example"};
  EXPECT_EQ(decided(facts, rules), AttendReason::kTitle);
  facts.guest_domains = {};
  EXPECT_EQ(decided(facts, rules), AttendReason::kInternal);
}

TEST(Attend, EveryReasonHasANameAndASentence) {
  int yes = 0;
  for (const auto& [reason, name] : enum_names(AttendReason{})) {
    EXPECT_FALSE(attend_sentence(reason).empty()) << name;
    EXPECT_EQ(enum_value<AttendReason>(name), reason);
    yes += attends(reason) ? 1 : 0;
  }
  EXPECT_EQ(yes, 5);
}

TEST(Titles, StarsStandForAnyText) {
  EXPECT_TRUE(matches_title("*", ""));
  EXPECT_TRUE(matches_title("a*b*c", "AxxbyyC"));
  EXPECT_TRUE(matches_title("**a", "bca"));
  EXPECT_FALSE(matches_title("a*b", "ac"));
  EXPECT_FALSE(matches_title("", "a"));
  EXPECT_FALSE(matches_title(std::string(50, '*') + "x", std::string(20'000, 'y')));
}

}  // namespace
}  // namespace hansard::calendar
