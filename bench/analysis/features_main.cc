// Writes the features of meetings for training. Reads JSON Lines (one meeting a line, as `hansard analyze`) on standard
// input; writes for every utterance with a text, in order, little-endian: u32 number of features, f32 strength as
// an action item and f32 as a decision by the rules, then (u32 index, f32 value) each. With --no-roles the meetings are read as
// if nobody's role were known.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "core/analysis/features.h"
#include "core/analysis/meeting_json.h"
#include "core/analysis/rules.h"
#include "core/analysis/spoken.h"

namespace {

using namespace hansard;
using namespace hansard::analysis;

void put(std::uint32_t word) { std::fwrite(&word, sizeof word, 1, stdout); }

void write_meeting(const MeetingInput& meeting) {
  People people(meeting.info.participants);
  for (const auto& u : meeting.utterances) people.meet(u.speaker);
  std::vector<Spoken> all;
  for (const auto& u : meeting.utterances) all.push_back(read_spoken(u, people));
  const std::size_t n = all.size();
  for (std::size_t i = 0; i < n; ++i) {
    std::vector<const Prepared*> window;
    const std::size_t from = i < kNeighbours ? 0 : i - kNeighbours;
    for (std::size_t k = from; k < n && k <= i + kNeighbours; ++k) window.push_back(&all[k].prepared);
    const auto place = n >= kPlaceMinimum ? std::optional(Place{i, n}) : std::nullopt;
    const auto row = features(window, i - from, place);
    const Replies replies = find_replies(window, i - from);
    double action = 0, decision = 0;
    for (const auto& s : all[i].sentences) {
      action = std::max(action, action_strength(s.cues, s.tokens.size(), s.span.question, replies));
      decision = std::max(decision, decision_strength(s.cues, s.tokens.size(), s.span.question, replies));
    }
    put(static_cast<std::uint32_t>(row.size()));
    put(std::bit_cast<std::uint32_t>(static_cast<float>(action)));
    put(std::bit_cast<std::uint32_t>(static_cast<float>(decision)));
    std::fwrite(row.data(), sizeof(Feature), row.size(), stdout);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bool no_roles = argc == 2 && std::string_view(argv[1]) == "--no-roles";
  if (argc > 1 && !no_roles) {
    std::cerr << "usage: analysis_features [--no-roles] <MEETINGS.jsonl >FEATURES\n";
    return 2;
  }
  std::string line;
  for (int number = 1; std::getline(std::cin, line); ++number) {
    if (line.empty()) continue;
    auto json = Json::parse(line);
    auto meeting = json ? read_meeting(*json) : Result<MeetingInput>(pass(json));
    if (!meeting) {
      std::cerr << "analysis_features: line " << number << ": " << meeting.error().detail << "\n";
      return 1;
    }
    if (no_roles) {
      for (Attendee& a : meeting->info.participants) a.role.reset();
    }
    write_meeting(*meeting);
  }
  return std::fflush(stdout) == 0 ? 0 : 1;
}
