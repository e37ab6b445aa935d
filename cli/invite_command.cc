#include "cli/invite_command.h"

#include <iostream>

#include "cli/json_lines.h"
#include "core/base/json.h"
#include "core/calendar/invite.h"

namespace hansard::cli {
namespace {

constexpr std::string_view kUsage =
    "Usage: hansard invite [FILE|-]\n"
    "\n"
    "Finds the meeting to join in the texts of invitations. Reads JSON Lines {\"id\",\"text\",\"html\",\"config\"?} (html: true\n"
    "when text is HTML) and writes {\"id\",\"platform\",\"meeting_id\",\"passcode\",\"url\"}, or {\"id\",\"platform\":null} when "
    "there\n"
    "is nothing to join. config may hold jitsi_hosts, zoom_hosts, webex_hosts and generic_hosts, each a list of host names.\n";

Json answer(const Json& question) {
  const calendar::InviteConfig config = calendar::invite_config(question["config"]);
  const std::string text = question.text_or("text");
  calendar::InviteLink link = calendar::find_invite(text, question.bool_or("html", false), config);
  // Tolerated: "html" as a second body.
  if (question["html"].is_string()) {
    calendar::InviteLink other = calendar::find_invite(question.text_or("html"), true, config);
    if (!link || (!link.url && other.url)) link = std::move(other);
  }
  Json out = Json::object();
  out.set("id", question["id"]);
  const Json found = calendar::invite_json(link);
  for (const auto& [name, value] : found.members()) out.set(name, value);
  return out;
}

}  // namespace

int cmd_invite(std::span<const std::string> args) {
  if (!args.empty() && (args[0] == "--help" || args[0] == "-h")) {
    std::cout << kUsage;
    return 0;
  }
  const std::string file = args.empty() ? "-" : args[0];
  if (args.size() > 1 || (file.size() > 1 && file.front() == '-')) {
    std::cerr << "hansard invite: give one file of JSON Lines, or - for standard input (see hansard invite --help)\n";
    return 2;
  }
  return answer_json_lines("invite", file, "{\"id\",\"text\",\"html\"}", answer);
}

}  // namespace hansard::cli
