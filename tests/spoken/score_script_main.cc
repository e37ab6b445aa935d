// score_script SCRIPT TRANSCRIPT ANALYSIS: what of a script (tests/data/meetings) an analysis found. TRANSCRIPT is what
// `hansard analyze` was given for the meeting, ANALYSIS what it answered, one JSON document each. Prints the table and, as the
// last line, its totals as JSON.
#include <cstdio>
#include <fstream>
#include <sstream>

#include "core/analysis/meeting_json.h"
#include "core/analysis/script_score.h"

namespace hansard {
namespace {

Result<Json> read_json(const char* path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return Json::parse(text.str());
}

void read_items(const Json& list, ItemKind kind, std::vector<AnalysisItem>& out) {
  for (const Json& entry : list.items()) {
    AnalysisItem item;
    item.id = std::to_string(out.size());
    item.kind = kind;
    item.text = entry.text_or("text");
    item.quote = entry.text_or("quote");
    if (entry["owner"].is_string()) item.owner = *entry["owner"].as_string();
    if (entry["due"].is_string()) item.due = *entry["due"].as_string();
    for (const Json& id : entry["utterance_ids"].items()) item.utterance_ids.push_back(id.is_string() ? *id.as_string() : "");
    out.push_back(std::move(item));
  }
}

Json totals(const ScriptScore::Count& c) {
  return Json::object()
      .set("gold", static_cast<std::int64_t>(c.gold))
      .set("found", static_cast<std::int64_t>(c.found))
      .set("missed", static_cast<std::int64_t>(c.missed))
      .set("invented", static_cast<std::int64_t>(c.invented))
      .set("repeated", static_cast<std::int64_t>(c.repeated));
}

Result<void> run(char** paths) {
  auto script_json = read_json(paths[0]);
  if (!script_json) return pass(script_json);
  auto script = MeetingScript::read(*script_json);
  if (!script) return pass(script);
  auto transcript_json = read_json(paths[1]);
  if (!transcript_json) return pass(transcript_json);
  auto transcript = read_meeting(*transcript_json);
  if (!transcript) return pass(transcript);
  auto analysis = read_json(paths[2]);
  if (!analysis) return pass(analysis);
  std::vector<AnalysisItem> items;
  read_items((*analysis)["decisions"], ItemKind::kDecision, items);
  read_items((*analysis)["action_items"], ItemKind::kActionItem, items);
  const ScriptScore score = score_script(*script, transcript->utterances, items);
  const Json sum = Json::object()
                       .set("decisions", totals(score.decisions))
                       .set("tasks", totals(score.tasks))
                       .set("owners_right", static_cast<std::int64_t>(score.owners_right))
                       .set("dues_right", static_cast<std::int64_t>(score.dues_right));
  std::printf("%s%s\n", format_script_score(*script, score).c_str(), sum.dump().c_str());
  return {};
}

}  // namespace
}  // namespace hansard

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: score_script SCRIPT TRANSCRIPT ANALYSIS\n", stderr);
    return 2;
  }
  const auto done = hansard::run(argv + 1);
  if (!done) std::fprintf(stderr, "score_script: %s\n", done.error().detail.c_str());
  return done ? 0 : 1;
}
