#include "adapters/speech/words.h"

#include <algorithm>
#include <cmath>

namespace hansard::speech {
namespace {

constexpr std::string_view kSpaceMark = "\xE2\x96\x81";  // U+2581
constexpr double kLongestTail = 0.6;

bool takes_mark(std::string_view& text) {
  if (text.starts_with(kSpaceMark)) {
    text.remove_prefix(kSpaceMark.size());
    return true;
  }
  if (text.starts_with(' ')) {
    text.remove_prefix(1);
    return true;
  }
  return false;
}

// <|en|>, <unk> and the like are not speech.
bool is_control(std::string_view text) { return text.size() >= 3 && text.front() == '<' && text.back() == '>'; }

}  // namespace

std::vector<TimedWord> words_from_tokens(std::span<const TokenTime> tokens, double end_s) {
  std::vector<TimedWord> words;
  double last_start = 0;
  double probability = 0;
  int counted = 0;
  const auto close = [&](double next_start) {
    if (words.empty()) return;
    TimedWord& word = words.back();
    if (word.end_s <= word.start_s) word.end_s = std::min(next_start, last_start + kLongestTail);
    word.end_s = std::max(std::min(word.end_s, end_s), word.start_s);
    if (counted > 0) word.confidence = probability / counted;
    probability = 0;
    counted = 0;
  };
  for (const TokenTime& token : tokens) {
    std::string_view text = token.text;
    if (is_control(text)) continue;
    const bool begins = takes_mark(text) || words.empty();
    if (begins) {
      close(token.start_s);
      words.push_back({"", std::max(token.start_s, 0.0), -1, std::nullopt});
    }
    words.back().text += text;
    words.back().end_s = token.end_s >= token.start_s ? token.end_s : -1;
    last_start = token.start_s;
    if (token.log_probability <= 0) {
      probability += std::exp(token.log_probability);
      ++counted;
    }
  }
  close(end_s);
  std::erase_if(words, [](const TimedWord& w) { return w.text.empty(); });
  return words;
}

}  // namespace hansard::speech
