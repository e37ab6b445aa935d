#include "adapters/webrtc/outbox.h"

#include <algorithm>
#include <utility>

namespace hansard::webrtc {
namespace {

constexpr std::size_t kSamplesPerMs = ipc::kSampleRate / 1000;
constexpr std::size_t kMinFrame = 20 * kSamplesPerMs;
constexpr std::size_t kMaxFrame = 60 * kSamplesPerMs;

}  // namespace

void FrameCutter::add(std::span<const std::int16_t> samples, bool concealed, std::vector<ipc::AudioFrame>& out) {
  if (concealed != concealed_ && !pending_.empty()) flush(out);
  concealed_ = concealed;
  pending_.insert(pending_.end(), samples.begin(), samples.end());
  while (pending_.size() >= kMinFrame) cut(std::min(kMaxFrame, pending_.size()), out);
}

void FrameCutter::flush(std::vector<ipc::AudioFrame>& out) { cut(pending_.size(), out); }

void FrameCutter::cut(std::size_t samples, std::vector<ipc::AudioFrame>& out) {
  samples -= samples % kSamplesPerMs;
  if (samples == 0) return;
  const auto end = pending_.begin() + static_cast<std::ptrdiff_t>(samples);
  out.push_back({track_, concealed_, {position_ / static_cast<std::int64_t>(kSamplesPerMs)}, {pending_.begin(), end}});
  pending_.erase(pending_.begin(), end);
  position_ += static_cast<std::int64_t>(samples);
}

void Outbox::add(ipc::AudioFrame frame) {
  const std::uint32_t track = frame.track;
  Queue& queue = queues_[track];
  queue.audio = queue.audio + frame.length();
  queue.items.push_back(std::move(frame));
  while (queue.audio > limit_) drop_oldest(track, queue);
}

void Outbox::add(std::uint32_t track, ipc::FromMedia message) { queues_[track].items.push_back(std::move(message)); }

void Outbox::drop_oldest(std::uint32_t track, Queue& queue) {
  const auto is_audio = [](const TrackItem& item) { return std::holds_alternative<ipc::AudioFrame>(item); };
  const auto oldest = std::find_if(queue.items.begin(), queue.items.end(), is_audio);
  const auto& frame = std::get<ipc::AudioFrame>(*oldest);
  const MediaTime start = frame.start;
  const MediaTime end = frame.end();
  queue.audio = queue.audio - frame.length();
  dropped_ = dropped_ + frame.length();
  if (oldest != queue.items.begin()) {
    auto* message = std::get_if<ipc::FromMedia>(&*std::prev(oldest));
    auto* gap = message != nullptr ? std::get_if<ipc::TrackGap>(message) : nullptr;
    if (gap != nullptr && gap->reason == "overload" && gap->end == start) {
      gap->end = end;
      queue.items.erase(oldest);
      return;
    }
  }
  *oldest = ipc::FromMedia(ipc::TrackGap{track, start, end, true, "overload"});
}

// A gap of dropped audio in front of audio that has no credit yet will grow: it is told once, when audio moves again.
bool Outbox::still_growing(const Queue& queue) const {
  const auto* gap = std::get_if<ipc::TrackGap>(&std::get<ipc::FromMedia>(queue.items.front()));
  if (gap == nullptr || gap->reason != "overload" || queue.items.size() < 2) return false;
  const auto* frame = std::get_if<ipc::AudioFrame>(&queue.items[1]);
  return frame != nullptr && ipc::encoded_size(*frame) > credit_;
}

void Outbox::pump(const std::function<void(TrackItem&)>& send) {
  // Messages at the heads first, then one frame of each track in turn, until nothing moves.
  bool moved = true;
  while (moved) {
    moved = false;
    auto it = queues_.lower_bound(next_);
    for (std::size_t left = queues_.size(); left > 0; --left) {
      if (it == queues_.end()) it = queues_.begin();
      Queue& queue = it->second;
      while (!queue.items.empty() && std::holds_alternative<ipc::FromMedia>(queue.items.front()) && !still_growing(queue)) {
        send(queue.items.front());
        queue.items.pop_front();
        moved = true;
      }
      if (!queue.items.empty() && std::holds_alternative<ipc::AudioFrame>(queue.items.front())) {
        const auto& frame = std::get<ipc::AudioFrame>(queue.items.front());
        const std::size_t size = ipc::encoded_size(frame);
        if (size <= credit_) {
          credit_ -= size;
          queue.audio = queue.audio - frame.length();
          send(queue.items.front());
          queue.items.pop_front();
          next_ = it->first + 1;
          moved = true;
        }
      }
      it = queue.items.empty() ? queues_.erase(it) : std::next(it);
    }
  }
}

}  // namespace hansard::webrtc
