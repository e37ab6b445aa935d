#pragma once
// The text layer of iCalendar (RFC 5545 section 3.1): bytes in, content lines out. Tolerant: any line ending, a byte
// order mark, blank lines, white space around names, unbalanced quotes. Nothing is copied: the lines are views into
// the unfolded text.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace hansard::calendar {

/// One parameter of a content line, still quoted and encoded as in the file.
struct Parameter {
  std::string_view name;
  std::string_view raw;
};

/// One content line. `name` is as written: compare it without case.
struct ContentLine {
  std::string_view name;
  std::vector<Parameter> parameters;
  std::string_view value;

  bool is(std::string_view upper_name) const;
  /// The first value of a parameter without its quotes, RFC 6868 (^n ^^ ^') decoded; empty when absent.
  std::string parameter(std::string_view name) const;
};

/// Joins folded lines (line break + space or tab) on the bytes, before any decoding, and ends each line with '\n'.
/// Blank lines and a byte order mark are removed.
std::string unfold(std::string_view bytes);

/// Splits a line into name, parameters and value. False when it has no name or no colon. At most 64 parameters are
/// kept.
bool parse_content_line(std::string_view line, ContentLine& out);

/// Decodes a TEXT value: \n \N \\ \; \, and any other escaped character as itself. Invalid UTF-8 becomes U+FFFD.
std::string unescape_text(std::string_view value);

/// Splits a list value at commas that are not escaped.
std::vector<std::string_view> split_list(std::string_view value);

}  // namespace hansard::calendar
