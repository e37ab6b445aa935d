#pragma once
// Word pieces with times, as models give them, to words with times.
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/speech/recognizer.h"

namespace hansard::speech {

/// One token of a recognizer. `end_s` below `start_s` means unknown; `log_probability` above 0 means unknown.
struct TokenTime {
  std::string_view text;
  double start_s = 0;
  double end_s = -1;
  double log_probability = 1;
};

/// Joins tokens to words: a token that begins with a space or U+2581 begins a word. Punctuation joins the word before
/// it. A word ends where its last token ends, else where the next word begins, at most 0.6 s after its last token
/// began. Confidence is the mean probability of the tokens. `end_s` is where the audio ends.
std::vector<TimedWord> words_from_tokens(std::span<const TokenTime> tokens, double end_s);

}  // namespace hansard::speech
