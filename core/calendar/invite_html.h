#pragma once
// HTML bodies of invitations as plain text with the links at their places. Not a browser: tags are walked once, entities
// decoded once, comments, scripts, styles and struck-out text are left out. Linear time and bounded output.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace hansard::calendar {

/// A link that was found in a body; `begin` and `end` are byte positions in its text (equal for a link in an attribute).
struct FoundLink {
  std::string url;
  std::size_t begin = 0;
  std::size_t end = 0;
};

struct PlainBody {
  std::string text;              ///< block elements end with '\n', table cells with '\t'
  std::vector<FoundLink> links;  ///< from attributes, in document order
};

PlainBody html_to_text(std::string_view html);

/// Decodes HTML entities once: the named ones that occur in links and mail, and numeric ones.
std::string decode_entities(std::string_view text);

/// True when a body that claims to be plain text has HTML tags in it (Google Calendar sends such descriptions).
bool looks_like_html_body(std::string_view text);

}  // namespace hansard::calendar
