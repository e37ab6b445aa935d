#include "core/analysis/script_score.h"

#include <algorithm>
#include <map>

#include "core/analysis/due.h"
#include "core/analysis/tokens.h"
#include "core/base/text.h"

namespace hansard {
namespace {

std::unexpected<Error> bad(const std::string& detail) {
  return fail(ErrorClass::kInvalid, "analysis", "meeting script: " + detail);
}

Result<std::vector<MeetingScript::Gold>> read_gold(const Json& list, ItemKind kind, std::size_t lines) {
  std::vector<MeetingScript::Gold> out;
  for (const Json& entry : list.items()) {
    MeetingScript::Gold g;
    g.kind = kind;
    g.text = entry.text_or("text");
    if (g.text.empty()) return bad("a gold item has no text");
    if (entry["owner"].is_string()) g.owner = *entry["owner"].as_string();
    if (entry["due"].is_string()) g.due = *entry["due"].as_string();
    for (const Json& index : entry["utterances"].items()) {
      const auto i = index.as_int();
      if (!i || *i < 0 || static_cast<std::size_t>(*i) >= lines) return bad("a gold item cites no such utterance");
      g.lines.insert(static_cast<std::size_t>(*i));
    }
    if (g.lines.empty()) return bad("a gold item cites no utterance");
    out.push_back(std::move(g));
  }
  return out;
}

struct PlacedWord {
  std::string norm;
  std::size_t where = 0;  ///< line or utterance
};
void append_words(std::vector<PlacedWord>& out, std::string_view text, std::size_t where) {
  for (auto& t : analysis::tokenize(text)) out.push_back({std::move(t.norm), where});
}

/// utterance -> lines of the script, by the longest common subsequence of their words.
std::vector<std::set<std::size_t>> align(const MeetingScript& script, std::span<const Utterance> utterances) {
  std::vector<PlacedWord> a, b;
  for (std::size_t i = 0; i < script.lines.size(); ++i) append_words(a, script.lines[i].text, i);
  for (std::size_t i = 0; i < utterances.size(); ++i) append_words(b, utterances[i].text, i);
  std::vector<std::vector<std::uint32_t>> best(a.size() + 1, std::vector<std::uint32_t>(b.size() + 1, 0));
  for (std::size_t i = a.size(); i-- > 0;) {
    for (std::size_t k = b.size(); k-- > 0;) {
      best[i][k] = a[i].norm == b[k].norm ? best[i + 1][k + 1] + 1 : std::max(best[i + 1][k], best[i][k + 1]);
    }
  }
  std::vector<std::map<std::size_t, std::size_t>> hits(utterances.size());
  std::vector<std::size_t> words(utterances.size(), 0), line_words(script.lines.size(), 0);
  for (const auto& w : b) ++words[w.where];
  for (const auto& w : a) ++line_words[w.where];
  std::size_t i = 0, k = 0;
  while (i < a.size() && k < b.size()) {
    if (a[i].norm == b[k].norm) {
      ++hits[b[k++].where][a[i++].where];
    } else if (best[i + 1][k] >= best[i][k + 1]) {
      ++i;
    } else {
      ++k;
    }
  }
  // A line belongs to an utterance when they share a good part of the shorter one: stray common words do not count.
  std::vector<std::set<std::size_t>> out(utterances.size());
  for (std::size_t u = 0; u < utterances.size(); ++u) {
    for (const auto& [line, n] : hits[u]) {
      if (3 * n >= std::min(words[u], line_words[line])) out[u].insert(line);
    }
  }
  return out;
}

bool owner_matches(const std::optional<std::string>& gold, const std::optional<std::string>& got) {
  if (!gold || !got) return !gold && !got;
  return equals_ignore_case(*gold, *got);
}

std::string pad(std::string s, std::size_t width) {
  if (s.size() > width) s.resize(width);
  s.append(width - s.size(), ' ');
  return s;
}

}  // namespace

Result<MeetingScript> MeetingScript::read(const Json& json) {
  MeetingScript out;
  out.meeting = json.text_or("meeting");
  out.title = json.text_or("title");
  const auto date = analysis::parse_date(json.text_or("date"));
  if (out.meeting.empty() || !date) return bad("\"meeting\" and \"date\" are needed");
  out.date = *date;
  for (const auto& [speaker, voice] : json["voices"].members()) {
    const auto name = voice.as_string();
    if (!name) return bad("\"voices\" must name voices");
    out.voices.push_back({speaker, *name, json["duration_stretch"].double_or(*name, 1)});
  }
  for (const Json& u : json["utterances"].items()) {
    out.lines.push_back({u.text_or("speaker"), u.text_or("text")});
    if (out.lines.back().speaker.empty() || out.lines.back().text.empty()) return bad("an utterance lacks its speaker or text");
  }
  auto decisions = read_gold(json["gold"]["decisions"], ItemKind::kDecision, out.lines.size());
  if (!decisions) return pass(decisions);
  auto tasks = read_gold(json["gold"]["tasks"], ItemKind::kActionItem, out.lines.size());
  if (!tasks) return pass(tasks);
  out.gold = std::move(*decisions);
  out.gold.insert(out.gold.end(), tasks->begin(), tasks->end());
  return out;
}

MeetingInfo MeetingScript::info() const {
  MeetingInfo out;
  out.date = date;
  for (const auto& v : voices) out.participants.push_back({v.speaker, std::nullopt});
  return out;
}

std::vector<Utterance> MeetingScript::utterances() const {
  std::vector<Utterance> out;
  std::int64_t at = 0;
  for (const auto& line : lines) {
    Utterance u;
    u.id = "u" + std::to_string(out.size() + 1);
    u.participant = u.speaker = line.speaker;
    u.text = line.text;
    u.start.ms = at;
    at += static_cast<std::int64_t>(split(line.text, ' ').size()) * 370;
    u.end.ms = at;
    out.push_back(std::move(u));
  }
  return out;
}

ScriptScore score_script(const MeetingScript& script, std::span<const Utterance> utterances,
                         std::span<const AnalysisItem> items) {
  const auto lines_of = align(script, utterances);
  std::map<std::string_view, std::size_t> index;
  for (std::size_t i = 0; i < utterances.size(); ++i) index.emplace(utterances[i].id, i);
  const auto cited = [&](const AnalysisItem& item) {
    std::set<std::size_t> out;
    for (const auto& id : item.utterance_ids) {
      if (const auto u = index.find(id); u != index.end()) out.insert(lines_of[u->second].begin(), lines_of[u->second].end());
    }
    return out;
  };
  ScriptScore score;
  std::vector<bool> used(items.size(), false), touches(items.size(), false);
  for (const auto& gold : script.gold) {
    auto& count = gold.kind == ItemKind::kDecision ? score.decisions : score.tasks;
    ++count.gold;
    std::size_t best = items.size(), best_shared = 0;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (items[i].kind != gold.kind) continue;
      const auto lines = cited(items[i]);
      const auto n =
          static_cast<std::size_t>(std::ranges::count_if(lines, [&](std::size_t l) { return gold.lines.contains(l); }));
      if (n > 0) touches[i] = true;
      if (!used[i] && n > best_shared) best = i, best_shared = n;
    }
    ScriptScore::Row row{gold.kind, Verdict::kMissed, gold.text, {}, false, false, gold.owner, {}, gold.due, {}};
    if (best < items.size()) {
      used[best] = true;
      row.verdict = Verdict::kFound;
      row.item = items[best].text;
      row.owner = items[best].owner;
      row.due = items[best].due;
      row.owner_right = owner_matches(row.gold_owner, row.owner);
      row.due_right = row.gold_due == row.due;
      ++count.found;
      if (gold.kind == ItemKind::kActionItem) {
        score.owners_right += row.owner_right ? 1 : 0;
        score.dues_right += row.due_right ? 1 : 0;
      }
    } else {
      ++count.missed;
    }
    score.rows.push_back(std::move(row));
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (used[i] || items[i].kind == ItemKind::kKeyPoint) continue;
    auto& count = items[i].kind == ItemKind::kDecision ? score.decisions : score.tasks;
    ++(touches[i] ? count.repeated : count.invented);
    score.rows.push_back({items[i].kind,
                          touches[i] ? Verdict::kRepeated : Verdict::kInvented,
                          {},
                          items[i].text,
                          false,
                          false,
                          {},
                          items[i].owner,
                          {},
                          items[i].due});
  }
  std::ranges::stable_sort(score.rows, [](const auto& a, const auto& b) { return a.kind > b.kind; });
  return score;
}

std::string format_script_score(const MeetingScript& script, const ScriptScore& score) {
  static constexpr std::string_view kVerdicts[] = {"found", "MISSED", "INVENTED", "repeated"};
  std::string out = script.meeting + ": " + script.title + " (synthetic)\n";
  for (const auto& r : score.rows) {
    const bool task = r.kind == ItemKind::kActionItem;
    out += "  " + pad(task ? "task" : "decision", 9) + pad(std::string(kVerdicts[static_cast<std::size_t>(r.verdict)]), 9);
    out += r.gold.empty() ? r.item : r.gold;
    if (!r.gold.empty() && !r.item.empty()) out += "  <-  " + r.item;
    if (task && r.verdict == Verdict::kFound) {
      out += "  [owner " + r.owner.value_or("-") + (r.owner_right ? " right" : " WRONG, is " + r.gold_owner.value_or("-"));
      out += ", due " + r.due.value_or("-") + (r.due_right ? " right" : " WRONG, is " + r.gold_due.value_or("-")) + "]";
    }
    out += '\n';
  }
  const auto count = [](const ScriptScore::Count& c) {
    return std::to_string(c.found) + " of " + std::to_string(c.gold) + " found, " + std::to_string(c.missed) + " missed, " +
           std::to_string(c.invented) + " invented, " + std::to_string(c.repeated) + " repeated";
  };
  out += "  decisions: " + count(score.decisions) + "\n  tasks: " + count(score.tasks) + "; owners right " +
         std::to_string(score.owners_right) + ", due dates right " + std::to_string(score.dues_right) + " of " +
         std::to_string(score.tasks.found) + "\n";
  return out;
}

}  // namespace hansard
