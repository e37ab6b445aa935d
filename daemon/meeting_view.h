#pragma once
// What the API says about meetings, read from the store's rows.
#include <string>

#include "core/flow/step.h"
#include "ports/store.h"

namespace hansard {

/// The short form of a list: state, times, title, and what to do when it failed.
Json meeting_summary(const flow::MeetingState& state);

/// All meetings, newest first. Errors: those of the store.
Result<Json> meetings_view(Store& store);

/// Everything of one meeting: the summary plus participants, utterances, items, summary text, coverage by participant
/// (intervals and totals in ms by state), tasks, files, consent log; `seq` is the newest row in it, from which live events
/// go on. Errors: kNotFound, those of the store.
Result<Json> meeting_view(Store& store, const std::string& id);

/// The state of a meeting that may have finished. Errors: kNotFound, those of the store.
Result<flow::MeetingState> load_meeting(Store& store, const std::string& id);

}  // namespace hansard
