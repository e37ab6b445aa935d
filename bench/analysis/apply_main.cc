// `hansard analyze` with weights from a file instead of the embedded ones, for cross-validation (scripts/train-analysis
// --check): analysis_apply WEIGHTS <MEETINGS.jsonl >RESULTS.jsonl
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "core/analysis/live.h"
#include "core/analysis/meeting_json.h"

namespace {

using namespace hansard;

int complain(const std::string& what) {
  std::cerr << "analysis_apply: " << what << "\n";
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return complain("give one file of weights"), 2;
  std::ifstream in(argv[1], std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const auto model = analysis::Model::load(bytes);
  if (!model) return complain(model.error().detail);
  std::string line;
  for (int number = 1; std::getline(std::cin, line); ++number) {
    if (line.empty()) continue;
    auto json = Json::parse(line);
    auto meeting = json ? read_meeting(*json) : Result<MeetingInput>(pass(json));
    if (!meeting) return complain("line " + std::to_string(number) + ": " + meeting.error().detail);
    std::cout << write_analysis(meeting->meeting, analyze(*model, meeting->info, meeting->utterances)).dump() << '\n';
  }
  return std::cout.flush() ? 0 : complain("cannot write the results");
}
