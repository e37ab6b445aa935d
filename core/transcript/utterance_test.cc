#include "core/transcript/utterance.h"

#include <gtest/gtest.h>

namespace hansard {
namespace {

TEST(UtteranceJson, RoundTrips) {
  const Utterance u{"u1", "p1", "Ada", {100}, {900}, "Hello.", {{"Hello.", {100}, {900}, 0.5}}};
  const Json json = to_json(u);
  EXPECT_EQ(json.dump(), R"({"id":"u1","participant":"p1","speaker":"Ada","start_ms":100,"end_ms":900,"text":"Hello.","words":[)"
                         R"({"text":"Hello.","start_ms":100,"end_ms":900,"confidence":0.5}]})");
  EXPECT_EQ(*from_json<Utterance>(json), u);
}

TEST(CoverageJson, NamesItsStateAndRefusesUnknownOnes) {
  const CoverageInterval c{"p1", {0}, {20}, Coverage::kLost, "network"};
  EXPECT_EQ(*from_json<CoverageInterval>(to_json(c)), c);
  EXPECT_FALSE(from_json<CoverageInterval>(*Json::parse(R"({"state":"gone"})")));
}

}  // namespace
}  // namespace hansard
