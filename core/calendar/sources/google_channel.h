#pragma once
// Push channels of Google Calendar (guide "Push notifications"): a hint that something has changed, never more.
#include <optional>
#include <string>

#include "core/calendar/sources/source.h"

namespace hansard::calendar {

class GoogleChannel {
 public:
  /// `connection` must outlive this.
  GoogleChannel(Connection& connection, std::string events_url, const SourceEnvironment& environment);

  /// Once at the beginning of every sync.
  void begin() { stop_tried_ = watch_tried_ = false; }
  /// What is to be sent after a sync, without its Authorization: a channel to make or renew, an old one to stop. Nothing
  /// when all is well.
  std::optional<HttpRequest> next(Instant now, std::string_view entropy);
  /// The answer to it. A refusal becomes problem(), never a failed sync.
  void reply(const Result<HttpResponse>& response, Instant now);

  /// Channel id and token are compared in constant time. A scan for everything but "sync".
  PushAnswer push(const PushRequest& request, Instant now) const;
  const std::string& problem() const { return problem_; }

 private:
  HttpRequest watch(std::string_view entropy);
  HttpRequest stop(const PushChannel& channel);
  void watched(const Result<HttpResponse>& response, Instant now);
  void stopped(const Result<HttpResponse>& response);

  Connection& connection_;
  const std::string events_url_;
  const std::string stop_url_;
  const std::string address_;  ///< where Google is to send to; empty: polling alone
  PushChannel pending_;        ///< asked for; its first message may come before the answer
  bool waiting_ = false;       ///< pending_ waits for its answer, else a stop does
  Duration renew_before_;
  Instant next_watch_;
  bool stop_tried_ = false;   ///< in this sync
  bool watch_tried_ = false;  ///< in this sync; an old channel overlaps until the next one
  std::string problem_;
};

}  // namespace hansard::calendar
