#include "cli/analyze_command.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>

#include "core/analysis/live.h"
#include "core/analysis/meeting_json.h"
#include "core/analysis/weights/embedded.h"
#include "core/base/text.h"

namespace hansard {
namespace {

constexpr const char* kHelp =
    "Usage: hansard analyze [FILE|-]\n"
    "Finds action items, decisions and a summary in meetings. Needs no network and no model file.\n"
    "\n"
    "Reads JSON Lines, one meeting a line, from FILE or standard input:\n"
    "  {\"meeting\": ID, \"date\"?: \"YYYY-MM-DD\", \"participants\"?: [{\"speaker\", \"role\"?}],\n"
    "   \"utterances\": [{\"id\", \"speaker\", \"start\", \"end\", \"text\"}]}   (start and end in seconds)\n"
    "Writes one line a meeting:\n"
    "  {\"meeting\", \"action_items\": [{\"text\", \"utterance_ids\", \"owner\"?, \"due\"?, \"quote\"}],\n"
    "   \"decisions\": [{\"text\", \"utterance_ids\", \"quote\"}], \"summary\"}\n"
    "Due dates need the meeting's date. Every quote stands word for word in an utterance that is cited.\n";

int complain(const std::string& what, int code) {
  std::cerr << "hansard analyze: " << what << "\n";
  return code;
}

int analyze_stream(const analysis::Model& model, std::istream& in) {
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (trim(line).empty()) continue;
    const auto json = Json::parse(line);
    if (!json)
      return complain("line " + std::to_string(number) + ": not JSON; give one meeting a line (see hansard analyze --help)", 1);
    const auto meeting = read_meeting(*json);
    if (!meeting) return complain("line " + std::to_string(number) + ": " + meeting.error().detail, 1);
    const MeetingAnalysis result = analyze(model, meeting->info, meeting->utterances);
    std::cout << write_analysis(meeting->meeting, result).dump() << '\n' << std::flush;
    if (!std::cout) return complain(std::string("cannot write the result: ") + std::strerror(errno), 1);
  }
  if (in.bad()) return complain("cannot read the input to its end; is it a file?", 1);
  return 0;
}

}  // namespace

int cmd_analyze(std::span<const std::string> args) {
  std::string file = "-";
  bool named = false;
  for (const std::string& arg : args) {
    if (arg == "--help" || arg == "-h") {
      std::cout << kHelp;
      return 0;
    }
    if (arg == "--jsonl") continue;
    if (arg.size() > 1 && arg.starts_with('-')) return complain("unknown option " + arg + "; see hansard analyze --help", 2);
    if (named) return complain("give one FILE, or - for standard input", 2);
    file = arg;
    named = true;
  }
  const auto model = analysis::Model::load(analysis::embedded_weights());
  if (!model) return complain(model.error().detail, 1);
  if (file == "-") return analyze_stream(*model, std::cin);
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  if (!in) return complain("cannot open " + file + ": " + std::strerror(errno), 1);
  return analyze_stream(*model, in);
}

}  // namespace hansard
