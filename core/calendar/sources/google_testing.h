#pragma once
// For tests of the Google source: a connection, answers of Google, and a conversation.
#include <gtest/gtest.h>

#include "core/base/encoding.h"
#include "core/base/json.h"
#include "core/calendar/sources/google_errors.h"
#include "core/calendar/sources/google_source.h"
#include "core/calendar/test_support.h"

namespace hansard::calendar::google_testing {

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

inline HttpResponse answer(int status, std::string body = "{}", HttpHeaders headers = {}) {
  return {status, std::move(headers), std::move(body)};
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

/// One source and what it says to each scripted answer.
struct Talk {
  explicit Talk(Connection connection = user(), std::string push_url = {}) {
    environment.push_url = std::move(push_url);
    environment.read_zone = testing::system_zone;
    source = std::make_unique<GoogleSource>(std::move(connection), environment);
  }
  const HttpRequest& begin(Instant at = kNow) {
    now = at;
    action = source->begin({now, now + hours(24)}, now, std::string(31, 'e') + static_cast<char>(at.ms / 60'000));
    return request();
  }
  const HttpRequest& reply(const Result<HttpResponse>& response) {
    action = source->reply(response, now);
    return request();
  }
  /// Empty when nothing is to be sent.
  const HttpRequest& request() const {
    static const HttpRequest none;
    const auto* send = std::get_if<SendRequest>(&action);
    return send != nullptr ? send->request : none;
  }
  bool done() const { return std::holds_alternative<SyncDone>(action); }
  SyncFailed failed() const {
    const auto* f = std::get_if<SyncFailed>(&action);
    EXPECT_NE(f, nullptr);
    return f != nullptr ? *f : SyncFailed{};
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
  std::vector<std::string> summaries() const {
    std::vector<std::string> out;
    for (const VEvent& e : source->documents()[0]->events) out.push_back(e.summary);
    return out;
  }

  SourceEnvironment environment;
  std::unique_ptr<GoogleSource> source;
  SourceAction action;
  Instant now;
};
using Names = std::vector<std::string>;

}  // namespace hansard::calendar::google_testing
