#include "cli/live_view.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "cli/printable.h"
#include "core/base/text.h"

namespace hansard::cli {
namespace {

constexpr const char* kGrey = "\x1b[90m";
constexpr const char* kBold = "\x1b[1m";
constexpr const char* kReset = "\x1b[0m";
constexpr const char* kColours[] = {"\x1b[36m", "\x1b[33m", "\x1b[35m", "\x1b[32m", "\x1b[34m", "\x1b[31m"};

bool is_terminal(std::FILE* out) { return ::isatty(::fileno(out)) == 1; }

std::size_t columns(std::FILE* out) {
  winsize size{};
  return ::ioctl(::fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

/// The last `n` characters.
std::string tail(const std::string& text, std::size_t n) {
  std::size_t count = 0;
  for (std::size_t i = text.size(); i > 0; --i) {
    if ((static_cast<unsigned char>(text[i - 1]) & 0xC0) == 0x80) continue;
    if (++count > n) return "..." + text.substr(text.find_first_of(" ", i) == std::string::npos ? i : text.find_first_of(" ", i));
  }
  return text;
}

std::string paint(bool on, const char* colour, const std::string& text) { return on ? colour + text + kReset : text; }

std::string speaker_text(bool colour, const std::string& speaker) {
  const std::string name = printable(speaker);
  std::size_t h = 0;
  for (const char c : name) h = h * 31 + static_cast<unsigned char>(c);
  return colour ? std::string(kColours[h % std::size(kColours)]) + name + kReset : name;
}

std::string item_text(const Json& item) {
  std::string out = printable(item.text_or("text"));
  std::string about = printable(item.text_or("owner"));
  if (!item.text_or("due").empty()) about += (about.empty() ? "due " : ", due ") + printable(item.text_or("due"));
  if (!about.empty()) out += " (" + about + ")";
  return out;
}

void print_items(std::FILE* out, const Json& meeting, const char* title, const char* kind) {
  bool any = false;
  for (const Json& item : meeting["items"].items()) {
    if (item.text_or("kind") != kind) continue;
    if (!any) std::fprintf(out, "\n%s\n", title);
    any = true;
    std::fprintf(out, "  - %s\n      \"%s\"\n", item_text(item).c_str(), printable(item.text_or("quote")).c_str());
  }
  if (!any) std::fprintf(out, "\n%s\n  none found\n", title);
}

void print_coverage(std::FILE* out, const Json& meeting) {
  std::map<std::string, std::string> names;
  for (const Json& p : meeting["participants"].items()) names[p.text_or("id")] = p.text_or("name");
  if (meeting["coverage"].items().empty()) return;
  std::fputs("\nCoverage\n", out);
  for (const Json& c : meeting["coverage"].items()) {
    std::string text;
    for (const auto& [state, ms] : c["totals_ms"].members()) {
      const std::int64_t n = ms.as_int().value_or(0);
      if (n > 0)
        text += (text.empty() ? "" : ", ") + state + " " + std::to_string(n / 1000) + "." + std::to_string(n % 1000 / 100) + " s";
    }
    const std::string id = c.text_or("participant");
    std::fprintf(out, "  %s: %s\n", printable(names[id].empty() ? id : names[id]).c_str(), text.c_str());
    for (const Json& i : c["intervals"].items()) {
      if (i.text_or("state") != "lost") continue;
      std::fprintf(out, "      lost from %s to %s: %s\n", clock_text(i.int_or("start_ms", 0)).c_str(),
                   clock_text(i.int_or("end_ms", 0)).c_str(), printable(i.text_or("reason")).c_str());
    }
  }
}

}  // namespace

std::string clock_text(std::int64_t ms) {
  const std::int64_t s = std::max<std::int64_t>(ms, 0) / 1000;
  char text[32];
  if (s >= 3600) {
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", static_cast<long long>(s / 3600), static_cast<long long>(s / 60 % 60),
                  static_cast<long long>(s % 60));
  } else {
    std::snprintf(text, sizeof text, "%02lld:%02lld", static_cast<long long>(s / 60), static_cast<long long>(s % 60));
  }
  return text;
}

LiveView::LiveView(std::FILE* out, std::string only) : out_(out), only_(std::move(only)), terminal_(is_terminal(out)) {}

std::string LiveView::state_of(const std::string& meeting) const {
  const auto it = states_.find(meeting);
  return it == states_.end() ? "" : it->second;
}

void LiveView::clear_partial() {
  if (partial_shown_) std::fputs("\r\x1b[K", out_);
  partial_shown_ = false;
}

void LiveView::line(const std::string& text) {
  clear_partial();
  std::fprintf(out_, "%s\n", text.c_str());
  std::fflush(out_);
}

void LiveView::heading(const std::string& meeting) {
  if (current_ == meeting) return;
  current_ = meeting;
  line("\n" + paint(terminal_, kBold, printable(titles_[meeting])));
}

void LiveView::on_state(const Json& body) {
  const std::string id = body.text_or("meeting");
  const std::string state = body.text_or("state");
  titles_[id] = body.text_or("title");
  if (std::exchange(states_[id], state) == state) return;  // only its note or time has changed
  std::string text = state;
  if (const std::string note = printable(body.text_or("note")); !note.empty() && note != state) text += ": " + note;
  if (!body.text_or("code").empty()) text += " [" + body.text_or("code") + "]";
  const bool before = state == "scheduled" || state == "validating" || state == "preparing" || state == "cancelled";
  if (before && current_ != id) return line(paint(terminal_, kGrey, "  . " + printable(titles_[id]) + ": " + text));
  heading(id);
  line(paint(terminal_, kGrey, "  . " + text));
}

void LiveView::event(const std::string& kind, const Json& body) {
  const std::string meeting = body.text_or("meeting");
  if (!only_.empty() && meeting != only_) return;
  if (kind == "meeting.state") return on_state(body);
  if (kind == "utterance.partial") {
    if (!terminal_) return;
    clear_partial();
    const std::string name = printable(body.text_or("speaker"));
    const std::size_t room = columns(out_) - std::min(columns(out_) - 20, name.size() + 16);
    std::fprintf(out_, "%s  %s  %s: %s%s", kGrey, clock_text(body.int_or("start_ms", 0)).c_str(), name.c_str(),
                 tail(printable(body.text_or("text")), room).c_str(), kReset);
    std::fflush(out_);
    partial_shown_ = true;
  } else if (kind == "utterance.final") {
    heading(meeting);
    const Json& u = body["utterance"];
    line("  " + clock_text(u.int_or("start_ms", 0)) + "  " + speaker_text(terminal_, u.text_or("speaker")) + ": " +
         printable(u.text_or("text")));
  } else if (kind == "participant") {
    heading(meeting);
    line(paint(terminal_, kGrey,
               "  . " + printable(body.text_or("name")) + (body.bool_or("present", true) ? " is there" : " has left")));
  } else if (kind == "analysis.item") {
    const Json& item = body["change"]["item"];
    if (item.text_or("kind") == "key_point") return;
    heading(meeting);
    const bool withdrawn = body["change"].text_or("change") == "withdrawn";
    const std::string what = item.text_or("kind") == "decision" ? "decision" : "task";
    std::string& shown = items_[meeting + "\n" + item.text_or("id")];
    const std::string text = item_text(item);
    if (!withdrawn && shown == text) return;
    shown = withdrawn ? "" : text;
    line(paint(terminal_, kBold, std::string(withdrawn ? "  - no longer a " : "  + ") + what + ": " + text));
  }
}

void print_meeting(std::FILE* out, const Json& meeting, bool transcript) {
  std::fprintf(out, "\n%s\n  %s, %s to %s\n", printable(meeting.text_or("title")).c_str(), meeting.text_or("state").c_str(),
               meeting.text_or("start").c_str(), meeting.text_or("end").c_str());
  if (!meeting.text_or("code").empty())
    std::fprintf(out, "  %s: %s\n", meeting.text_or("code").c_str(), meeting.text_or("advice").c_str());
  if (!meeting.text_or("note").empty()) std::fprintf(out, "  %s\n", printable(meeting.text_or("note")).c_str());
  if (transcript) {
    std::fputs("\nTranscript\n", out);
    for (const Json& u : meeting["utterances"].items()) {
      std::fprintf(out, "  %s  %s: %s\n", clock_text(u.int_or("start_ms", 0)).c_str(), printable(u.text_or("speaker")).c_str(),
                   printable(u.text_or("text")).c_str());
    }
  }
  print_items(out, meeting, "Decisions", "decision");
  print_items(out, meeting, "Action items", "action_item");
  if (!meeting.text_or("summary").empty()) {
    std::fputs("\nSummary\n", out);
    const std::string summary = meeting.text_or("summary");
    for (const auto line : split(summary, '\n')) {
      if (!trim(line).empty()) std::fprintf(out, "  %s\n", printable(line).c_str());
    }
  }
  print_coverage(out, meeting);
  if (!meeting["files"].items().empty()) std::fputs("\nFiles\n", out);
  for (const Json& f : meeting["files"].items()) std::fprintf(out, "  %s\n", f.as_string().value_or("").c_str());
  std::fflush(out);
}

}  // namespace hansard::cli
