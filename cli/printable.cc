#include "cli/printable.h"

#include "core/base/text.h"

namespace hansard::cli {

std::string printable(std::string_view text) {
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    const char32_t c = next_utf8(text, at);
    // C0, DEL, C1 and the characters that turn the direction of writing.
    const bool control = c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
    if (control) {
      out += ' ';
    } else {
      append_utf8(out, c);
    }
  }
  return out;
}

}  // namespace hansard::cli
