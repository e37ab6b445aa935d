#pragma once
// Finding links, meeting numbers and passcodes in the text of an invitation, in the languages that calendars speak.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/calendar/invite_html.h"
#include "core/calendar/invite_platform.h"

namespace hansard::calendar {

/// Text made plain for search: exotic blanks become ' ', invisible characters go, full-width forms become ASCII, "\n" of
/// iCalendar text that nobody unescaped becomes a line break, iCalendar folding is undone. Valid UTF-8.
std::string normalize_text(std::string_view text);

/// `text` in lower case without accents (Latin, Greek, Cyrillic), with the byte position of each character in `text`.
struct FoldedText {
  std::string text;
  std::vector<std::size_t> origin;  ///< per byte of `text`, and one more for the end
};
FoldedText fold_text(std::string_view text);

/// The URLs written in a text: with a scheme, or on a known host without one. Whole URLs only: what stands in the query
/// of another URL is not looked at.
std::vector<FoundLink> scan_links(std::string_view text, const InviteConfig& config);

/// A value that a label names, at a place in the text.
struct LabelledValue {
  std::string value;
  std::size_t begin = 0;  ///< of the label
  std::size_t end = 0;    ///< of the value
  std::size_t line = 0;   ///< begin of its line
};

/// Passcodes behind their labels ("Passcode:", "Kenncode:", "Code secret :" ...). Those of recordings and telephones are
/// left out. In order of appearance.
std::vector<LabelledValue> find_passcodes(std::string_view text, const FoldedText& folded);

/// Meeting numbers (8 to 15 digits, grouped or not) behind their labels; `loose` also takes any label whose line holds
/// nothing else, unless it speaks of telephones, accounts and the like.
std::vector<LabelledValue> find_meeting_numbers(std::string_view text, const FoldedText& folded, bool loose);

/// How the words around a link speak of it: -1 it is old or not to be used, 1 it is a correction, 0 nothing.
int link_standing(std::string_view text, std::size_t begin, std::size_t end);

}  // namespace hansard::calendar
