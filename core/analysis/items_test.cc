// What is made of short pieces of talk. None of them is from the demo's meetings or from the training data.
#include <gtest/gtest.h>

#include "core/analysis/live.h"
#include "core/analysis/test_support.h"

namespace hansard::analysis {
namespace {

const MeetingInfo kWednesday{CivilDate{2026, 1, 21}, {}};

std::vector<AnalysisItem> found(ItemKind kind, const std::vector<Utterance>& utterances, const MeetingInfo& info = kWednesday) {
  std::vector<AnalysisItem> out;
  for (const auto& item : analyze(embedded_model(), info, utterances).items) {
    if (item.kind == kind) out.push_back(item);
  }
  return out;
}

TEST(Items, APromiseWithADateIsATask) {
  const auto items =
      found(ItemKind::kActionItem, talk({{"Ada", "The invoices look odd to me."},
                                         {"Ada", "So, um, I'll send the corrected invoices to the bank by Friday."},
                                         {"Ken", "It rained all day yesterday."}}));
  ASSERT_EQ(items.size(), 1u);
  EXPECT_EQ(items[0].text, "Send the corrected invoices to the bank by Friday.");
  EXPECT_EQ(items[0].owner, "Ada");
  EXPECT_EQ(items[0].due, "2026-01-23");
  EXPECT_EQ(items[0].quote, "So, um, I'll send the corrected invoices to the bank by Friday.");
  EXPECT_EQ(items[0].utterance_ids, std::vector<std::string>{"u2"});
}

TEST(Items, ARequestGoesToTheOneWhoIsNamedOrAnswers) {
  const auto named = found(ItemKind::kActionItem, talk({{"Ada", "Ken, could you order the paper for the printer?"},
                                                        {"Bea", "The printer is on the second floor."},
                                                        {"Ken", "Sure, I'll do that tomorrow."}}));
  ASSERT_EQ(named.size(), 1u);
  EXPECT_EQ(named[0].owner, "Ken");
  EXPECT_EQ(named[0].text, "Order the paper for the printer.");
  EXPECT_EQ(named[0].due, "2026-01-22");
  const auto answered = found(ItemKind::kActionItem, talk({{"Bea", "The contract runs out in May."},
                                                           {"Ada", "Can you please review the contract by Monday?"},
                                                           {"Ken", "Yes, will do."}}));
  ASSERT_EQ(answered.size(), 1u);
  EXPECT_EQ(answered[0].owner, "Ken");
  EXPECT_EQ(answered[0].due, "2026-01-26");
}

TEST(Items, SomebodyIsWhoeverOffers) {
  const auto items = found(ItemKind::kActionItem, talk({{"Ada", "Someone has to email the landlord about the heating."},
                                                        {"Ken", "I can do that."},
                                                        {"Bea", "The weather is getting colder."}}));
  ASSERT_EQ(items.size(), 1u);
  EXPECT_EQ(items[0].owner, "Ken");
  EXPECT_EQ(items[0].text, "Email the landlord about the heating.");
}

TEST(Items, AThirdPersonAndARole) {
  const MeetingInfo info{CivilDate{2026, 1, 21}, {{"A", "Product Owner"}, {"B", "Test Engineer"}}};
  const auto items = found(ItemKind::kActionItem,
                           talk({{"A", "The test engineer will prepare the load test by next Tuesday."}, {"B", "Fine."}}), info);
  ASSERT_EQ(items.size(), 1u);
  EXPECT_EQ(items[0].owner, "B");
  EXPECT_EQ(items[0].due, "2026-01-27");
  const auto third = found(ItemKind::kActionItem, talk({{"Ada", "Ken will call the electrician on Monday."}, {"Ken", "Right."}}));
  ASSERT_EQ(third.size(), 1u);
  EXPECT_EQ(third[0].owner, "Ken");
  EXPECT_EQ(third[0].text, "Call the electrician on Monday.");
}

TEST(Items, TalkIsNotATask) {
  EXPECT_TRUE(found(ItemKind::kActionItem, talk({{"Ada", "I'll say it is quite warm in here."},
                                                 {"Ken", "I could have called the office last week."},
                                                 {"Ada", "If you send it, they will lose it."},
                                                 {"Ken", "Should I be worried about that?"},
                                                 {"Ada", "No, you can see it in the report."}}))
                  .empty());
}

TEST(Items, DecisionsAreSaidInManyWays) {
  const auto decided = [](const char* text) {
    const auto items =
        found(ItemKind::kDecision, talk({{"Ada", "There are two offers on the table."}, {"Ken", text}, {"Ada", "Sounds good."}}));
    return items.empty() ? std::string("none") : items[0].text;
  };
  EXPECT_EQ(decided("Okay, let's go with the cheaper offer."), "Let's go with the cheaper offer.");
  EXPECT_EQ(decided("So we agreed to keep the old logo."), "We agreed to keep the old logo.");
  EXPECT_EQ(decided("All right, we take the second room for the workshop."), "We take the second room for the workshop.");
  EXPECT_EQ(decided("Have we decided anything about the logo?"), "none");
  EXPECT_EQ(decided("We have to decide about the logo some day."), "none");
  EXPECT_EQ(decided("The second room has a nice view."), "none");
}

TEST(Items, AnAgreementTakesItsWordsFromTheProposal) {
  const auto items =
      found(ItemKind::kDecision,
            talk({{"Ada", "I'd suggest we paint the hall green."}, {"Ken", "Nice colour."}, {"Bea", "Good, that's decided."}}));
  ASSERT_EQ(items.size(), 1u);
  EXPECT_EQ(items[0].text, "I'd suggest we paint the hall green.");
  EXPECT_EQ(items[0].utterance_ids, (std::vector<std::string>{"u1", "u3"}));
}

TEST(Items, APronounTakesItsWordsFromBefore) {
  const auto own = found(ItemKind::kActionItem, talk({{"Ken", "Would a red carpet look better?"},
                                                      {"Ada", "I need to renew the passports. I'll do that on Monday."}}));
  ASSERT_EQ(own.size(), 1u);
  EXPECT_EQ(own[0].text, "Renew the passports.");
  EXPECT_EQ(own[0].due, "2026-01-26");
  const auto object = found(ItemKind::kActionItem,
                            talk({{"Ken", "Where do we eat?"}, {"Ada", "Ken, could you discuss that with the cook tomorrow?"}}));
  ASSERT_EQ(object.size(), 1u);
  EXPECT_EQ(object[0].text, "Discuss that with the cook tomorrow.");
  const auto follow =
      found(ItemKind::kActionItem,
            talk({{"Ada", "I'll contact the caterer about the menu. You will have an answer on Friday."}, {"Ken", "Good."}}));
  ASSERT_EQ(follow.size(), 1u);
  EXPECT_EQ(follow[0].due, "2026-01-23");
}

TEST(Items, TwoTasksInOneUtteranceAreTwoItems) {
  const auto items =
      found(ItemKind::kActionItem,
            talk({{"Ada", "I'll book the hotel by Monday. Ken, please send the invitations this week."}, {"Ken", "Okay."}}));
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].owner, "Ada");
  EXPECT_EQ(items[1].owner, "Ken");
  EXPECT_EQ(items[1].quote, "Ken, please send the invitations this week.");
}

TEST(Items, NothingComesFromNothing) {
  EXPECT_TRUE(analyze(embedded_model(), {}, {}).items.empty());
  const auto blank = talk({{"", "..."}, {"", "\xF0\x9F\x98\x80"}, {"A", "?"}});
  EXPECT_TRUE(analyze(embedded_model(), {}, blank).items.empty());
}

}  // namespace
}  // namespace hansard::analysis
