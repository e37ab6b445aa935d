#pragma once
// What a person sees in the terminal: the live transcript by speaker, items as they are found, and a whole meeting.
#include <cstdio>
#include <map>
#include <set>
#include <string>

#include "core/base/json.h"

namespace hansard::cli {

/// "12:34" or "1:02:03".
std::string clock_text(std::int64_t ms);

class LiveView {
 public:
  /// Colours and partial results appear on a terminal only. `only`: the one meeting to show, empty: all.
  explicit LiveView(std::FILE* out, std::string only = {});

  void event(const std::string& kind, const Json& body);
  /// The last known state of a meeting, empty when none was seen.
  std::string state_of(const std::string& meeting) const;
  /// Meetings in the order they appeared.
  const std::map<std::string, std::string>& states() const { return states_; }

 private:
  void line(const std::string& text);
  void clear_partial();
  void heading(const std::string& meeting);
  void on_state(const Json& body);

  std::FILE* out_;
  std::string only_;
  bool terminal_;
  bool partial_shown_ = false;
  std::string current_;  ///< meeting whose lines were printed last
  std::map<std::string, std::string> states_;
  std::map<std::string, std::string> titles_;
  std::map<std::string, std::string> items_;  ///< shown text by meeting and item
};

/// Items, decisions, summary, coverage and files of GET /api/meetings/ID; with the transcript when asked.
void print_meeting(std::FILE* out, const Json& meeting, bool transcript);

}  // namespace hansard::cli
