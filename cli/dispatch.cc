#include <algorithm>
#include <cstdio>
#include <string_view>
#include <vector>

#include "cli/args.h"
#include "cli/commands.h"
#if __has_include("cli/transcribe_command.h")
#include "cli/transcribe_command.h"
#define HAS_TRANSCRIBE 1
#endif
#if __has_include("cli/analyze_command.h")
#include "cli/analyze_command.h"
#define HAS_ANALYZE 1
#endif
#if __has_include("cli/invite_command.h")
#include "cli/invite_command.h"
#define HAS_INVITE 1
#endif
#if __has_include("cli/calendar_commands.h")
#include "cli/calendar_commands.h"
#define HAS_CALENDAR 1
#endif

namespace hansard::cli {
namespace {

struct Command {
  std::string_view name;
  std::string_view usage;
  std::string_view summary;
  std::string_view details;
  int (*run)(std::span<const std::string>);
  bool hidden = false;
};

// clang-format off: help texts are broken where the terminal breaks them
constexpr Command kCommands[] = {
    {"serve", "serve [--config FILE] [--port PORT]", "run the daemon: watch calendars, attend meetings, serve the page",
     "Prints the address of its page and runs until it is interrupted. Logs go to standard error, one JSON object a line.", &cmd_serve},
    {"demo", "demo [--dir DIR] [--port PORT] [--exit]", "see the whole flow with two meetings on this machine",
     "Starts a daemon of its own, a room and speakers, and shows both meetings live. With --exit it ends when both minutes are\n"
     "written; otherwise it stays up until Ctrl-C. Needs no network. DIR keeps everything it makes.", &cmd_demo},
    {"join", "join URL [--title TEXT] [--token TOKEN] [--config FILE]", "attend one meeting now and show it live",
     "URL is a room (http://host/rooms/NAME) or a WHEP address. A running daemon is asked; without one the meeting is attended\n"
     "by this command itself until it is over. Ctrl-C leaves the meeting and writes its minutes.", &cmd_join},
    {"stop", "stop ID | --finish | --leave | --now [--config FILE]", "leave a meeting and write its minutes, or end the daemon",
     "ID is shown by `hansard meetings list`. The daemon ends with --finish when the meetings that run are over, with --leave after\n"
     "leaving them; it joins nothing new meanwhile, and after drain_limit hands over what is left. With --now it hands over at once:\n"
     "the next daemon, of this or a newer version, takes the meetings up again. This command then waits until it has ended.", &cmd_stop},
    {"status", "status [--json] [--config FILE]", "say what the daemon does and where its page is", "", &cmd_status},
    {"meetings", "meetings list|show ID [--json] [--config FILE]", "list meetings, or show one with its transcript and items",
     "Reads the daemon; without one, the stored meetings.", &cmd_meetings},
    {"tasks", "tasks list|retry KEY|discard KEY [--json] [--config FILE]", "show tasks on their way, and decide about those that failed",
     "A task that a sink refused, or of which nobody knows whether it arrived, is not sent again by itself: look there, then retry\n"
     "or discard it. Without a task sink in the configuration tasks are held here.", &cmd_tasks},
    {"doctor", "doctor [--json] [--config FILE]", "say what is missing and how to get it", "", &cmd_doctor},
    {"backup", "backup FILE|DIR [--config FILE]", "copy everything that cannot be made again into one file",
     "A daemon may go on meanwhile. The file is a tar of the store, audio that still waits for a recognizer, minutes, secrets and\n"
     "the configuration. It is written whole or not at all and read back. It is not encrypted: keep it where only you can read it.", &cmd_backup},
    {"restore", "restore BACKUP [--force] [--config FILE]", "put a backup in the place of the data directory",
     "Everything is verified first; then one rename puts it in place. No daemon may run. With --force a data directory that holds\n"
     "something is kept aside under another name, which is printed.", &cmd_restore},
    {"check", "check [BACKUP] [--json] [--config FILE]", "say whether the stored data, or a backup, is sound",
     "Reads all of the store, its audit log and the waiting audio and changes nothing; a daemon may run. Each fault is a line, without\n"
     "content of meetings. Ends with 0 when all is sound, else with 1. With BACKUP that file is verified instead.", &cmd_check},
    {"audit", "audit head | verify [--anchor SEQ:HASH | --anchor-file FILE] | list [--after SEQ] [--limit N] [--json|--jsonl] [--config FILE]",
     "show what people and the daemon did, and whether that log is whole",
     "Each row of the log is bound to the one before by a hash. `verify` computes all of them again and names the first bad row. A chain\n"
     "alone does not show that its end was cut off or written anew: keep what `head` prints where this machine cannot change it, and\n"
     "give it to `verify` as an anchor; [audit] in the configuration does that at an interval. `list` shows the newest 50 rows, or\n"
     "those after SEQ. A daemon may run. docs/audit.md has what is recorded, the encoding and what it proves.", &cmd_audit},
    {"config", "config check|show [--config FILE]", "check the configuration, or show what is in force", "", &cmd_config},
#ifdef HAS_TRANSCRIBE
    {"transcribe", "transcribe AUDIO... [--language L] [--format json|vtt|srt|md|txt] [-o FILE] [--jsonl]", "turn audio or video files into text",
     "", &cmd_transcribe},
#endif
#ifdef HAS_ANALYZE
    {"analyze", "analyze [FILE|-]", "find action items and decisions in transcripts (JSON Lines)", "", &cmd_analyze},
#endif
#ifdef HAS_INVITE
    {"invite", "invite [FILE|-]", "find the join link in invitations (JSON Lines)", "", &cmd_invite},
#endif
#ifdef HAS_CALENDAR
    {"calendar", "calendar connect KIND ... | list | sync [ID] | plan | disconnect ID | expand FILE.ics --from T --to T | rrule [FILE|-]",
     "connect calendars, and see what will be attended and why", "`hansard calendar help` describes each of them.", &cmd_calendar},
#endif
    {"room", "room [--listen ADDRESS:PORT] [--lobby]", "open a WebRTC room that people and programs can join", "", &cmd_room},
    {"lifecycle", "lifecycle", "print the states of a meeting as a Mermaid diagram", "", &cmd_lifecycle},
    {"child", "child media|speech ...", "", "", &cmd_child, true},
};
// clang-format on

const Command* find_command(std::string_view name) {
  const auto it = std::find_if(std::begin(kCommands), std::end(kCommands), [&](const Command& c) { return c.name == name; });
  return it == std::end(kCommands) ? nullptr : it;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0u : 1u)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

void print_overview(std::FILE* out) {
  std::fputs("hansard: attends meetings, writes transcripts, finds action items and decisions\n\nusage: hansard COMMAND ...\n\n",
             out);
  for (const Command& c : kCommands) {
    if (!c.hidden)
      std::fprintf(out, "  %-11.*s %.*s\n", static_cast<int>(c.name.size()), c.name.data(), static_cast<int>(c.summary.size()),
                   c.summary.data());
  }
  std::fputs("\n`hansard help COMMAND` says more. Start with `hansard demo`.\n", out);
}

int print_help(const Command& c) {
  std::printf("usage: hansard %.*s\n", static_cast<int>(c.usage.size()), c.usage.data());
  if (!c.summary.empty()) std::printf("\n%.*s\n", static_cast<int>(c.summary.size()), c.summary.data());
  if (!c.details.empty()) std::printf("%.*s\n", static_cast<int>(c.details.size()), c.details.data());
  return kOk;
}

int unknown(const std::string& name) {
  const Command* nearest = nullptr;
  std::size_t best = 3;
  for (const Command& c : kCommands) {
    const std::size_t d = edit_distance(name, c.name);
    if (!c.hidden && d < best) {
      best = d;
      nearest = &c;
    }
  }
  return wrong_use("unknown command '" + name + "'" +
                   (nearest != nullptr ? "; did you mean '" + std::string(nearest->name) + "'?" : ""));
}

}  // namespace

int run(std::span<const std::string> args) {
  if (args.empty()) {
    print_overview(stderr);
    return kWrongUse;
  }
  const std::string& name = args[0];
  if (name == "--version" || name == "version") {
    std::printf("hansard %s\n", HANSARD_VERSION);
    return kOk;
  }
  if (name == "help" || name == "--help" || name == "-h") {
    if (args.size() == 1) {
      print_overview(stdout);
      return kOk;
    }
    const Command* c = find_command(args[1]);
    return c != nullptr ? print_help(*c) : unknown(args[1]);
  }
  const Command* command = find_command(name);
  if (command == nullptr) return unknown(name);
  const auto rest = args.subspan(1);
  if (!command->hidden && std::any_of(rest.begin(), rest.end(), [](const std::string& a) { return a == "--help" || a == "-h"; }))
    return print_help(*command);
  return command->run(rest);
}

}  // namespace hansard::cli
