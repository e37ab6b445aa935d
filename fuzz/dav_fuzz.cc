// Answers of a CalDAV server: any bytes give a tree within its limits or an error, and what a tree says can be written and
// read again. The same bytes as every answer of a sync and of a discovery: both end, and no request leaves the origin.
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/check.h"
#include "core/calendar/sources/caldav_discovery.h"
#include "core/calendar/sources/caldav_source.h"

namespace {

using hansard::HttpResponse;
using hansard::Instant;
namespace cal = hansard::calendar;

constexpr const char* kOrigin = "https://dav.example";

void check_tree(const hansard::XmlElement& e, std::size_t depth) {
  CHECK(depth <= hansard::XmlLimits{}.max_depth);
  CHECK(!e.name.empty());
  const auto again = hansard::read_xml("<a>" + hansard::xml_escape(e.text) + "</a>");
  // Characters that XML cannot hold are read and not written.
  CHECK(again && hansard::xml_escape(again->text) == hansard::xml_escape(e.text));
  for (const auto& child : e.children) check_tree(child, depth + 1);
}

template <class Action, class Talk>
void play(Action action, Talk& talk, const HttpResponse& answer) {
  for (int n = 0; n < 200; ++n) {
    const auto* send = std::get_if<cal::SendRequest>(&action);
    if (send == nullptr) return;
    CHECK(send->request.url.starts_with(kOrigin));
    CHECK(!send->request.follow_redirects);
    action = talk(answer);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto root = hansard::read_xml(bytes)) check_tree(*root, 1);
  static_cast<void>(cal::read_multistatus(bytes));
  static_cast<void>(cal::names_precondition(bytes, "valid-sync-token"));

  const HttpResponse answer{207, {}, std::string(bytes)};
  cal::Connection connection;
  connection.calendar = std::string(kOrigin) + "/c/";
  cal::CalDavSource source(connection);
  const Instant now{1'735'689'600'000};
  auto reply = [&](const HttpResponse& r) { return source.reply(r, now); };
  for (int round = 0; round < 2; ++round) play(source.begin({now, now + hansard::hours(24)}, now, ""), reply, answer);
  for (const cal::Calendar* c : source.documents()) CHECK(c != nullptr);
  return 0;
}
