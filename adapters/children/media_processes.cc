#include "adapters/children/media_processes.h"

#include <algorithm>

namespace hansard {

struct MediaProcesses::Session {
  std::string meeting;
  std::uint32_t epoch = 0;
  std::unique_ptr<children::Child> child;
  std::map<std::uint32_t, std::string> tracks;  ///< participant by track
  bool silent = false;                          ///< nothing about it is told any more
  bool over = false;                            ///< lost, ended, refused or left was told
  bool left = false;                            ///< left was told
  bool leaving = false;
  std::uint32_t consumed = 0;  ///< bytes of audio taken since credit was last given
  Loop::TimerId timer = 0;
};

MediaProcesses::MediaProcesses(Loop& loop, MediaProcessOptions options) : loop_(loop), options_(std::move(options)) {}

MediaProcesses::~MediaProcesses() {
  for (auto& [_, session] : sessions_) loop_.cancel(session->timer);
  for (auto& session : leaving_) loop_.cancel(session->timer);
}

MediaProcesses::Session* MediaProcesses::find(const std::string& meeting, std::uint32_t epoch) {
  const auto it = sessions_.find(meeting);
  return it != sessions_.end() && it->second->epoch == epoch ? it->second.get() : nullptr;
}

void MediaProcesses::start(const MediaJoin& join) {
  if (shutting_down_) return;
  if (const auto it = sessions_.find(join.meeting); it != sessions_.end()) {
    auto old = std::move(it->second);
    sessions_.erase(it);
    old->silent = true;
    Session& session = *old;
    leaving_.push_back(std::move(old));
    leave(session);
  }
  if (sessions_.size() >= kMaxMeetings) {
    if (options_.log) options_.log(join.meeting, "not joined: too many meetings at once", 0);
    loop_.post([this, meeting = join.meeting, epoch = join.epoch] {
      if (listener_ != nullptr)
        listener_->on_media(meeting, epoch, {.update = MediaUpdate::kLost, .reason = "too many meetings at once"});
    });
    return;
  }
  auto owned = std::make_unique<Session>();
  Session& session = *owned;
  session.meeting = join.meeting;
  session.epoch = join.epoch;
  sessions_[join.meeting] = std::move(owned);
  auto child = children::Child::start(
      loop_, options_.executable, options_.args,
      {[this, &session](ipc::Frame frame) { on_frame(session, std::move(frame)); }, [this, &session] { on_gone(session); }});
  if (!child) {
    // Told from the loop: the caller is in the middle of asking.
    loop_.post([this, meeting = join.meeting, epoch = join.epoch] {
      if (Session* s = find(meeting, epoch)) on_gone(*s);
    });
    return;
  }
  session.child = std::move(*child);
  if (options_.log) options_.log(join.meeting, "media process started", session.child->pid());
  session.child->send(ipc::ToMedia(ipc::Credit{options_.credit_bytes}));
  session.child->send(ipc::ToMedia(ipc::Join{join.meeting, join.url, join.token, join.display_name}));
}

void MediaProcesses::capture(const std::string& meeting, std::uint32_t epoch, Duration origin) {
  if (Session* s = find(meeting, epoch); s != nullptr && s->child) s->child->send(ipc::ToMedia(ipc::Capture{origin}));
}

void MediaProcesses::pause(const std::string& meeting, std::uint32_t epoch) {
  if (Session* s = find(meeting, epoch); s != nullptr && s->child) s->child->send(ipc::ToMedia(ipc::Pause{}));
}

void MediaProcesses::stop(const std::string& meeting, std::uint32_t epoch) {
  Session* s = find(meeting, epoch);
  if (s == nullptr || !s->child) {
    loop_.post([this, meeting, epoch] {
      if (listener_ != nullptr && !shutting_down_)
        listener_->on_media(meeting, epoch, {.update = MediaUpdate::kLeft, .reason = "nothing to leave"});
    });
    return;
  }
  leave(*s);
}

void MediaProcesses::leave(Session& session) {
  if (session.leaving) return;
  session.leaving = true;
  if (!session.child) {
    loop_.post([this, &session] { remove(session); });
    return;
  }
  session.child->send(ipc::ToMedia(ipc::Leave{}));
  session.timer = loop_.after(options_.leave_limit, [this, &session] {
    session.timer = 0;
    on_gone(session);
  });
}

void MediaProcesses::tell(Session& session, const MediaNews& news) {
  if (listener_ == nullptr || session.silent || session.left || shutting_down_) return;
  // After the end only the goodbye is news.
  if (session.over && news.update != MediaUpdate::kLeft) return;
  if (news.update != MediaUpdate::kWaitingRoom && news.update != MediaUpdate::kInCall) session.over = true;
  session.left = news.update == MediaUpdate::kLeft;
  listener_->on_media(session.meeting, session.epoch, news);
}

void MediaProcesses::on_gone(Session& session) {
  if (options_.log)
    options_.log(session.meeting, session.leaving ? "media process ended" : "media process died",
                 session.child ? session.child->pid() : 0);
  if (session.leaving) {
    tell(session, {.update = MediaUpdate::kLeft});
  } else {
    tell(session, {.update = MediaUpdate::kLost, .reason = "media_process"});
  }
  remove(session);
}

void MediaProcesses::remove(Session& session) {
  if (session.timer != 0) loop_.cancel(session.timer);
  // Its child may be the caller: drop it on a fresh turn.
  std::unique_ptr<Session> dead;
  if (const auto it = sessions_.find(session.meeting); it != sessions_.end() && it->second.get() == &session) {
    dead = std::move(it->second);
    sessions_.erase(it);
  } else {
    const auto old = std::find_if(leaving_.begin(), leaving_.end(), [&](const auto& s) { return s.get() == &session; });
    if (old == leaving_.end()) return;
    dead = std::move(*old);
    leaving_.erase(old);
  }
  loop_.post([dead = std::shared_ptr<Session>(std::move(dead))] {});
  if (shut_down_ && sessions_.empty() && leaving_.empty()) loop_.post(std::exchange(shut_down_, nullptr));
}

void MediaProcesses::on_frame(Session& session, ipc::Frame frame) {
  if (auto* audio = std::get_if<ipc::AudioFrame>(&frame)) {
    constexpr std::uint32_t kFrameOverhead = 18;
    session.consumed += static_cast<std::uint32_t>(2 * audio->samples.size()) + kFrameOverhead;
    const auto track = session.tracks.find(audio->track);
    if (track != session.tracks.end() && listener_ != nullptr && !session.silent) {
      listener_->on_audio(session.meeting, session.epoch, track->second, audio->start, audio->concealed, audio->samples);
    }
    if (session.consumed >= options_.credit_bytes / 8) {
      session.child->send(ipc::ToMedia(ipc::Credit{std::exchange(session.consumed, 0)}));
    }
    return;
  }
  auto message = from_json<ipc::FromMedia>(std::get<Json>(frame));
  if (message) on_message(session, std::move(*message));  // an unknown one is from a newer child: not for us
}

void MediaProcesses::on_message(Session& session, ipc::FromMedia message) {
  if (const auto* status = std::get_if<ipc::MediaStatus>(&message)) return on_status(session, *status);
  if (const auto* opened = std::get_if<ipc::TrackOpened>(&message)) {
    session.tracks[opened->track] = opened->participant;
    return;
  }
  if (listener_ == nullptr || session.silent) return;
  if (const auto* p = std::get_if<ipc::ParticipantUpdate>(&message)) {
    if (!shutting_down_) listener_->on_participant(session.meeting, session.epoch, p->id, p->name, p->present, p->bot);
  } else if (const auto* gap = std::get_if<ipc::TrackGap>(&message)) {
    const auto track = session.tracks.find(gap->track);
    if (track != session.tracks.end()) {
      listener_->on_gap(session.meeting, session.epoch, track->second, gap->start, gap->end, gap->lost, gap->reason);
    }
  }
}

void MediaProcesses::on_status(Session& session, const ipc::MediaStatus& status) {
  MediaNews news{.code = status.code, .vendor_code = status.vendor_code, .announced = status.announced};
  switch (status.state) {
    case ipc::MediaState::kJoining: return;
    case ipc::MediaState::kWaitingRoom: news.update = MediaUpdate::kWaitingRoom; break;
    case ipc::MediaState::kInCall: news.update = MediaUpdate::kInCall; break;
    case ipc::MediaState::kLost:
      news.update = MediaUpdate::kLost;
      news.reason = "network";
      break;
    case ipc::MediaState::kEnded: news.update = MediaUpdate::kEnded; break;
    case ipc::MediaState::kDenied:
    case ipc::MediaState::kFailed:
      news.update = MediaUpdate::kRefused;
      if (news.code.empty()) news.code = status.state == ipc::MediaState::kDenied ? "denied" : "internal";
      break;
    case ipc::MediaState::kLeft:
      // The process exits by itself now; what it buffered has come before this.
      session.leaving = true;
      news.update = MediaUpdate::kLeft;
      break;
  }
  tell(session, news);
}

void MediaProcesses::shut_down(std::function<void()> done) {
  shutting_down_ = true;
  if (sessions_.empty() && leaving_.empty()) {
    loop_.post(std::move(done));
    return;
  }
  shut_down_ = std::move(done);
  std::vector<Session*> all;
  for (auto& [_, session] : sessions_) all.push_back(session.get());
  for (Session* session : all) leave(*session);
}

std::map<std::string, pid_t> MediaProcesses::pids() const {
  std::map<std::string, pid_t> out;
  for (const auto& [meeting, session] : sessions_) {
    if (session->child) out[meeting] = session->child->pid();
  }
  return out;
}

}  // namespace hansard
