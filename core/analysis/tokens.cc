#include "core/analysis/tokens.h"

#include <algorithm>
#include <array>

#include "core/base/text.h"

namespace hansard::analysis {
namespace {

struct Rewrite {
  std::string_view from;
  std::string_view first;
  std::string_view second;
};
// Whole words with a spoken or contracted form of their own. The general endings ('ll, 're ...) are below.
constexpr Rewrite kRewrites[] = {
    {"gonna", "going", "to"},    {"wanna", "want", "to"},   {"gotta", "got", "to"},
    {"lets", "let", "us"},       {"let's", "let", "us"},    {"can't", "can", "not"},
    {"cannot", "can", "not"},    {"won't", "will", "not"},  {"shan't", "shall", "not"},
    {"yeah", "yes", ""},         {"yep", "yes", ""},        {"yup", "yes", ""},
    {"ok", "okay", ""},          {"'kay", "okay", ""},      {"kay", "okay", ""},
    {"alright", "all", "right"}, {"that's", "that", "is"},  {"it's", "it", "is"},
    {"he's", "he", "is"},        {"she's", "she", "is"},    {"what's", "what", "is"},
    {"there's", "there", "is"},  {"here's", "here", "is"},  {"who's", "who", "is"},
    {"where's", "where", "is"},  {"how's", "how", "is"},    {"everybody's", "everybody", "is"},
    {"'cause", "because", ""},   {"cos", "because", ""},    {"everybody", "everyone", ""},
    {"somebody", "someone", ""}, {"anybody", "anyone", ""},
};
struct Ending {
  std::string_view suffix;
  std::string_view word;
};
constexpr Ending kEndings[] = {{"'ll", "will"}, {"'re", "are"}, {"'ve", "have"}, {"'m", "am"}, {"'d", "would"}, {"n't", "not"}};

constexpr std::string_view kHesitations[] = {"uh", "um",  "uhm", "er", "erm", "hm",   "hmm",
                                             "mm", "mhm", "ah",  "eh", "huh", "uhhuh"};

constexpr std::string_view kStopWords[] = {
    "a",     "about", "after",     "again", "all",    "also",   "am",       "an",      "and",   "any",   "are",  "as",
    "at",    "be",    "because",   "been",  "before", "being",  "but",      "by",      "can",   "could", "did",  "do",
    "does",  "done",  "for",       "from",  "get",    "go",     "going",    "good",    "got",   "great", "had",  "has",
    "have",  "he",    "her",       "here",  "him",    "his",    "how",      "i",       "if",    "in",    "into", "is",
    "it",    "its",   "just",      "kind",  "know",   "let",    "like",     "may",     "maybe", "me",    "mean", "might",
    "more",  "most",  "much",      "my",    "no",     "not",    "now",      "of",      "off",   "oh",    "okay", "on",
    "one",   "or",    "our",       "out",   "over",   "really", "right",    "say",     "see",   "shall", "she",  "should",
    "so",    "some",  "something", "sort",  "still",  "such",   "than",     "that",    "the",   "their", "them", "then",
    "there", "these", "they",      "thing", "things", "think",  "this",     "those",   "to",    "too",   "up",   "us",
    "very",  "want",  "was",       "we",    "well",   "were",   "what",     "when",    "where", "which", "who",  "why",
    "will",  "with",  "would",     "yes",   "you",    "your",   "everyone", "someone", "need",  "please"};

bool is_word_byte(char c) {
  const auto u = static_cast<unsigned char>(c);
  return (u >= '0' && u <= '9') || (u >= 'a' && u <= 'z') || (u >= 'A' && u <= 'Z') || u >= 0x80 || u == '_';
}

bool is_general_punctuation(std::string_view text, std::size_t i) {
  return i + 2 < text.size() && text[i] == '\xE2' && text[i + 1] == '\x80';
}
/// Length of an apostrophe at i: ' or U+2019, else 0.
std::size_t apostrophe(std::string_view text, std::size_t i) {
  if (text[i] == '\'') return 1;
  if (is_general_punctuation(text, i) && text[i + 2] == '\x99') return 3;
  return 0;
}

/// The raw word at `pos` (lower case, ' for any apostrophe, no underscores); moves `pos` behind it.
std::string read_word(std::string_view text, std::size_t& pos) {
  std::string word;
  while (pos < text.size()) {
    if (const std::size_t a = apostrophe(text, pos); a != 0) {
      const bool inside = pos + a < text.size() && is_word_byte(text[pos + a]) && !is_general_punctuation(text, pos + a);
      if (!inside) break;
      word += '\'';
      pos += a;
    } else if (is_general_punctuation(text, pos) || !is_word_byte(text[pos])) {
      break;
    } else {
      if (text[pos] != '_') word += text[pos] >= 'A' && text[pos] <= 'Z' ? static_cast<char>(text[pos] + 32) : text[pos];
      ++pos;
    }
  }
  return word;
}

class Builder {
 public:
  explicit Builder(std::vector<Token>& out) : out_(out) {}
  void push(std::string_view norm, Token at) {
    if (norm.empty()) return;
    if (!out_.empty() && out_.back().norm == norm && out_.back().end <= at.begin && !out_.back().comma_after) return;
    at.norm = std::string(norm);
    out_.push_back(std::move(at));
  }

 private:
  std::vector<Token>& out_;
};

void push_word(Builder& builder, const std::string& word, const Token& at) {
  if (std::ranges::find(kHesitations, word) != std::end(kHesitations)) return;
  for (const auto& r : kRewrites) {
    if (r.from == word) {
      builder.push(r.first, at);
      builder.push(r.second, at);
      return;
    }
  }
  const std::string_view w = word;
  for (const auto& e : kEndings) {
    if (w.size() > e.suffix.size() && w.ends_with(e.suffix)) {
      builder.push(w.substr(0, w.size() - e.suffix.size()), at);
      builder.push(e.word, at);
      return;
    }
  }
  builder.push(w.ends_with("'s") ? w.substr(0, w.size() - 2) : w, at);
}

/// Pushes what a lone contraction ending ("ll", "re", "s") stands for; false when it is none.
bool push_ending(Builder& builder, std::string_view word, const Token& at) {
  if (word == "s") {
    builder.push("is", at);
    return true;
  }
  for (const auto& e : kEndings) {
    if (e.suffix.substr(0, 1) == "'" && e.suffix.substr(1) == word) {
      builder.push(e.word, at);
      return true;
    }
  }
  return false;
}

bool is_pause(char c) { return c == ',' || c == ';' || c == ':'; }

}  // namespace

std::vector<Token> tokenize(std::string_view text) {
  std::vector<Token> out;
  Builder builder(out);
  std::size_t pos = 0;
  while (pos < text.size()) {
    if (!is_word_byte(text[pos]) || is_general_punctuation(text, pos)) {
      pos += is_general_punctuation(text, pos) ? 3 : 1;
      continue;
    }
    Token at;
    const std::size_t begin = pos;
    at.begin = static_cast<std::uint32_t>(pos);
    at.capital = text[pos] >= 'A' && text[pos] <= 'Z';
    std::string word = read_word(text, pos);
    if (word == "e" && text.substr(pos).starts_with("-mail")) {
      ++pos;
      word += read_word(text, pos);
    }
    at.end = static_cast<std::uint32_t>(pos);
    const bool cut_off = pos < text.size() && text[pos] == '-' && (pos + 1 == text.size() || text[pos + 1] == ' ');
    at.comma_after = pos < text.size() && is_pause(text[pos]);
    // Some transcripts set contractions apart ("I 'll"): the ending is a word of its own then.
    const bool apart = begin > 0 && text[begin - 1] == '\'';
    if (apart) at.begin -= 1;
    if (apart && push_ending(builder, word, at)) continue;
    if (!cut_off) push_word(builder, word, at);
  }
  return out;
}

std::vector<Sentence> split_sentences(std::string_view text) {
  static constexpr std::string_view kAbbreviations[] = {"mr", "mrs", "ms", "dr", "st", "vs", "e.g", "i.e"};
  std::vector<Sentence> out;
  const auto emit = [&](std::size_t begin, std::size_t end) {
    while (begin < end && text[begin] == ' ') ++begin;
    while (end > begin && text[end - 1] == ' ') --end;
    if (begin == end) return;
    out.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end), text[end - 1] == '?'});
  };
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '.' && text[i] != '?' && text[i] != '!') continue;
    if (i + 1 < text.size() && text[i + 1] != ' ') continue;
    if (text[i] == '.') {
      std::size_t w = i;
      while (w > begin && text[w - 1] != ' ') --w;
      const std::string last = to_lower(text.substr(w, i - w));
      if (last.size() == 1 && last != "i") continue;
      if (std::ranges::find(kAbbreviations, last) != std::end(kAbbreviations)) continue;
    }
    emit(begin, i + 1);
    begin = i + 1;
  }
  emit(begin, text.size());
  return out;
}

bool is_stop_word(std::string_view norm) { return std::ranges::find(kStopWords, norm) != std::end(kStopWords); }

}  // namespace hansard::analysis
