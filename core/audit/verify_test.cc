#include "core/audit/verify.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/prng.h"

namespace hansard::audit {
namespace {

std::vector<Row> log_of(std::size_t rows, std::uint64_t seed = 1) {
  Prng rng(seed);
  Head head;
  std::vector<Row> out;
  while (out.size() < rows) {
    const Act act{Instant{static_cast<std::int64_t>(rng.below(1u << 30))}, "api",
                  std::string(kActions[rng.below(kActions.size())]), "m" + std::to_string(rng.below(5)), "ok"};
    for (Row& row : append(head, std::span(&act, 1))) out.push_back(std::move(row));
  }
  return out;
}

Anchor anchor_of(const Row& row) { return {row.seq, row.hash}; }

Verdict verify(const std::vector<Row>& rows, std::vector<Anchor> anchors = {}) {
  Verifier verifier(std::move(anchors));
  for (const Row& row : rows) verifier.take(row);
  return verifier.finish();
}

/// As somebody who can write and who knows the encoding would: all from `from` on is computed anew.
void rewrite(std::vector<Row>& rows, std::size_t from) {
  for (std::size_t i = from; i < rows.size(); ++i) {
    rows[i].seq = i + 1;
    rows[i].previous = i == 0 ? Hash{} : rows[i - 1].hash;
    rows[i].hash = hash_of(rows[i]);
  }
}

/// One change of a row that is not none.
void change(Row& row, Prng& rng) {
  const auto flip = [&](std::uint8_t& byte) { byte = static_cast<std::uint8_t>(byte ^ (1u << rng.below(8))); };
  std::string* const texts[] = {&row.act.actor, &row.act.action, &row.act.object, &row.act.outcome};
  std::string& text = *texts[rng.below(4)];
  switch (rng.below(7)) {
    case 0: row.act.at.ms ^= std::int64_t{1} << rng.below(63); return;
    case 1: flip(row.previous[rng.below(32)]); return;
    case 2: flip(row.hash[rng.below(32)]); return;
    case 3: row.seq ^= std::uint64_t{1} << rng.below(63); return;
    case 4: text += 'x'; return;
    case 5: text.resize(text.size() - 1); return;
    default: text[rng.below(text.size())] ^= static_cast<char>(1 << rng.below(8)); return;
  }
}

TEST(AuditVerify, FindsNothingInASoundLog) {
  for (const std::size_t n : {0u, 2u, 3u, 50u}) {
    const auto rows = log_of(n);
    std::vector<Anchor> anchors;
    for (const Row& row : rows) anchors.insert(anchors.begin(), anchor_of(row));  // in the wrong order, and one twice
    if (n > 0) anchors.push_back(anchor_of(rows[0]));
    for (const auto& with : {std::vector<Anchor>{}, anchors}) {
      const Verdict v = verify(rows, with);
      EXPECT_EQ(v.fault, Fault::kNone);
      EXPECT_EQ(v.seq, 0u);
      EXPECT_EQ(v.rows, n);
      EXPECT_EQ(v.anchors, with.size());
      EXPECT_EQ(v.anchored, with.empty() ? 0u : n);
      EXPECT_EQ(v.head, n == 0 ? Head{} : anchor_of(rows.back()));
    }
  }
}

TEST(AuditVerify, TellsApartWhatIsWrong) {
  const auto good = log_of(10);
  const auto says = [](const Verdict& v, Fault fault, std::uint64_t seq) {
    EXPECT_EQ(enum_name(v.fault), enum_name(fault)) << describe(v);
    EXPECT_EQ(v.seq, seq);
    EXPECT_NE(describe(v).find("row " + std::to_string(seq)), std::string::npos);
  };
  auto rows = good;
  rows[4].act.object = "m9";
  says(verify(rows), Fault::kAltered, 5);
  rows[4].hash = hash_of(rows[4]);
  says(verify(rows), Fault::kUnchained, 6);
  rows = good;
  rows.erase(rows.begin() + 4);
  says(verify(rows), Fault::kGap, 5);
  rows = good;
  rows.erase(rows.begin());
  says(verify(rows), Fault::kGap, 1);
  rows = good;
  std::swap(rows[3], rows[6]);
  says(verify(rows), Fault::kGap, 4);
  rows = good;
  rows.insert(rows.begin() + 5, rows[2]);
  says(verify(rows), Fault::kGap, 3);
  rows = good;
  rows[0].seq = 0;
  says(verify(rows), Fault::kGap, 1);
  rows = good;
  rewrite(rows, 7);  // nothing was changed
  EXPECT_EQ(verify(rows).fault, Fault::kNone);
  rows[6].act.outcome = "no";
  rewrite(rows, 6);
  EXPECT_EQ(verify(rows).fault, Fault::kNone) << "a tail that was written anew fits together";
  says(verify(rows, {anchor_of(good[2]), anchor_of(good[8])}), Fault::kAnchorMismatch, 9);
  EXPECT_NE(describe(verify(rows, {anchor_of(good[2]), anchor_of(good[8])})).find("from row 4 on"), std::string::npos);
  EXPECT_NE(describe(verify(rows, {anchor_of(good[8])})).find("from the first on"), std::string::npos);
  rows = good;
  rows.resize(7);
  EXPECT_EQ(verify(rows).fault, Fault::kNone) << "a cut-off end is not seen without an anchor";
  EXPECT_EQ(verify(rows, {anchor_of(good[6])}).fault, Fault::kNone);
  says(verify(rows, {anchor_of(good[6]), anchor_of(good[7])}), Fault::kTruncated, 8);
  EXPECT_EQ(verify(rows, {anchor_of(good[6]), anchor_of(good[7])}).anchored, 7u);
  says(verify({}, {anchor_of(good[0])}), Fault::kTruncated, 1);
}

TEST(AuditVerify, ReadsOnAfterAFault) {
  auto rows = log_of(10);
  rows[1].act.actor += "x";
  rows[5].act.actor += "x";
  const Verdict v = verify(rows);
  EXPECT_EQ(v.seq, 2u) << "the first one counts";
  EXPECT_EQ(v.rows, 10u);
  EXPECT_EQ(v.head, anchor_of(rows.back()));
}

/// Any change of any byte of a row, any swap, deletion, insertion and reversal inside of a log is found, at a row that is not
/// behind the first that differs by more than one.
TEST(AuditVerify, FindsEveryChangeInside) {
  Prng rng(2026);
  for (int round = 0; round < 20'000; ++round) {
    const auto good = log_of(2 + rng.below(12), rng.next());
    auto rows = good;
    const std::size_t at = rng.below(rows.size());
    const std::size_t other = rng.below(rows.size());
    switch (rng.below(5)) {
      case 0: std::swap(rows[at], rows[other]); break;
      case 1: rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(at)); break;
      case 2: rows.insert(rows.begin() + static_cast<std::ptrdiff_t>(at), good[other]); break;
      case 3: std::reverse(rows.begin() + static_cast<std::ptrdiff_t>(std::min(at, other)), rows.end()); break;
      default: change(rows[at], rng);
    }
    if (rows == good) continue;
    const bool only_cut = rows.size() < good.size() && std::equal(rows.begin(), rows.end(), good.begin());
    const std::vector<Anchor> anchors = only_cut ? std::vector{anchor_of(good.back())} : std::vector<Anchor>{};
    const Verdict v = verify(rows, anchors);
    ASSERT_NE(v.fault, Fault::kNone) << round;
    const auto first =
        static_cast<std::uint64_t>(std::mismatch(rows.begin(), rows.end(), good.begin(), good.end()).second - good.begin()) + 1;
    ASSERT_LE(v.seq, first + 1) << round << " " << describe(v);
    ASSERT_FALSE(describe(v).empty());
  }
}

/// One who knows the encoding changes a row and computes all that follows anew, or cuts the end off and goes on differently: an
/// anchor at or behind the change finds it, and none before it does.
TEST(AuditVerify, AnAnchorFindsARewrittenLog) {
  Prng rng(31);
  int found = 0;
  for (int round = 0; round < 3000; ++round) {
    const auto good = log_of(3 + rng.below(12), rng.next());
    auto rows = good;
    const std::size_t at = rng.below(rows.size());
    const std::size_t anchored = rng.below(rows.size());
    if (rng.chance(30)) rows.resize(at + 1);
    rows[at].act.object += "y";
    rewrite(rows, at);
    ASSERT_EQ(verify(rows).fault, Fault::kNone);
    const Verdict v = verify(rows, {anchor_of(good[anchored])});
    if (anchored < at) {
      ASSERT_EQ(v.fault, Fault::kNone);
      continue;
    }
    ++found;
    ASSERT_EQ(v.fault, anchored < rows.size() ? Fault::kAnchorMismatch : Fault::kTruncated);
    ASSERT_EQ(v.seq, anchored < rows.size() ? anchored + 1 : rows.size() + 1);
  }
  EXPECT_GT(found, 500);
}

TEST(AuditVerify, ReadsAnchors) {
  const Row row = log_of(3).back();
  const std::string digits = hex(row.hash);
  for (const std::string& text : {"3:" + digits, "3 " + digits, "3 " + digits + " 2026-11-23T09:00:00Z"}) {
    const auto anchor = parse_anchor(text);
    ASSERT_TRUE(anchor) << text;
    EXPECT_EQ(*anchor, anchor_of(row));
  }
  for (const std::string& text : {std::string(), digits, "0:" + digits, "-1:" + digits, "x:" + digits, "3:" + digits.substr(1),
                                  "3:" + digits + "0", std::string("3"), "3 :" + digits}) {
    const auto anchor = parse_anchor(text);
    ASSERT_FALSE(anchor) << text;
    EXPECT_EQ(anchor.error().code, ErrorClass::kInvalid);
  }
  const std::string line = anchor_line(anchor_of(row), Instant{1'790'000'000'000});
  EXPECT_EQ(line, "3 " + digits + " 2026-09-21T14:13:20Z\n");
  const AnchorFile file = read_anchors("# kept elsewhere\r\n\n" + line + "2 " + digits.substr(9) + "\n" + line + "17 ab");
  EXPECT_EQ(file.anchors.size(), 2u);
  EXPECT_EQ(file.unreadable, 2u);
  EXPECT_TRUE(read_anchors("").anchors.empty());
}

TEST(AuditVerify, SaysThatNothingIsWrong) { EXPECT_NE(describe(verify(log_of(4))).find("4 rows"), std::string::npos); }

}  // namespace
}  // namespace hansard::audit
