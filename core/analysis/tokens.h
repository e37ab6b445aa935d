#pragma once
// Words of spoken English in a normal form, with their places in the text. Both the features and the rules read these.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hansard::analysis {

/// A normalised word: lower case, contractions opened ("I'll" gives "i" and "will", both with the span of "I'll"),
/// hesitations, cut-off words and immediate repetitions left out.
struct Token {
  std::string norm;
  std::uint32_t begin = 0;  ///< bytes [begin, end) of the text
  std::uint32_t end = 0;
  bool capital = false;      ///< written with a capital first letter
  bool comma_after = false;  ///< a comma, semicolon, colon or dash follows
};

std::vector<Token> tokenize(std::string_view text);

/// Bytes [begin, end) of a sentence, without surrounding blanks; `question` when it ends in a question mark.
struct Sentence {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  bool question = false;
};

/// Splits at . ? ! followed by a blank (not after a single capital letter or a common abbreviation). A text without
/// such marks is one sentence.
std::vector<Sentence> split_sentences(std::string_view text);

/// True for words that carry no topic: articles, pronouns, auxiliaries, discourse markers.
bool is_stop_word(std::string_view norm);

}  // namespace hansard::analysis
