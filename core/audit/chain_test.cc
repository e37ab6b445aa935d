#include "core/audit/chain.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>

#include "core/base/hash.h"
#include "core/base/prng.h"

namespace hansard::audit {
namespace {

Act act(std::string object) { return {Instant{1'790'000'000'123}, "api", "meeting.stop", std::move(object), "ok"}; }

std::string bytes_of(const Hash& hash) { return {hash.begin(), hash.end()}; }

TEST(AuditChain, IsEncodedToTheByte) {
  Row row{0x0102030405060708u, {Instant{-2}, "a", "", "xyz", "\xC3\xA9"}, {}, {}};
  row.previous.fill(0x11);
  const std::string expected =
      std::string("\x01", 1) + std::string(32, '\x11') + std::string("\x01\x02\x03\x04\x05\x06\x07\x08", 8) +
      std::string("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFE", 8) +
      std::string(
          "\0\0\0\x01"
          "a",
          5) +
      std::string("\0\0\0\0", 4) + std::string("\0\0\0\x03xyz", 7) + std::string("\0\0\0\x02\xC3\xA9", 6);
  EXPECT_EQ(encode(row), expected);
  EXPECT_EQ(bytes_of(hash_of(row)), bytes_of(sha256(expected)));
}

/// The example of docs/audit.md, whose hashes were computed by another program.
TEST(AuditChain, GivesTheHashesOfTheDocumentation) {
  Head head;
  const Act open{Instant{1'790'000'000'000}, "daemon", "store.open", "epoch:1", "ok"};
  const auto rows = append(head, std::span(&open, 1));
  ASSERT_EQ(rows.size(), 2u);
  std::ifstream file("docs/audit.md", std::ios::binary);
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  for (const Row& row : rows) EXPECT_NE(page.find(hex(row.hash)), std::string::npos) << row.seq << " " << hex(row.hash);
}

TEST(AuditChain, TheDocumentationHasEachAction) {
  std::ifstream file("docs/audit.md", std::ios::binary);
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(std::set<std::string_view>(kActions.begin(), kActions.end()).size(), kActions.size());
  for (const std::string_view action : kActions)
    EXPECT_NE(page.find("`" + std::string(action) + "`"), std::string::npos) << action;
}

TEST(AuditChain, BeginsAndGoesOn) {
  Head head;
  EXPECT_TRUE(append(head, {}).empty());
  EXPECT_EQ(head, Head{});
  const Act two[] = {act("m1"), act("m2")};
  const auto rows = append(head, two);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].act.action, kLogBegin);
  EXPECT_EQ(rows[0].act.actor, "api");
  EXPECT_EQ(rows[0].act.at, two[0].at);
  EXPECT_EQ(rows[0].previous, Hash{});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].seq, i + 1);
    EXPECT_EQ(rows[i].hash, hash_of(rows[i]));
    EXPECT_EQ(rows[i].previous, i == 0 ? Hash{} : rows[i - 1].hash);
  }
  EXPECT_EQ(head, (Head{3, rows[2].hash}));
  const Act third = act("m3");
  const auto more = append(head, std::span(&third, 1));
  ASSERT_EQ(more.size(), 1u);
  EXPECT_EQ(more[0].seq, 4u);
  EXPECT_EQ(more[0].previous, rows[2].hash);
}

TEST(AuditChain, CutsLongFieldsAtACharacter) {
  Head head{1, {}};
  std::string umlauts = "x";
  for (int i = 0; i < 100; ++i) umlauts += "\xC3\xBC";
  const Act long_one{Instant{}, std::string(128, 'a'), std::string(129, 'b'), umlauts, std::string(300, '\x80')};
  const Row row = append(head, std::span(&long_one, 1))[0];
  EXPECT_EQ(row.act.actor.size(), 128u);
  EXPECT_EQ(row.act.action.size(), 128u);
  EXPECT_EQ(row.act.object.size(), 127u);
  EXPECT_TRUE(umlauts.starts_with(row.act.object));
  EXPECT_EQ(row.act.outcome, "");
  EXPECT_EQ(row.hash, hash_of(row));
}

/// Whatever moves between two fields, the bytes differ: lengths stand before each.
TEST(AuditChain, NoTwoRowsGiveTheSameBytes) {
  Prng rng(7);
  const auto random_text = [&] {
    std::string out;
    for (std::uint64_t n = rng.below(3); n > 0; --n) out += rng.chance(50) ? '\0' : static_cast<char>('a' + rng.below(2));
    return out;
  };
  std::set<std::string> seen;
  std::vector<Row> rows;
  for (int i = 0; i < 3000; ++i) {
    Row row{rng.below(2),
            {Instant{static_cast<std::int64_t>(rng.below(2)) - 1}, random_text(), random_text(), random_text(), random_text()},
            {},
            {}};
    row.previous[rng.below(32)] = static_cast<std::uint8_t>(rng.below(2));
    const bool known = std::find(rows.begin(), rows.end(), row) != rows.end();
    EXPECT_EQ(seen.insert(encode(row)).second, !known);
    if (!known) rows.push_back(row);
  }
  EXPECT_GT(rows.size(), 1000u);
}

TEST(AuditChain, HashesAsText) {
  Hash hash{};
  for (std::size_t i = 0; i < hash.size(); ++i) hash[i] = static_cast<std::uint8_t>(i * 8 + 3);
  EXPECT_EQ(hex(hash).substr(0, 8), "030b131b");
  EXPECT_EQ(parse_hash(hex(hash)), hash);
  EXPECT_FALSE(parse_hash(hex(hash).substr(1)));
  EXPECT_FALSE(parse_hash(hex(hash) + "0"));
  EXPECT_FALSE(parse_hash("g" + hex(hash).substr(1)));
  EXPECT_FALSE(parse_hash(hex(hash).substr(0, 63) + "-"));
}

TEST(AuditChain, PseudonymsDoNotShowTheName) {
  EXPECT_EQ(pseudonym("calendar", "work"), "calendar:" + sha256_hex("calendar\nwork", 15));
  EXPECT_NE(pseudonym("calendar", "work"), pseudonym("calendar", "work2"));
}

}  // namespace
}  // namespace hansard::audit
