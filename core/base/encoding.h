#pragma once
// How bytes travel in URLs, forms and headers. All input is bytes; none of it is checked for UTF-8.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hansard {

/// The value of a hexadecimal digit, -1 for anything else.
int hex_value(char c);
/// The value of a digit of either base64 alphabet, -1 for anything else.
int base64_value(char c);

/// RFC 4648 section 4, with padding.
std::string base64_encode(std::string_view bytes);
/// RFC 4648 section 5, without padding.
std::string base64url_encode(std::string_view bytes);
/// Both alphabets; stops at the first other character.
std::string base64_decode(std::string_view text);

/// Everything but the unreserved characters of RFC 3986 becomes %XX.
std::string percent_encode(std::string_view text);
/// "%XX" decoded once; a '%' without two hexadecimal digits stays.
std::string percent_decode(std::string_view text);

/// "a=1&b=x%20y": a query string, or the body of application/x-www-form-urlencoded.
std::string form_encode(const std::vector<std::pair<std::string, std::string>>& fields);

}  // namespace hansard
