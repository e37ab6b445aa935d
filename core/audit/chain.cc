#include "core/audit/chain.h"

#include "core/base/encoding.h"
#include "core/base/hash.h"

namespace hansard::audit {
namespace {

/// Big-endian.
template <class U>
void put(std::string& out, U value) {
  for (int shift = static_cast<int>(sizeof(U)) * 8 - 8; shift >= 0; shift -= 8) out += static_cast<char>((value >> shift) & 0xFF);
}

void put_text(std::string& out, std::string_view text) {
  put(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

bool inside_a_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// At most kMaxField bytes, and no half of a UTF-8 character.
std::string cut(const std::string& text) {
  if (text.size() <= kMaxField) return text;
  std::size_t end = kMaxField;
  while (end > 0 && inside_a_character(text[end])) --end;
  return text.substr(0, end);
}

Row next(Head& head, const Act& act) {
  Row row{head.seq + 1, {act.at, cut(act.actor), cut(act.action), cut(act.object), cut(act.outcome)}, head.hash, {}};
  row.hash = hash_of(row);
  head = {row.seq, row.hash};
  return row;
}

}  // namespace

std::string encode(const Row& row) {
  std::string out(1, kEncodingVersion);
  for (const std::uint8_t b : row.previous) out += static_cast<char>(b);
  put(out, row.seq);
  put(out, static_cast<std::uint64_t>(row.act.at.ms));
  for (const std::string* text : {&row.act.actor, &row.act.action, &row.act.object, &row.act.outcome}) put_text(out, *text);
  return out;
}

Hash hash_of(const Row& row) { return sha256(encode(row)); }

std::vector<Row> append(Head& head, std::span<const Act> acts) {
  std::vector<Row> out;
  if (acts.empty()) return out;
  out.reserve(acts.size() + 1);
  if (head.seq == 0) out.push_back(next(head, {acts[0].at, acts[0].actor, std::string(kLogBegin), "log", std::string(kOk)}));
  for (const Act& act : acts) out.push_back(next(head, act));
  return out;
}

std::string pseudonym(std::string_view kind, std::string_view name) {
  std::string text(kind);
  text += '\n';
  text += name;
  return std::string(kind) + ":" + sha256_hex(text, 15);
}

std::string hex(const Hash& hash) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const std::uint8_t b : hash) {
    out += kDigits[b >> 4];
    out += kDigits[b & 15];
  }
  return out;
}

std::optional<Hash> parse_hash(std::string_view text) {
  Hash out{};
  if (text.size() != out.size() * 2) return std::nullopt;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = hex_value(text[2 * i]);
    const int low = hex_value(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return out;
}

}  // namespace hansard::audit
