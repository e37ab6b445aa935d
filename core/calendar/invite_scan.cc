// Text normalisation and the links written in a text.
#include <algorithm>

#include "core/base/text.h"
#include "core/calendar/invite_text.h"

namespace hansard::calendar {
namespace {

constexpr std::size_t kMaxUrl = 8'192;
constexpr std::size_t kMaxLinks = 5'000;

bool is_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }
bool is_blank(char c) { return c == ' ' || c == '\t'; }

/// iCalendar lines of 75 octets that go on after a blank: somebody pasted the raw file.
std::string unfold_pasted(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  std::size_t line = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && i + 2 < text.size() && is_blank(text[i + 1]) && !is_blank(text[i + 2]) && text[i + 2] != '\n') {
      const std::size_t length = i - line - (i > line && text[i - 1] == '\r' ? 1 : 0);
      if (length >= 73 && length <= 76) {
        if (!out.empty() && out.back() == '\r') out.pop_back();
        line = i + 1;
        ++i;
        continue;
      }
    }
    if (text[i] == '\n') line = i + 1;
    out += text[i];
  }
  return out;
}

char32_t plain_character(char32_t c) {
  if (c == 0xA0 || (c >= 0x2000 && c <= 0x200B) || c == 0x202F || c == 0x205F || c == 0x3000) return ' ';
  if (c == 0x2028 || c == 0x2029 || c == 0x85) return '\n';
  if (c >= 0xFF01 && c <= 0xFF5E) return c - 0xFEE0;  // full-width forms
  if (c == 0x2010 || c == 0x2011) return '-';
  return c;
}

bool is_invisible(char32_t c) {
  return c == 0xAD || c == 0xFEFF || c == 0x2060 || (c >= 0x200C && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069);
}

/// A letter that may stand in the name of a Jitsi room and is not a word that simply follows without a blank.
bool is_room_letter(char32_t c) { return (c >= 0xC0 && c <= 0x24F && c != 0xD7 && c != 0xF7) || (c >= 0x370 && c <= 0x52F); }

bool is_url_character(char c) {
  return c > ' ' && c < 0x7F && std::string_view("\"<>\\^`{|}[]'").find(c) == std::string_view::npos;
}

/// The literal {"Tid":...} that some clients leave in Teams links. End of it, or `at`.
std::size_t brace_end(std::string_view text, std::size_t begin, std::size_t at) {
  if (!equals_ignore_case(text.substr(std::max(begin, at - std::min<std::size_t>(at, 8)), 8), "context=")) return at;
  int depth = 0;
  for (std::size_t i = at; i < text.size() && i - at < 1'000 && text[i] != '\n'; ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && --depth == 0) return i + 1;
  }
  return at;
}

std::size_t url_end(std::string_view text, std::size_t begin, bool unicode) {
  std::size_t at = begin;
  while (at < text.size() && at - begin < kMaxUrl) {
    if (text[at] == '{') {
      const std::size_t end = brace_end(text, begin, at);
      if (end == at) break;
      at = end;
    } else if (is_url_character(text[at])) {
      ++at;
    } else if (unicode && static_cast<unsigned char>(text[at]) >= 0x80) {
      std::size_t next = at;
      if (!is_room_letter(next_utf8(text, next))) break;
      at = next;
    } else {
      break;
    }
  }
  return at;
}

/// Takes sentence punctuation and unopened brackets off the end.
std::size_t trim_url(std::string_view text, std::size_t begin, std::size_t end) {
  const char before = begin > 0 ? text[begin - 1] : '\0';
  while (end > begin) {
    const char last = text[end - 1];
    const std::string_view url = text.substr(begin, end - begin);
    const bool unopened = last == ')' && std::count(url.begin(), url.end(), ')') > std::count(url.begin(), url.end(), '(');
    const bool emphasis = (last == '*' || last == '_' || last == '~') && last == before;
    if (std::string_view(".,;:!?").find(last) == std::string_view::npos && !unopened && !emphasis) break;
    --end;
  }
  return end;
}

constexpr std::string_view kSchemes[] = {
    "https://", "http://", "zoommtg:", "zoomus:", "zoompm:", "msteams:", "jitsi-meet:", "org.jitsi.meet:"};

std::size_t scheme_length(std::string_view text, std::size_t at) {
  for (const std::string_view scheme : kSchemes) {
    if (starts_with_ignore_case(text.substr(at), scheme)) return scheme.size();
  }
  return 0;
}

/// A host name that begins at `at` and is followed by '/': its end, or npos.
std::size_t bare_host_end(std::string_view text, std::size_t at) {
  std::size_t end = at;
  bool dot = false;
  while (end < text.size() && (is_alnum(text[end]) || text[end] == '-' || text[end] == '.')) {
    dot = dot || text[end] == '.';
    if (++end - at > 253) return std::string_view::npos;
  }
  const std::size_t host = end;
  if (end < text.size() && text[end] == ':') {
    ++end;
    while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
    if (end == host + 1) return std::string_view::npos;
  }
  // Configured hosts may be a bare name with a port ("localhost:8080/room").
  return (dot || end > host) && end < text.size() && text[end] == '/' ? end : std::string_view::npos;
}

}  // namespace

std::string normalize_text(std::string_view raw) {
  const std::string text = unfold_pasted(is_valid_utf8(raw) ? std::string(raw) : sanitize_utf8(raw));
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) >= 0x80) {
      const char32_t code = next_utf8(text, i);
      if (!is_invisible(code)) append_utf8(out, plain_character(code));
      continue;
    }
    ++i;
    if (c == '\\' && i < text.size() && (text[i] == 'n' || text[i] == 'N' || text[i] == ',' || text[i] == ';')) {
      out += text[i] == ',' || text[i] == ';' ? text[i] : '\n';
      ++i;
    } else if (c == '\r') {
      if (i >= text.size() || text[i] != '\n') out += '\n';
    } else {
      out += c == '\0' || c == '\v' || c == '\f' ? ' ' : c;
    }
  }
  return out;
}

std::vector<FoundLink> scan_links(std::string_view text, const InviteConfig& config) {
  std::vector<FoundLink> out;
  for (std::size_t at = 0; at < text.size() && out.size() < kMaxLinks;) {
    const char before = at > 0 ? text[at - 1] : ' ';
    std::size_t begin = at;
    bool unicode = false;
    bool found = false;
    if (const std::size_t length = scheme_length(text, at); length > 0 && ((text[at] | 32) == 'h' || !is_alnum(before))) {
      found = true;
      const std::string_view rest = text.substr(at + length, 256);
      const std::string_view authority = rest.substr(0, rest.find_first_of("/?# \n"));
      const auto colon = authority.find(':');
      unicode = starts_with_ignore_case(text.substr(at), "jitsi-meet:") ||
                starts_with_ignore_case(text.substr(at), "org.jitsi.meet:") ||
                is_jitsi_host(to_lower(authority.substr(0, colon)),
                              colon == std::string_view::npos ? std::string_view{} : authority.substr(colon + 1), config);
    } else if (is_alnum(text[at]) && !is_alnum(before) &&
               std::string_view("./@-_=%&#?+\\").find(before) == std::string_view::npos) {
      const std::size_t end = bare_host_end(text, at);
      if (end != std::string_view::npos) {
        const std::string_view authority = text.substr(at, end - at);
        const auto colon = authority.find(':');
        const std::string host = to_lower(authority.substr(0, colon));
        const std::string_view port = colon == std::string_view::npos ? std::string_view{} : authority.substr(colon + 1);
        found = is_known_host(host, port, config);
        unicode = is_jitsi_host(host, port, config);
      }
    }
    if (!found) {
      ++at;
      // The rest of a word cannot begin a host.
      while (is_alnum(text[at - 1]) && at < text.size() && is_alnum(text[at]) && scheme_length(text, at) == 0) ++at;
      continue;
    }
    const std::size_t whole = url_end(text, begin, unicode);
    const std::size_t end = trim_url(text, begin, whole);
    std::string url(text.substr(begin, end - begin));
    if (url.find("&amp;") != std::string::npos) url = decode_entities(url);
    out.push_back({std::move(url), begin, end});
    at = std::max(whole, begin + 1);
  }
  return out;
}

}  // namespace hansard::calendar
