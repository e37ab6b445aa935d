#include "adapters/speech/transcript_guard.h"

#include <algorithm>
#include <vector>

#include "core/base/text.h"

namespace hansard::speech {
namespace {

// People do say "no, no, no, no" and "words words words words"; recognizers that loop go on to their token limit.
constexpr std::size_t kMostRepeatedWords = 6;
constexpr std::size_t kMostRepeatedPhrases = 4;
constexpr std::size_t kLongestPhrase = 8;

bool has_content(std::string_view word) {
  return std::any_of(word.begin(), word.end(), [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return u >= 0x80 || (u >= '0' && u <= '9') || ((u | 0x20) >= 'a' && (u | 0x20) <= 'z');
  });
}

std::string bare(std::string_view word) {
  std::string out;
  for (const char c : to_lower(word)) {
    if (has_content(std::string_view(&c, 1))) out += c;
  }
  return out;
}

// How often the last `length` words stand one after another at the end.
std::size_t repeats(const std::vector<std::string>& words, std::size_t length) {
  std::size_t count = 1;
  const std::size_t n = words.size();
  while ((count + 1) * length <= n) {
    for (std::size_t i = 0; i < length; ++i) {
      if (words[n - 1 - i] != words[n - 1 - i - count * length]) return count;
    }
    ++count;
  }
  return count;
}

}  // namespace

std::string clean_text(std::string_view raw) {
  const std::string text = sanitize_utf8(raw);
  std::vector<std::string_view> words;
  std::vector<std::string> keys;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t from = text.find_first_not_of(" \t\r\n\v\f", at);
    if (from == std::string::npos) break;
    at = std::min(text.find_first_of(" \t\r\n\v\f", from), text.size());
    words.push_back(std::string_view(text).substr(from, at - from));
    keys.push_back(bare(words.back()));
  }
  for (std::size_t length = 1; length <= kLongestPhrase; ++length) {
    const std::size_t count = repeats(keys, length);
    if (count <= (length == 1 ? kMostRepeatedWords : kMostRepeatedPhrases)) continue;
    // Nothing but the loop: the audio held no such speech.
    if (count * length == words.size()) return {};
    words.resize(words.size() - (count - 1) * length);
    break;
  }
  std::string out;
  bool content = false;
  for (const std::string_view word : words) {
    if (!out.empty()) out += ' ';
    out += word;
    content = content || has_content(word);
  }
  return content ? out : std::string();
}

}  // namespace hansard::speech
