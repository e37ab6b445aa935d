#pragma once
// For tests of the Microsoft source: a connection, answers of Graph, and a conversation.
#include "core/base/encoding.h"
#include "core/base/json.h"
#include "core/calendar/sources/graph_source.h"
#include "core/calendar/sources/talk_testing.h"

namespace hansard::calendar::graph_testing {
using testing::answer;
using testing::Titles;

inline constexpr const char* kRoot = "https://graph.microsoft.com/v1.0/";
inline const Instant kNow = parse_rfc3339("2025-03-04T08:00:00Z").value();

inline Connection user(Duration token_life = hours(1)) {
  Connection c;
  c.id = "work";
  c.kind = "microsoft";
  c.account = "me@example.org";
  c.calendar = "me";
  c.credentials.grant = "user";
  c.credentials.client_id = "client";
  c.credentials.tenant = "common";
  c.credentials.refresh_token = "R0";
  c.credentials.access_token = "A0";
  c.credentials.expires = kNow + token_life;
  return c;
}

inline HttpResponse error(int status, const char* code, HttpHeaders headers = {}) {
  return answer(status, std::string(R"({"error":{"code":")") + code + R"(","message":"m"}})", std::move(headers));
}
inline std::string event(const std::string& id, const std::string& subject = "Plan") {
  return R"({"id":")" + id + R"(","iCalUId":"u-)" + id + R"(","type":"singleInstance","subject":")" + subject +
         R"(","start":{"dateTime":"2025-03-04T09:00:00.0000000","timeZone":"UTC"},"end":{"dateTime":"2025-03-04T10:00:00.0000000","timeZone":"UTC"}})";
}
inline HttpResponse last_page(const std::string& events, const std::string& token = "d1") {
  return answer(
      200, R"({"value":[)" + events + R"(],"@odata.deltaLink":")" + kRoot + "me/calendarView/delta?$deltatoken=" + token + "\"}");
}
inline HttpResponse page(const std::string& events,
                         const std::string& link = std::string(kRoot) + "me/calendarView/delta?$skiptoken=s") {
  return answer(200, R"({"value":[)" + events + R"(],"@odata.nextLink":")" + link + "\"}");
}

struct Talk : testing::Conversation<GraphSource> {
  explicit Talk(Connection connection, std::string push_url = {})
      : Conversation(std::move(connection), environment_of(std::move(push_url))) {}
  const HttpRequest& begin(Instant at = kNow) { return Conversation::begin(at, std::string(32, '\x5a')); }

 private:
  static SourceEnvironment environment_of(std::string push_url) {
    SourceEnvironment out;
    out.push_url = std::move(push_url);
    return out;
  }
};

}  // namespace hansard::calendar::graph_testing
