#include "core/calendar/sources/source.h"

#include "core/calendar/sources/caldav_source.h"
#include "core/calendar/sources/feed_source.h"
#include "core/calendar/sources/google_source.h"
#include "core/calendar/sources/graph_source.h"

namespace hansard::calendar {

SourceAction Source::signature(const Result<std::string>&, Instant) {
  return SyncFailed{"a signature came that nobody asked for"};
}

PushAnswer Source::push(const PushRequest&, Instant) { return {}; }

Result<std::unique_ptr<Source>> make_source(Connection connection, const SourceEnvironment& environment) {
  if (connection.kind == "caldav") return std::make_unique<CalDavSource>(std::move(connection));
  if (connection.kind == "ics") return std::make_unique<FeedSource>(std::move(connection));
  if (connection.kind == "google") return std::make_unique<GoogleSource>(std::move(connection), environment);
  if (connection.kind == "microsoft") return std::make_unique<GraphSource>(std::move(connection), environment);
  return fail(ErrorClass::kInvalid, "calendar", "there is no calendar kind '" + connection.kind + "'");
}

}  // namespace hansard::calendar
