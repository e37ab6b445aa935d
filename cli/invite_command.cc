#include "cli/invite_command.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <system_error>

#include "core/base/json.h"
#include "core/base/text.h"
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

int failed(const std::string& what) {
  std::cerr << "hansard invite: " << what << "\n";
  return 1;
}

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
  std::ifstream opened;
  if (file != "-") {
    std::error_code error;
    opened.open(file, std::ios::binary);
    if (!opened || std::filesystem::is_directory(file, error)) {
      return failed("cannot read " + file + ": check the name and the permissions");
    }
  }
  std::istream& in = file == "-" ? std::cin : opened;
  std::string line;
  for (std::int64_t number = 1; std::getline(in, line); ++number) {
    if (trim(line).empty()) continue;
    const auto question = Json::parse(line);
    if (!question || !question->is_object()) {
      return failed("line " + std::to_string(number) + " is no JSON object: write {\"id\",\"text\",\"html\"} on each line");
    }
    std::cout << answer(*question).dump() << "\n";
  }
  std::cout << std::flush;
  return std::cout ? 0 : failed("cannot write the output");
}

}  // namespace hansard::cli
