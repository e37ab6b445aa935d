#pragma once
// A calendar of Google, read with events.list and sync tokens of Calendar API v3 (guide "Synchronize resources
// efficiently"): the series themselves are listed, and expanded here.
#include <string>
#include <vector>

#include "core/calendar/sources/google_calendar.h"
#include "core/calendar/sources/google_channel.h"
#include "core/calendar/sources/oauth.h"
#include "core/calendar/sources/source.h"

namespace hansard::calendar {

/// The smallest scope that lists and watches events of all calendars.
inline constexpr std::string_view kGoogleEventsScope = "https://www.googleapis.com/auth/calendar.events.readonly";
/// Says whose calendar it is.
inline constexpr std::string_view kGoogleCalendarListScope = "https://www.googleapis.com/auth/calendar.calendarlist.readonly";

class GoogleSource final : public Source {
 public:
  GoogleSource(Connection connection, const SourceEnvironment& environment);
  GoogleSource(const GoogleSource&) = delete;
  GoogleSource& operator=(const GoogleSource&) = delete;

  SourceAction begin(const SyncWindow& window, Instant now, std::string_view entropy) override;
  SourceAction reply(const Result<HttpResponse>& response, Instant now) override;
  SourceAction signature(const Result<std::string>& signature, Instant now) override;
  std::vector<const Calendar*> documents() const override { return {&calendar_.calendar()}; }
  const Connection& connection() const override { return connection_; }
  PushAnswer push(const PushRequest& request, Instant now) override { return channel_.push(request, now); }
  std::vector<std::string> problems() const override;

 private:
  enum class Step { kIdle, kToken, kPage, kChannel };

  SourceAction send_page();
  SourceAction renew_token(Instant now);
  SourceAction page(const HttpResponse& response, Instant now);
  SourceAction refused(const HttpResponse& response, Instant now);
  SourceAction read_all();
  SourceAction finish_round(std::string sync_token, Instant now);
  SourceAction tend_channel(Instant now);
  SourceAction failed(SyncFailed failure);

  Connection connection_;
  Grant grant_;
  const std::string events_url_;
  GoogleChannel channel_;
  GoogleCalendar calendar_;
  ZoneCache zones_;
  std::string sync_token_;  ///< belongs to calendar_; empty: the next sync reads everything
  std::vector<std::string> read_problems_;

  // This sync.
  Step step_ = Step::kIdle;
  SyncWindow window_{};
  std::string entropy_;
  bool whole_ = true;           ///< this round reads everything
  bool resynced_ = false;       ///< the token died in this sync
  bool token_renewed_ = false;  ///< after a 401 of this sync
  std::string page_token_;
  int pages_ = 0;
  std::vector<GoogleEvent> changes_;
  std::vector<std::string> round_problems_;
};

}  // namespace hansard::calendar
