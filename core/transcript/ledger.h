#pragma once
// The coverage ledger: what became of every millisecond of each participant's presence.
//
// Rows come append-only, from two witnesses: the recognizer (heard: transcribed, silent, unrecognized) and the media
// (lost, withheld). They may overlap and repeat. Normalized, each millisecond of presence has exactly one state: the
// strongest of lost > withheld > transcribed > unrecognized > silent > pending. Presence without any row is pending
// while the meeting runs, and lost ("unaccounted") once it is closed.
#include <map>
#include <string>
#include <vector>

#include "core/transcript/utterance.h"

namespace hansard {

/// Sums of one participant. Together they are the presence.
struct CoverageTotals {
  Duration transcribed, silent, pending, withheld, unrecognized, lost;
  Duration presence() const { return transcribed + silent + pending + withheld + unrecognized + lost; }
  Duration& of(Coverage state);
};

class CoverageLedger {
 public:
  /// A participant is there from `at` on. Joining twice means nothing.
  void joined(const std::string& participant, MediaTime at);
  /// ... until `at`.
  void left(const std::string& participant, MediaTime at);
  /// A row. Rows without length, and what lies outside presence, do not count.
  void add(const CoverageInterval& row);
  /// The meeting is over: who is still there leaves at `at`, and nothing is pending any more but what a row says.
  void close(MediaTime at);

  /// Disjoint intervals in order of time that cover the participant's presence exactly. For one who is still there,
  /// presence ends with the last row or `until`, whichever is later.
  std::vector<CoverageInterval> intervals(const std::string& participant, MediaTime until = {}) const;
  CoverageTotals totals(const std::string& participant, MediaTime until = {}) const;
  std::vector<std::string> participants() const;

 private:
  struct Span {
    MediaTime start;
    MediaTime end;
    bool open = true;
  };
  struct Person {
    std::vector<Span> presence;
    std::vector<CoverageInterval> rows;
  };
  std::map<std::string, Person> people_;
  bool closed_ = false;
};

}  // namespace hansard
