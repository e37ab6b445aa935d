#include "daemon/status_view.h"

#include <unistd.h>

namespace hansard {
namespace {

Json recognizer(const SpeechProcess& speech) {
  Json out = Json::object();
  out.set("ready", speech.ready())
      .set("model", speech.model())
      .set("detail", speech.unavailable())
      .set("pid", std::int64_t{speech.pid()});
  return out;
}

Json meetings(const StatusParts& parts) {
  Json out = Json::array();
  const auto pids = parts.media.pids();
  const auto health = parts.executor.health();
  parts.engine.for_each([&](const std::string& id, const flow::State& state) {
    const auto* m = std::get_if<flow::MeetingState>(&state);
    if (m == nullptr) return;
    Json one = Json::object();
    one.set("id", id).set("state", enum_name(m->state)).set("title", m->spec.title).set("start", format_rfc3339(m->spec.start));
    if (const auto pid = pids.find(id); pid != pids.end()) one.set("media_pid", std::int64_t{pid->second});
    if (const auto h = health.find(id); h != health.end()) {
      one.set("behind_ms", h->second.behind.ms).set("behind", h->second.far_behind).set("audio_kept", !h->second.unwritable);
    }
    if (!m->note.empty()) one.set("note", m->note);
    out.push(std::move(one));
  });
  return out;
}

}  // namespace

Json status_view(const StatusParts& parts) {
  Json out = Json::object();
  out.set("version", HANSARD_VERSION)
      .set("pid", std::int64_t{::getpid()})
      .set("since", format_rfc3339(parts.started))
      .set("data_dir", parts.config.data_dir)
      .set("output_dir", parts.config.output_dir)
      .set("recognizer", recognizer(parts.speech))
      .set("calendars", parts.calendars.status())
      .set("meetings", meetings(parts))
      .set("viewers", std::int64_t(parts.hub.viewers()))
      .set("last_seq", parts.hub.last_seq())
      .set("encrypted_at_rest", false);
  if (parts.store_failing) out.set("store", "failing: the disk may be full");
  if (parts.stopping.asked()) out.set("stopping", parts.stopping.status());
  return out;
}

}  // namespace hansard
