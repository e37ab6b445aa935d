#include "sim/rooms.h"

#include <algorithm>
#include <cstdlib>

namespace hansard::sim {
namespace {

constexpr Duration kTick = seconds(1);

}  // namespace

Rooms::Rooms(World& world, const Scenario& scenario) : world_(world), scenario_(scenario) {
  for (std::size_t r = 0; r < scenario.rooms.size(); ++r) {
    const Room& room = scenario.rooms[r];
    world_.at(room.closes, [this, r] { close(r); });
    for (std::size_t g = 0; g < room.guests.size(); ++g) {
      world_.at(room.guests[g].in, [this, r, g] { guest_moves(r, g, true); });
      world_.at(room.guests[g].out, [this, r, g] { guest_moves(r, g, false); });
    }
  }
}

Rooms::Line* Rooms::find(std::uint64_t id) {
  const auto it = lines_.find(id);
  return it == lines_.end() ? nullptr : &it->second;
}

std::uint64_t Rooms::line_of(const std::string& meeting, std::uint32_t epoch) const {
  for (const auto& [id, line] : lines_) {
    if (line.meeting == meeting && line.epoch == epoch) return id;
  }
  return 0;
}

// ---- coming and going ----

void Rooms::start(const MediaJoin& join) {
  for (auto it = lines_.begin(); it != lines_.end();) it = it->second.meeting == join.meeting ? lines_.erase(it) : std::next(it);
  const auto room =
      std::find_if(scenario_.rooms.begin(), scenario_.rooms.end(), [&](const Room& r) { return url_of(r) == join.url; });
  const std::uint64_t id = next_line_++;
  Line line;
  line.meeting = join.meeting;
  line.epoch = join.epoch;
  line.room = static_cast<std::size_t>(room - scenario_.rooms.begin());
  line.attempt = attempts.size();
  attempts.push_back({join.meeting, join.epoch, world_.now(), {}, {}, world_.life()});
  world_.log("join " + join.meeting + " epoch " + std::to_string(join.epoch));
  if (room == scenario_.rooms.end()) violations.push_back("joined an address that no calendar shows");
  for (const auto& [other, l] : lines_) {
    if (l.room == line.room) violations.push_back("two bots in room " + std::to_string(line.room));
  }
  room_of[join.meeting] = line.room;
  lines_.emplace(id, line);
  world_.for_daemon(milliseconds(world_.rng.between(100, 1500)), [this, id] { arrive(id); });
}

void Rooms::arrive(std::uint64_t id) {
  Line* line = find(id);
  if (line == nullptr) return;
  const Room* room = line->room < scenario_.rooms.size() ? &scenario_.rooms[line->room] : nullptr;
  if (room == nullptr) return end_line(id, {MediaUpdate::kRefused, "meeting_not_found", "404", {}, {}});
  if (hangs_until_[line->room] > world_.now()) {
    ++world_.faults[Fault::kMediaHangs];
    return;
  }
  if (down_until_[line->room] > world_.now() || world_.must_fail())
    return end_line(id, {MediaUpdate::kLost, {}, {}, {}, "network"});
  if (world_.now() < room->opens || world_.now() >= room->closes) {
    if (world_.now() < room->opens) ++world_.faults[Fault::kRoomLate];
    return end_line(id, {MediaUpdate::kRefused, "meeting_not_found", "404", {}, {}});
  }
  if (room->door == Door::kOpen || admitted_[line->room]) return enter(id);
  line->phase = Phase::kWaiting;
  tell(*line, {MediaUpdate::kWaitingRoom, {}, {}, {}, {}});
  if (room->door == Door::kLobbyForEver) {
    ++world_.faults[Fault::kLobbyTimeout];
    return;
  }
  ++world_.faults[room->door == Door::kLobby ? Fault::kLobby : Fault::kDenied];
  world_.for_daemon(room->lobby, [this, id, denies = room->door == Door::kDenies] {
    if (find(id) == nullptr) return;
    if (denies) return end_line(id, {MediaUpdate::kRefused, "denied", "not let in", {}, {}});
    enter(id);
  });
}

void Rooms::enter(std::uint64_t id) {
  Line* line = find(id);
  line->phase = Phase::kIn;
  admitted_[line->room] = true;
  attempts[line->attempt].outcome = "in_call";
  tell(*line, {MediaUpdate::kInCall, {}, {}, "display name", {}});
  const auto& guests = scenario_.rooms[line->room].guests;
  for (std::size_t g = 0; g < guests.size(); ++g) {
    line = find(id);
    if (line != nullptr && there(guests[g])) show(*line, g, true);
  }
}

void Rooms::tell(const Line& line, const MediaNews& news) {
  const Line copy = line;  // the listener may end the line
  world_.log("media " + copy.meeting + " " + std::to_string(static_cast<int>(news.update)) + " " + news.code + news.reason);
  if (listener_ != nullptr) listener_->on_media(copy.meeting, copy.epoch, news);
}

void Rooms::end_line(std::uint64_t id, MediaNews news) {
  const auto node = lines_.extract(id);
  if (node.empty()) return;
  Attempt& attempt = attempts[node.mapped().attempt];
  attempt.ended = world_.now();
  attempt.outcome += news.update == MediaUpdate::kLost ? "/lost" : news.update == MediaUpdate::kRefused ? "/refused" : "/ended";
  tell(node.mapped(), news);
}

void Rooms::stop(const std::string& meeting, std::uint32_t epoch) {
  const std::uint64_t id = line_of(meeting, epoch);
  if (const Line* line = find(id);
      line != nullptr && line->room < scenario_.rooms.size() && hangs_until_[line->room] > world_.now()) {
    lines_.erase(id);  // it goes, but says nothing
    return;
  }
  world_.for_daemon(milliseconds(world_.rng.between(50, 800)), [this, id, meeting, epoch] {
    if (Line* line = find(id)) {
      if (line->capturing) send(*line);
      return end_line(id, {MediaUpdate::kLeft, {}, {}, {}, {}});
    }
    if (listener_ != nullptr) listener_->on_media(meeting, epoch, {MediaUpdate::kLeft, {}, {}, {}, {}});
  });
}

void Rooms::daemon_died() {
  lines_.clear();
  listener_ = nullptr;
}

void Rooms::drop(std::size_t room, Fault kind, Duration length) {
  if (kind == Fault::kNetworkLost) down_until_[room] = world_.now() + length;
  for (const auto& [id, line] : lines_) {
    if (line.room != room) continue;
    ++world_.faults[kind];
    return end_line(id, {MediaUpdate::kLost, {}, {}, {}, kind == Fault::kNetworkLost ? "network" : "media_process"});
  }
}

void Rooms::lose_packets(std::size_t room, std::size_t guest, Duration length) {
  lossy_until_[{room, guest}] = world_.now() + length;
}

// ---- people ----

void Rooms::show(const Line& line, std::size_t guest, bool present) {
  const Guest& g = scenario_.rooms[line.room].guests[guest];
  if (listener_ != nullptr) listener_->on_participant(line.meeting, line.epoch, g.id, g.name, present, g.bot);
}

void Rooms::guest_moves(std::size_t room, std::size_t guest, bool in) {
  for (auto& [id, line] : lines_) {
    if (line.room != room || line.phase != Phase::kIn) continue;
    if (!in && line.capturing) send_guest(line, guest, {(world_.now() - line.origin).ms / kFrameMs * kFrameMs});
    if (!in) line.missing.erase(guest);
    return show(line, guest, in);
  }
}

void Rooms::close(std::size_t room) {
  for (auto& [id, line] : lines_) {
    if (line.room != room) continue;
    if (line.capturing) send(line);
    ++world_.faults[Fault::kRoomCloses];
    return end_line(id, {MediaUpdate::kEnded, {}, {}, {}, {}});
  }
}

// ---- sound ----

void Rooms::capture(const std::string& meeting, std::uint32_t epoch, Duration monotonic_origin) {
  const std::uint64_t id = line_of(meeting, epoch);
  Line* line = find(id);
  if (line == nullptr || line->phase != Phase::kIn) return;
  line->capturing = true;
  count_from(*line, world_.booted() + monotonic_origin);
  line->missing.clear();
  world_.for_daemon(kTick, [this, id] { tick(id); });
}

/// Nobody can know how long a machine was off whose clock was set meanwhile. But time does not go back over what was captured.
void Rooms::count_from(Line& line, Instant origin) {
  line.origin = origin;
  line.next = {((world_.now() - origin).ms + kFrameMs - 1) / kFrameMs * kFrameMs};
  std::vector<Origin>& known = origins_of[line.meeting];
  if (known.empty() || known.back().at != origin) {
    const bool may_differ =
        known.empty() || (known.back().boots != world_.boots() && known.back().clock_sets != world_.clock_sets);
    // Two clocks cannot be read at once, and each counts whole milliseconds.
    const bool read_apart = !known.empty() && world_.faults[Fault::kMachineSlow] > 0 &&
                            std::abs((origin - known.back().at).ms) <= 2 * HostClock::kReading.ms;
    if (!may_differ && !read_apart)
      violations.push_back("the media time of " + line.meeting + " is " + std::to_string((origin - known.back().at).ms) +
                           " ms off");
    for (const auto& [guest, passages] : heard[line.meeting]) {
      if (!passages.empty() && passages.back().stretch.end > line.next)
        violations.push_back("the media time of " + line.meeting + " goes back over what was captured");
    }
    known.push_back({known.empty() ? MediaTime{} : line.next, origin, 0, 0});
  }
  known.back().boots = world_.boots();
  known.back().clock_sets = world_.clock_sets;
}

void Rooms::pause(const std::string& meeting, std::uint32_t epoch) {
  Line* line = find(line_of(meeting, epoch));
  if (line == nullptr || !line->capturing) return;
  line->capturing = false;
}

void Rooms::tick(std::uint64_t id) {
  Line* line = find(id);
  if (line == nullptr || !line->capturing) return;
  send(*line);
  world_.for_daemon(kTick, [this, id] { tick(id); });
}

void Rooms::send(Line& line) {
  const MediaTime until{(world_.now() - line.origin).ms / kFrameMs * kFrameMs};
  const auto& guests = scenario_.rooms[line.room].guests;
  for (std::size_t g = 0; g < guests.size(); ++g) {
    if (there(guests[g]) && !guests[g].bot) send_guest(line, g, until);
  }
  line.next = std::max(line.next, until);
}

Sound Rooms::sound_of(const Guest& guest, Instant at) const {
  const auto it =
      std::upper_bound(guest.says.begin(), guest.says.end(), at, [](Instant t, const Speech& s) { return t < s.end; });
  if (it == guest.says.end() || at < it->start) return {};
  return {it->number, static_cast<std::int32_t>((at - it->start).ms / kFrameMs * kFrameMs)};
}

void Rooms::report_missing(Line& line, std::size_t guest, MediaTime until) {
  const auto it = line.missing.find(guest);
  if (it == line.missing.end()) return;
  const MediaTime start = it->second;
  const bool lost = line.missing_lost[guest];
  line.missing.erase(it);
  if (listener_ != nullptr && until > start) {
    listener_->on_gap(line.meeting, line.epoch, scenario_.rooms[line.room].guests[guest].id, start, until, lost,
                      lost ? "network" : "");
  }
}

/// Sends the frames of [line.next, until); each is delivered, lost, or was never sent (silence of who sends none).
void Rooms::send_guest(Line& line, std::size_t guest, MediaTime until) {
  const Guest& g = scenario_.rooms[line.room].guests[guest];
  auto& truth = heard[line.meeting][g.id];
  const auto lossy = lossy_until_.find({line.room, guest});
  MediaTime run{-1};
  const auto flush = [&](MediaTime end) {
    if (run.ms < 0) return;
    report_missing(line, guest, run);
    buffer_.assign(static_cast<std::size_t>((end - run).ms) * kSamplesPerMs, 0);
    for (MediaTime f = run; f < end; f = f + Duration{kFrameMs}) {
      const Sound sound = sound_of(g, line.origin + Duration{f.ms});
      render(std::span(buffer_).subspan(static_cast<std::size_t>((f - run).ms) * kSamplesPerMs, kFrameMs * kSamplesPerMs), sound);
      truth.push_back({{f, f + Duration{kFrameMs}, sound}, true});
    }
    if (listener_ != nullptr) listener_->on_audio(line.meeting, line.epoch, g.id, run, false, buffer_);
    run = {-1};
  };
  for (MediaTime f = line.next; f < until; f = f + Duration{kFrameMs}) {
    const Instant at = line.origin + Duration{f.ms};
    if (at < g.in) continue;
    const bool lost = lossy != lossy_until_.end() && at < lossy->second;
    const Sound sound = sound_of(g, at);
    if (!lost && (sound.speech != 0 || !g.discontinuous)) {
      if (run.ms < 0) run = f;
      continue;
    }
    flush(f);
    if (lost) {
      ++world_.faults[Fault::kPacketLoss];
      truth.push_back({{f, f + Duration{kFrameMs}, sound}, false});
    }
    const auto known = line.missing.find(guest);
    if (known != line.missing.end() && line.missing_lost[guest] != lost) report_missing(line, guest, f);
    if (line.missing.emplace(guest, f).second) line.missing_lost[guest] = lost;
  }
  flush(until);
  // Some sources say at once that nothing was sent, others when there is something again.
  if (guest % 2 == 1 && line.missing.contains(guest) && !line.missing_lost[guest]) report_missing(line, guest, until);
}

}  // namespace hansard::sim
