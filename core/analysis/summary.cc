#include "core/analysis/summary.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/analysis/phrase.h"

namespace hansard::analysis {
namespace {

struct Pick {
  std::size_t utterance = 0;
  std::size_t sentence = 0;
  double score = 0;
};

std::set<std::string> topic_words(const SpokenSentence& s) {
  std::set<std::string> out;
  for (const Token& t : s.tokens) {
    if (t.norm.size() > 2 && !is_stop_word(t.norm)) out.insert(t.norm);
  }
  return out;
}

/// In how many sentences each topic word occurs.
std::map<std::string, int> topic_counts(std::span<const Spoken> meeting) {
  std::map<std::string, int> out;
  for (const Spoken& u : meeting) {
    for (const auto& s : u.sentences) {
      for (const auto& w : topic_words(s)) ++out[w];
    }
  }
  return out;
}

/// How much of the meeting's talk shares this sentence's words: the mean logarithm of their counts.
double centrality(const std::set<std::string>& words, const std::map<std::string, int>& counts) {
  double sum = 0;
  for (const auto& w : words) sum += std::log2(static_cast<double>(counts.at(w)));
  return words.empty() ? 0 : sum / static_cast<double>(words.size());
}

constexpr std::size_t kFewestTopicWords = 3;
constexpr std::size_t kLongestSentence = 45;

}  // namespace

std::vector<AnalysisItem> key_points(std::span<const Spoken> meeting, std::span<const double> scores) {
  const auto counts = topic_counts(meeting);
  std::vector<Pick> picks;
  std::size_t total = 0;
  for (std::size_t i = 0; i < meeting.size(); ++i) {
    for (std::size_t k = 0; k < meeting[i].sentences.size(); ++k) {
      const SpokenSentence& s = meeting[i].sentences[k];
      total += s.tokens.size();
      const auto words = topic_words(s);
      if (words.size() < kFewestTopicWords || s.tokens.size() > kLongestSentence || s.span.question) continue;
      picks.push_back({i, k, scores[i] + 0.3 * std::min(centrality(words, counts), 4.0)});
    }
  }
  std::ranges::stable_sort(picks, [](const Pick& a, const Pick& b) { return a.score > b.score; });
  const std::size_t budget = std::min(kSummaryWords, std::max<std::size_t>(25, total / 4));
  std::vector<Pick> chosen;
  std::set<std::string> said;
  std::size_t used = 0;
  for (const Pick& p : picks) {
    const SpokenSentence& s = meeting[p.utterance].sentences[p.sentence];
    if (used + s.tokens.size() > budget) continue;
    const auto words = topic_words(s);
    const auto known =
        static_cast<std::size_t>(std::ranges::count_if(words, [&](const std::string& w) { return said.contains(w); }));
    if (known * 4 > words.size() * 3) continue;  // nearly all of it has been said
    used += s.tokens.size();
    said.insert(words.begin(), words.end());
    chosen.push_back(p);
  }
  std::ranges::sort(chosen, [](const Pick& a, const Pick& b) {
    return std::pair(a.utterance, a.sentence) < std::pair(b.utterance, b.sentence);
  });
  std::vector<AnalysisItem> out;
  for (const Pick& p : chosen) {
    const Spoken& u = meeting[p.utterance];
    const SpokenSentence& s = u.sentences[p.sentence];
    AnalysisItem item;
    item.id = "k" + std::to_string(out.size() + 1);
    item.kind = ItemKind::kKeyPoint;
    item.text = statement_text(u, s);
    item.utterance_ids = {u.utterance.id};
    item.quote = u.utterance.text.substr(s.span.begin, s.span.end - s.span.begin);
    item.confidence = std::round(1000.0 / (1.0 + std::exp(-p.score))) / 1000.0;
    out.push_back(std::move(item));
  }
  return out;
}

std::string summary_text(std::span<const AnalysisItem> points, std::span<const Spoken> meeting) {
  std::map<std::string_view, std::string_view> speakers;
  for (const Spoken& u : meeting) speakers.emplace(u.utterance.id, u.utterance.speaker);
  std::string out;
  for (const AnalysisItem& p : points) {
    if (!out.empty()) out += '\n';
    const std::string speaker(speakers[p.utterance_ids.front()]);
    if (is_spoken_name(speaker)) out += speaker + ": ";
    out += p.text;
  }
  return out;
}

}  // namespace hansard::analysis
