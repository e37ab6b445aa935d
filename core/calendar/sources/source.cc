#include "core/calendar/sources/source.h"

#include "core/calendar/sources/feed_source.h"

namespace hansard::calendar {

SourceAction Source::signature(const Result<std::string>&, Instant) {
  return SyncFailed{"a signature came that nobody asked for"};
}

PushAnswer Source::push(const PushRequest&, Instant) { return {}; }

Result<std::unique_ptr<Source>> make_source(Connection connection, const SourceEnvironment&) {
  if (connection.kind == "ics") return std::make_unique<FeedSource>(std::move(connection));
  return fail(ErrorClass::kInvalid, "calendar", "there is no calendar kind '" + connection.kind + "'");
}

}  // namespace hansard::calendar
