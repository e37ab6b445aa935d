#pragma once
// For tests of calendar sources: a conversation in which the test plays the server.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/calendar/sources/source.h"

namespace hansard::calendar::testing {

inline HttpResponse answer(int status, std::string body = "{}", HttpHeaders headers = {}) {
  return {status, std::move(headers), std::move(body)};
}

/// A calendar with one event, whose title is its UID.
inline std::string event_file(const std::string& uid, const std::string& start = "20251009T120000Z",
                              const std::string& more = "") {
  return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:" + uid + "\r\nDTSTART:" + start + "\r\nSUMMARY:" + uid + "\r\n" +
         more + "END:VEVENT\r\nEND:VCALENDAR\r\n";
}

/// One source and what it says to each scripted answer.
template <class Source>
struct Conversation {
  Conversation(Connection connection, const SourceEnvironment& environment)
      : source(std::make_unique<Source>(std::move(connection), environment)) {}
  const HttpRequest& begin(Instant at, const std::string& entropy) {
    now = at;
    action = source->begin({now, now + hours(24)}, now, entropy);
    return request();
  }
  const HttpRequest& reply(const Result<HttpResponse>& response) {
    action = source->reply(response, now);
    return request();
  }
  /// The request that is waiting, or an empty one.
  const HttpRequest& request() const {
    static const HttpRequest none{"", "", {}, "", {}, 0, false};
    const auto* send = std::get_if<SendRequest>(&action);
    return send != nullptr ? send->request : none;
  }
  bool done() const { return std::holds_alternative<SyncDone>(action); }
  SyncFailed failure() const {
    const auto* f = std::get_if<SyncFailed>(&action);
    return f != nullptr ? *f : SyncFailed{"it did not fail"};
  }
  /// "done", "goes on", or why it failed.
  std::string why() const {
    const auto* f = std::get_if<SyncFailed>(&action);
    return f != nullptr ? f->detail : done() ? "done" : "goes on";
  }
  std::vector<std::string> titles() const {
    std::vector<std::string> out;
    for (const VEvent& e : source->documents()[0]->events) out.push_back(e.summary);
    return out;
  }

  std::unique_ptr<Source> source;
  SourceAction action = SyncDone{};
  Instant now;
};
using Titles = std::vector<std::string>;

}  // namespace hansard::calendar::testing
