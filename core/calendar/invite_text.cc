// Labels of meeting numbers and passcodes. All label words are folded (lower case, no accents).
#include "core/calendar/invite_text.h"

#include <algorithm>
#include <span>

#include "core/base/text.h"
#include "core/calendar/invite_words.h"

namespace hansard::calendar {
namespace {

using namespace invite_words;

constexpr std::size_t kMaxMatches = 200;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_ascii_letter(char c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; }

// ---- folding ---------------------------------------------------------------------------------------------------

/// U+00C0 to U+017F without accents, in lower case; '\0' = keep the character (two-letter forms are written out below).
constexpr char kLatin[] =
    "aaaaaa\0ceeeeiiiidnooooo\0ouuuuy\0\0aaaaaa\0ceeeeiiiidnooooo\0ouuuuy\0y"
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii\0\0jjkkklllllll"
    "lllnnnnnn\0nnoooooo\0\0rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

char32_t fold_greek(char32_t c) {
  switch (c) {
    case 0x386:
    case 0x3AC: return 0x3B1;
    case 0x388:
    case 0x3AD: return 0x3B5;
    case 0x389:
    case 0x3AE: return 0x3B7;
    case 0x38A:
    case 0x3AF:
    case 0x3CA: return 0x3B9;
    case 0x38C:
    case 0x3CC: return 0x3BF;
    case 0x38E:
    case 0x3CD:
    case 0x3CB: return 0x3C5;
    case 0x38F:
    case 0x3CE: return 0x3C9;
    case 0x3C2: return 0x3C3;
    default: return c >= 0x391 && c <= 0x3A9 ? c + 32 : c;
  }
}

void fold_character(char32_t c, std::string& out) {
  if (c >= 0x300 && c <= 0x36F) return;  // combining accents
  if (c == 0x2018 || c == 0x2019 || c == 0x2BC || c == 0xB4) c = '\'';
  if (c == 0x2012 || c == 0x2013 || c == 0x2014 || c == 0x2212) c = '-';
  if (c >= 'A' && c <= 'Z') c += 32;
  if (c == 0xDF || c == 0x1E9E) {
    out += "ss";
  } else if (c == 0xC6 || c == 0xE6) {
    out += "ae";
  } else if (c == 0x152 || c == 0x153) {
    out += "oe";
  } else if (c >= 0xC0 && c <= 0x17F && kLatin[c - 0xC0] != '\0') {
    out += kLatin[c - 0xC0];
  } else if (c >= 0x1EA0 && c <= 0x1EF9) {  // Vietnamese
    constexpr struct {
      char32_t last;
      char base;
    } kRanges[] = {{0x1EB7, 'a'}, {0x1EC7, 'e'}, {0x1ECB, 'i'}, {0x1EE3, 'o'}, {0x1EF1, 'u'}, {0x1EF9, 'y'}};
    for (const auto& r : kRanges) {
      if (c <= r.last) {
        out += r.base;
        return;
      }
    }
  } else if (c == 0x1A0 || c == 0x1A1) {
    out += 'o';
  } else if (c == 0x1AF || c == 0x1B0) {
    out += 'u';
  } else if (c >= 0x386 && c <= 0x3CE) {
    append_utf8(out, fold_greek(c));
  } else if (c >= 0x410 && c <= 0x42F) {
    append_utf8(out, c + 32);
  } else if (c >= 0x400 && c <= 0x40F) {
    append_utf8(out, c + 80);
  } else {
    append_utf8(out, c);
  }
}

// ---- matching -------------------------------------------------------------------------------------------------

bool has_any(std::string_view text, std::span<const std::string_view> words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view w) { return text.find(w) != std::string_view::npos; });
}

/// A word must begin a word, except the long ones, which German and its neighbours put at the end of compounds.
bool begins_word(std::string_view text, std::size_t at, std::string_view word) {
  if (!is_ascii_letter(word.front())) return true;
  if (at == 0) return true;
  const char before = text[at - 1];
  if (word.size() >= 7 && word.find(' ') == std::string_view::npos && is_ascii_letter(before)) return true;
  return !is_ascii_letter(before) && !is_digit(before) && before != '/' && before != '?' && before != '&' && before != '%';
}
bool ends_word(std::string_view text, std::size_t end, std::string_view word) {
  if (!is_ascii_letter(word.back())) return true;
  return end >= text.size() || (!is_ascii_letter(text[end]) && !is_digit(text[end]));
}

/// The line around `at`, at most 256 bytes to either side: nobody's label has more to say, and a text without line
/// breaks must not be searched again for each word in it.
std::string_view line_around(std::string_view text, std::size_t at, std::size_t& begin) {
  constexpr std::size_t kReach = 256;
  const std::size_t low = at - std::min(at, kReach);
  const auto before = text.substr(low, at - low).rfind('\n');
  begin = before == std::string_view::npos ? low : low + before + 1;
  const std::string_view reach = text.substr(begin, at - begin + kReach);
  return reach.substr(0, reach.find('\n', at - begin));
}

/// Place of the value behind a label that ends at `end` in the folded text; `direct` when no separator stands there.
std::size_t value_place(std::string_view text, std::size_t end, bool& direct) {
  direct = false;
  std::size_t at = end;
  // "Passcode (optional) for the meeting: ..." - a colon within reach on the same line, and nothing like a value before.
  for (std::size_t i = end; i < text.size() && i < end + 48 && text[i] != '\n'; ++i) {
    if (text[i] == ':' && text.substr(i, 3) != "://") return i + 1;
    if (text[i] == '=' || text[i] == '\t') return i + 1;
    if (is_digit(text[i]) || text[i] == '.' || text[i] == '!' || text[i] == ',' || text[i] == ';') break;
  }
  while (at < text.size() && (text[at] == ' ' || text[at] == '*' || text[at] == '_')) ++at;
  for (const std::string_view verb : {"is ", "ist ", "est ", "es ", "e ", "lautet ", "- "}) {
    if (text.substr(at).starts_with(verb)) {
      direct = verb != "- ";
      return at + verb.size();
    }
  }
  if (at < text.size() && text[at] == '\n') {
    // The value alone on the next line.
    direct = true;
    return at + 1;
  }
  direct = true;
  return at;
}

/// The passcode that begins at `at`, or empty.
std::string_view passcode_at(std::string_view text, std::size_t at, bool direct) {
  while (at < text.size() &&
         (text[at] == ' ' || text[at] == '\t' || text[at] == '*' || text[at] == '"' || text[at] == '\'' || text[at] == '`'))
    ++at;
  // "Passcode:" at the end of a line, the value on the next.
  if (!direct && at < text.size() && text[at] == '\n') {
    ++at;
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t' || text[at] == '*')) ++at;
    direct = true;
  }
  std::size_t end = at;
  while (end < text.size() && text[end] > ' ' && text[end] != '<' && text[end] != '>' && text[end] != '|' && text[end] != '\\')
    ++end;
  std::string_view value = text.substr(at, end - at);
  // Words in scripts without blanks may follow; a passcode is ASCII.
  const auto foreign = std::find_if(value.begin(), value.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  value = value.substr(0, static_cast<std::size_t>(foreign - value.begin()));
  if (const auto paren = value.find('('); paren != std::string_view::npos && paren > 0) value = value.substr(0, paren);
  while (!value.empty() && std::string_view(".,;:)]}\"'`").find(value.back()) != std::string_view::npos) value.remove_suffix(1);
  if (at > 0 && text[at - 1] == '*') {
    while (!value.empty() && value.back() == '*') value.remove_suffix(1);
  }
  if (value.size() < 3 || value.size() > 40 || value.find("://") != std::string_view::npos ||
      value.find('/') != std::string_view::npos)
    return {};
  if (value.front() == '(' || value.front() == '[' || value.front() == '-' || value.front() == '+') return {};
  const bool digit = std::any_of(value.begin(), value.end(), is_digit);
  if (!digit) {
    const std::string lower = to_lower(value);
    if (std::find(std::begin(kNoValue), std::end(kNoValue), lower) != std::end(kNoValue)) return {};
    // A word without digits is a passcode only when nothing but a remark follows on its line.
    std::size_t rest = end;
    while (rest < text.size() && (text[rest] == ' ' || text[rest] == '*' || text[rest] == '.')) ++rest;
    const bool alone = rest >= text.size() || text[rest] == '\n' || text[rest] == '(' || text[rest] == '\t' || text[rest] == '<';
    const bool mixed = lower != value && value.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 1) != std::string_view::npos;
    if (direct || (!alone && !mixed)) return {};
  }
  return value;
}

/// Digits in groups from `at` on ("812 3456 7890"), at most 15; empty when fewer than 8 or when a '#' or '@' shows that it is
/// something else. `end` is moved behind.
std::string digits_at(std::string_view text, std::size_t at, std::size_t& end) {
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t' || text[at] == '*' || text[at] == '\n')) ++at;
  std::string out;
  end = at;
  for (std::size_t i = at; i < text.size(); ++i) {
    if (is_digit(text[i])) {
      out += text[i];
      end = i + 1;
    } else if ((text[i] != ' ' && text[i] != '-') || i + 1 >= text.size() || !is_digit(text[i + 1]) || out.empty()) {
      break;
    }
  }
  if (out.size() < 8 || out.size() > 15) return {};
  if (end < text.size() && (text[end] == '#' || text[end] == '@' || is_ascii_letter(text[end]))) return {};
  return out;
}

}  // namespace

FoldedText fold_text(std::string_view text) {
  FoldedText out;
  out.text.reserve(text.size());
  out.origin.reserve(text.size() + 1);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t from = at;
    fold_character(next_utf8(text, at), out.text);
    out.origin.resize(out.text.size(), from);
  }
  out.origin.push_back(text.size());
  return out;
}

std::vector<LabelledValue> find_passcodes(std::string_view text, const FoldedText& folded) {
  std::vector<LabelledValue> out;
  const std::string_view f = folded.text;
  for (const std::string_view word : kPasscodeWords) {
    for (std::size_t at = f.find(word); at != std::string_view::npos && out.size() < kMaxMatches;
         at = f.find(word, at + word.size())) {
      const std::size_t end = at + word.size();
      if (!begins_word(f, at, word) || !ends_word(f, end, word)) continue;
      std::size_t line = 0;
      const std::string_view whole = line_around(f, at, line);
      if (has_any(whole, kNotPasscode)) continue;
      const std::string_view before = f.substr(at - std::min<std::size_t>(at - line, 24), std::min<std::size_t>(at - line, 24));
      const auto clause = before.find_last_of(",;.|");
      if (has_any(clause == std::string_view::npos ? before : before.substr(clause), kPhoneWords)) continue;
      bool direct = false;
      const std::size_t place = value_place(f, end, direct);
      if (has_any(f.substr(end, place - end), kPhoneWords)) continue;
      const std::size_t origin = folded.origin[std::min(place, f.size())];
      const std::string_view value = passcode_at(text, origin, direct);
      if (value.empty()) continue;
      // "Meeting number (access code): 2551 234 5678" names a number, not a passcode.
      std::size_t digits_end = 0;
      if (!digits_at(text, origin, digits_end).empty() &&
          digits_end > static_cast<std::size_t>(value.data() - text.data()) + value.size())
        continue;
      out.push_back({std::string(value), folded.origin[at], static_cast<std::size_t>(value.data() - text.data()) + value.size(),
                     folded.origin[line]});
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
  return out;
}

std::vector<LabelledValue> find_meeting_numbers(std::string_view text, const FoldedText& folded, bool loose) {
  std::vector<LabelledValue> out;
  const std::string_view f = folded.text;
  const auto add = [&](std::size_t at, std::size_t place) {
    std::size_t end = 0;
    std::string digits = digits_at(text, folded.origin[std::min(place, f.size())], end);
    if (digits.empty()) return;
    std::size_t line = 0;
    line_around(f, at, line);
    out.push_back({std::move(digits), folded.origin[at], end, folded.origin[line]});
  };
  for (const std::string_view word : kNumberWords) {
    for (std::size_t at = f.find(word); at != std::string_view::npos && out.size() < kMaxMatches;
         at = f.find(word, at + word.size())) {
      if (!begins_word(f, at, word) || !ends_word(f, at + word.size(), word)) continue;
      bool direct = false;
      add(at, value_place(f, at + word.size(), direct));
    }
  }
  if (loose) {
    for (std::size_t line = 0; line < f.size() && out.size() < kMaxMatches;) {
      std::size_t end = f.find('\n', line);
      if (end == std::string_view::npos) end = f.size();
      const std::string_view whole = f.substr(line, end - line);
      const auto colon = whole.find(':');
      if (colon != std::string_view::npos && colon > 1 && colon < 80 && !has_any(whole.substr(0, colon), kNotNumber) &&
          whole.find("://") == std::string_view::npos && whole.find_first_of("+@#") == std::string_view::npos) {
        add(line, line + colon + 1);
      }
      line = end + 1;
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
  return out;
}

int link_standing(std::string_view text, std::size_t begin, std::size_t end) {
  // The words of the same sentence before the link, and of a remark in brackets right behind it.
  const std::size_t from = begin - std::min<std::size_t>(begin, 120);
  std::string_view before = text.substr(from, begin - from);
  for (std::size_t i = before.size(); i-- > 0;) {
    const bool stop = before[i] == '\n' || before[i] == ')' ||
                      ((before[i] == '.' || before[i] == '!' || before[i] == '?' || before[i] == ';') && i + 1 < before.size() &&
                       before[i + 1] == ' ');
    if (!stop) continue;
    before = before.substr(i + 1);
    break;
  }
  if (const auto url = before.rfind("://"); url != std::string_view::npos) {
    const auto blank = before.find_first_of(" \n", url);
    before = blank == std::string_view::npos ? std::string_view{} : before.substr(blank);
  }
  std::string_view behind = text.substr(end, 60);
  behind = behind.substr(0, behind.find('\n'));
  const auto bracket = behind.find_first_not_of(" >\"");
  behind = bracket != std::string_view::npos && (behind[bracket] == '(' || behind[bracket] == '[')
               ? behind.substr(0, behind.find_first_of(")]"))
               : std::string_view{};
  const std::string words = fold_text(before).text + " | " + fold_text(behind).text;
  if (has_any(words, kOldWords)) return -1;
  return has_any(words, kNewWords) ? 1 : 0;
}

}  // namespace hansard::calendar
