#pragma once
// Small text helpers that several folders need. All are ASCII-only unless they say UTF-8.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hansard {

std::string_view trim(std::string_view s);
std::string to_lower(std::string_view s);
bool equals_ignore_case(std::string_view a, std::string_view b);
bool starts_with_ignore_case(std::string_view s, std::string_view prefix);
/// Position of `needle` in `s` without regard to ASCII case, or npos.
std::size_t find_ignore_case(std::string_view s, std::string_view needle, std::size_t from = 0);
std::vector<std::string_view> split(std::string_view s, char separator);
/// Decimal digits only, no sign, at most 18 of them; false when `s` is anything else.
bool parse_digits(std::string_view s, std::int64_t& out);

bool is_valid_utf8(std::string_view s);
/// Replaces each maximal invalid part by U+FFFD (Unicode 15, 3.9, "substitution of maximal subparts").
std::string sanitize_utf8(std::string_view s);
void append_utf8(std::string& out, char32_t c);
/// Decodes the character at `pos` and moves `pos` behind it. Invalid bytes give U+FFFD and move by one.
char32_t next_utf8(std::string_view s, std::size_t& pos);

std::string html_escape(std::string_view s);

}  // namespace hansard
