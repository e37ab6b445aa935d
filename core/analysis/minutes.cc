#include "core/analysis/minutes.h"

#include "core/transcript/export.h"

namespace hansard {
namespace {

constexpr std::string_view kMachineNotice =
    "*These minutes were written by a machine (hansard) from recognized speech. Words, names and findings can be wrong; each "
    "finding shows the words it rests on.*\n";

std::string seconds_text(Duration d) {
  const std::int64_t tenths = (d.ms + 50) / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

void add_items(std::string& out, const char* title, const std::vector<AnalysisItem>& items, const char* none) {
  out += std::string("\n## ") + title + "\n\n";
  if (items.empty()) out += std::string(none) + "\n";
  for (const AnalysisItem& item : items) {
    out += "- " + markdown_escape(item.text);
    if (item.owner) out += " — **" + markdown_escape(*item.owner) + "**";
    if (item.due) out += ", due " + markdown_escape(*item.due);
    out += "\n  > " + markdown_escape(item.quote) + "\n";
  }
}

void add_coverage(std::string& out, const Minutes& m) {
  out += "\n## What was heard\n\n| participant | transcribed | silent | lost | other |\n| --- | --- | --- | --- | --- |\n";
  for (const MinutesParticipant& p : m.participants) {
    out += "| " + markdown_escape(p.name) + (p.bot ? " (bot)" : "") + " | " + seconds_text(p.transcribed) + " | " +
           seconds_text(p.silent) + " | " + seconds_text(p.lost) + " | " + seconds_text(p.pending + p.withheld + p.unrecognized) +
           " |\n";
  }
  if (m.missing.empty()) {
    out += "\nNothing is missing.\n";
    return;
  }
  out += "\nMissing:\n\n";
  for (const CoverageInterval& gap : m.missing) {
    std::string name = gap.participant;
    for (const auto& p : m.participants) {
      if (p.id == gap.participant) name = p.name;
    }
    out += "- " + clock_time(gap.start) + ", " + seconds_text(gap.end - gap.start) + " of " + markdown_escape(name) + ": " +
           std::string(enum_name(gap.state));
    if (!gap.reason.empty()) out += " (" + markdown_escape(gap.reason) + ")";
    out += "\n";
  }
}

}  // namespace

std::string to_markdown(const Minutes& m) {
  std::string out = "# " + (m.title.empty() ? std::string("Meeting") : markdown_escape(m.title)) + "\n\n";
  out += "Recorded from " + format_rfc3339(Instant{m.origin.ms / 1000 * 1000}) + ", " + clock_time(MediaTime{m.length.ms}) +
         " long.\n";
  if (!m.outcome.empty()) out += "\n**Incomplete:** " + markdown_escape(m.outcome) + "\n";
  out += "\n" + std::string(kMachineNotice);
  out += "\n## Summary\n\n";
  if (m.summary.empty()) out += "Nothing was said that a summary could rest on.\n";
  std::string_view rest = m.summary;
  while (!rest.empty()) {
    const std::size_t eol = rest.find('\n');
    out += "- " + markdown_escape(rest.substr(0, eol)) + "\n";
    rest = eol == std::string_view::npos ? std::string_view() : rest.substr(eol + 1);
  }
  add_items(out, "Decisions", m.decisions, "None found.");
  add_items(out, "Tasks", m.tasks, "None found.");
  add_coverage(out, m);
  out += "\n## Transcript\n\n";
  out += m.utterances.empty() ? "No speech was transcribed.\n" : to_markdown(std::span<const Utterance>(m.utterances));
  return out;
}

}  // namespace hansard
