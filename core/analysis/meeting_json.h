#pragma once
// The JSON form of `hansard analyze`: one meeting in, one result out.
#include <string>
#include <vector>

#include "core/analysis/item.h"
#include "core/base/json.h"
#include "core/transcript/utterance.h"

namespace hansard {

struct MeetingInput {
  std::string meeting;
  MeetingInfo info;
  std::vector<Utterance> utterances;
};

/// Reads {"meeting", "date"?, "participants"?: [{"speaker", "role"?}], "utterances": [{"id", "speaker", "start", "end",
/// "text"}]}. `start` and `end` are seconds; they and `speaker` may be missing, other members are ignored. Utterances with a
/// blank text are left out. Errors: kInvalid, naming the member.
Result<MeetingInput> read_meeting(const Json& json);

/// {"meeting", "action_items": [{"text", "utterance_ids", "owner"?, "due"?, "quote"}], "decisions": [{"text", "utterance_ids",
/// "quote"}], "summary"}.
Json write_analysis(const std::string& meeting, const MeetingAnalysis& analysis);

}  // namespace hansard
