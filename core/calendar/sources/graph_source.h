#pragma once
// A mailbox of Microsoft 365 or Outlook.com, read with calendarView/delta of Microsoft Graph v1.0.
#include <string>
#include <string_view>

#include "core/calendar/sources/graph_calendar.h"
#include "core/calendar/sources/graph_subscription.h"
#include "core/calendar/sources/oauth.h"
#include "core/calendar/sources/source.h"

namespace hansard::calendar {

/// "{login_root}{tenant}/oauth2/v2.0/{endpoint}"; endpoint: "token", "authorize", "devicecode".
std::string microsoft_oauth_url(const MicrosoftEndpoints& endpoints, std::string_view tenant, std::string_view endpoint);
/// Scheme, host and port of a URL, without a slash at the end; empty when it has none.
std::string_view url_origin(std::string_view url);
/// What a person is asked to grant: reading calendars and their own profile, and staying signed in.
std::string microsoft_user_scope(const MicrosoftEndpoints& endpoints);
/// What an application asks for with its own credentials.
std::string microsoft_app_scope(const MicrosoftEndpoints& endpoints);

class GraphSource final : public Source {
 public:
  GraphSource(Connection connection, const SourceEnvironment& environment);
  GraphSource(const GraphSource&) = delete;
  GraphSource& operator=(const GraphSource&) = delete;

  SourceAction begin(const SyncWindow& window, Instant now, std::string_view entropy) override;
  SourceAction reply(const Result<HttpResponse>& response, Instant now) override;
  SourceAction signature(const Result<std::string>& signature, Instant now) override;
  std::vector<const Calendar*> documents() const override { return {&calendar_.calendar()}; }
  const Connection& connection() const override { return connection_; }
  PushAnswer push(const PushRequest& request, Instant now) override { return subscription_.push(request, now); }
  std::vector<std::string> problems() const override;

 private:
  enum class Step { kIdle, kToken, kSubscription, kPage, kMaster };
  /// One round of calendarView/delta. It is kept when a sync fails in its middle, and the next sync goes on with it.
  struct Round {
    bool running = false;
    bool whole = true;
    SyncWindow window{};
    Instant began{};
    Instant touched{};    ///< when it last came on
    std::string link{};   ///< of the next page
    std::string delta{};  ///< of the next round, once it was told
    int pages = 0;
  };

  SourceAction proceed(Instant now);
  void choose_round(Instant now);
  void begin_whole(Instant now);
  SourceAction send(Step step, HttpRequest request, Instant now);
  SourceAction send_waiting();
  SourceAction ask_token(Instant now);
  SourceAction page(const HttpResponse& response, Instant now);
  SourceAction after_pages(Instant now);
  SourceAction restart(const HttpResponse& response, Instant now);
  SourceAction refused(const HttpResponse& response, Instant now);
  SourceAction failed(SyncFailed failure, bool drop_round);
  bool is_own(std::string_view link) const;
  std::string first_link(const SyncWindow& window) const;

  const MicrosoftEndpoints endpoints_;
  Connection connection_;
  Grant grant_;
  GraphSubscription subscription_;
  GraphCalendar calendar_;

  // What was read last.
  std::string delta_;
  SyncWindow window_{};
  Instant window_made_{};
  bool whole_wanted_ = true;

  // This sync.
  SyncWindow asked_{};
  std::string entropy_;
  Step step_ = Step::kIdle;
  HttpRequest waiting_;  ///< sent again after the token was renewed
  Step waiting_step_ = Step::kIdle;
  bool master_waiting_ = false;  ///< `waiting_` asks for a master of the round and was not answered
  bool token_refused_ = false;   ///< once in this sync already
  int restarts_ = 0;
  int subscription_requests_ = 0;
  int requests_ = 0;
  Round round_;
};

}  // namespace hansard::calendar
