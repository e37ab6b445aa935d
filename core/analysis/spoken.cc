#include "core/analysis/spoken.h"

namespace hansard::analysis {

Spoken read_spoken(const Utterance& utterance, People& people) {
  Spoken out;
  out.utterance = {utterance.id, utterance.participant, utterance.speaker, utterance.start, utterance.end, utterance.text, {}};
  people.meet(utterance.speaker);
  while (people.attendees[out.speaker].name != utterance.speaker) ++out.speaker;
  const std::string_view text = out.utterance.text;
  Cues all;
  std::vector<Token> tokens;
  bool question = false;
  for (const Sentence& s : split_sentences(text)) {
    SpokenSentence one{s, tokenize(text.substr(s.begin, s.end - s.begin)), {}};
    for (Token& t : one.tokens) {
      t.begin += s.begin;
      t.end += s.begin;
    }
    one.cues = find_cues(one.tokens, people);
    all.mask |= one.cues.mask;
    question = s.question;
    tokens.insert(tokens.end(), one.tokens.begin(), one.tokens.end());
    out.sentences.push_back(std::move(one));
  }
  out.prepared = prepare(tokens, all, out.speaker, people.attendees[out.speaker].role.value_or(""), question);
  return out;
}

}  // namespace hansard::analysis
