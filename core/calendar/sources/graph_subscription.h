#pragma once
// Microsoft Graph's change notifications for one mailbox: a subscription that is made, renewed at half its life and made
// anew when it is gone, and what arrives at our address. Only a hint to read the calendar earlier: nothing here fails a sync.
#include <optional>
#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/calendar/sources/source.h"

namespace hansard::calendar {

class GraphSubscription {
 public:
  /// `connection` must outlive this; its channel and old_channel are kept up to date. channel.resource is the address that
  /// was subscribed. `push_url` as in SourceEnvironment. `mailbox`: "me" or "users/ID".
  GraphSubscription(Connection& connection, const std::string& push_url, std::string mailbox);

  /// What is to be sent now, with `url` relative to the service's root; nothing when all is well or when it is too early to
  /// try again. `entropy`: 32 random bytes.
  std::optional<HttpRequest> next(Instant now, std::string_view entropy);
  /// The answer to it.
  void reply(const Result<HttpResponse>& response, Instant now);

  PushAnswer push(const PushRequest& request, Instant now);
  /// True once after Microsoft said that notifications were lost.
  bool take_missed();
  /// One sentence for a person, or empty.
  const std::string& problem() const { return problem_; }

 private:
  enum class Step { kNone, kCreate, kRenew, kRemove };

  void granted(const Json& answer, Instant now);
  void refused(const Result<HttpResponse>& response, Instant now);
  bool is_ours(std::string_view client_state) const;
  bool lifecycle(const Json& item, const std::string& event, Instant now);

  Connection& connection_;
  std::string address_;
  std::string mailbox_;
  Step step_ = Step::kNone;
  std::string waiting_token_;  ///< clientState of a subscription that is being made: its notifications can come first
  Instant asked_expiry_;
  Instant renew_at_;
  Instant retry_at_;
  bool missed_ = false;
  std::string problem_;
};

}  // namespace hansard::calendar
