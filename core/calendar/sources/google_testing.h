#pragma once
// For tests of the Google source: a connection, answers of Google, and a conversation.
#include "core/base/encoding.h"
#include "core/base/json.h"
#include "core/calendar/sources/google_errors.h"
#include "core/calendar/sources/google_source.h"
#include "core/calendar/sources/talk_testing.h"
#include "core/calendar/test_support.h"

namespace hansard::calendar::google_testing {
using testing::answer;
using testing::Titles;

inline const Instant kNow = testing::at("2026-03-04T08:00:00Z");
inline constexpr const char* kEvents =
    "https://www.googleapis.com/calendar/v3/calendars/team%23a%40group.calendar.google.com/events";

inline Connection user() {
  Connection c;
  c.id = "work";
  c.kind = "google";
  c.account = "me@example.org";
  c.calendar = "team#a@group.calendar.google.com";
  c.credentials.grant = "user";
  c.credentials.client_id = "client";
  c.credentials.client_secret = "not confidential";
  c.credentials.refresh_token = "R0";
  c.credentials.access_token = "A0";
  c.credentials.expires = kNow + hours(24);
  return c;
}

inline HttpResponse refusal(int status, const std::string& reason, HttpHeaders headers = {}) {
  return answer(status,
                R"({"error":{"errors":[{"domain":"global","reason":")" + reason + R"(","message":"secret words"}],"code":)" +
                    std::to_string(status) + R"(,"message":"secret words"}})",
                std::move(headers));
}
inline std::string event(const std::string& id, const std::string& summary = "Plan") {
  return R"({"id":")" + id + R"(","iCalUID":")" + id + R"(@google.com","status":"confirmed","summary":")" + summary +
         R"(","start":{"dateTime":"2026-03-04T09:00:00Z"},"end":{"dateTime":"2026-03-04T10:00:00Z"}})";
}
inline HttpResponse last_page(const std::string& items, const std::string& token = "s1") {
  return answer(200,
                R"({"kind":"calendar#events","timeZone":"UTC","items":[)" + items + R"(],"nextSyncToken":")" + token + "\"}");
}
inline HttpResponse page(const std::string& items, const std::string& token) {
  return answer(200,
                R"({"kind":"calendar#events","timeZone":"UTC","items":[)" + items + R"(],"nextPageToken":")" + token + "\"}");
}
inline HttpResponse token_answer(const std::string& access) {
  return answer(200, R"({"access_token":")" + access + R"(","expires_in":3599,"token_type":"Bearer"})");
}

struct Talk : testing::Conversation<GoogleSource> {
  explicit Talk(Connection connection = user(), std::string push_url = {})
      : Conversation(std::move(connection), environment_of(std::move(push_url))) {}
  const HttpRequest& begin(Instant at = kNow) {
    return Conversation::begin(at, std::string(31, 'e') + static_cast<char>(at.ms / 60'000));
  }
  std::string query(const std::string& name) const {
    const std::string& url = request().url;
    std::string out;
    for (std::size_t at = url.find('?'); at != std::string::npos; at = url.find('&', at + 1)) {
      const std::size_t eq = url.find('=', at);
      if (url.substr(at + 1, eq - at - 1) != name) continue;
      out += (out.empty() ? "" : ",") + percent_decode(url.substr(eq + 1, url.find('&', at + 1) - eq - 1));
    }
    return out;
  }
  std::string authorization() const { return std::string(find_header(request().headers, "authorization")); }

 private:
  static SourceEnvironment environment_of(std::string push_url) {
    SourceEnvironment out;
    out.push_url = std::move(push_url);
    out.read_zone = testing::system_zone;
    return out;
  }
};

}  // namespace hansard::calendar::google_testing
