#include "core/analysis/features.h"

#include <algorithm>
#include <cmath>

#include "core/base/hash.h"
#include "core/base/text.h"

namespace hansard::analysis {
namespace {

// Every kind of feature has a number of its own in the hash, so that kinds do not meet except by chance.
enum Kind : std::uint64_t {
  kSelf = 1,
  kNear = 3,
  kFar = 5,
  kCue = 7,
  kCuePair = 8,
  kCueNear = 9,
  kTurn = 11,
  kLength = 12,
  kQuestion = 13,
  kRole = 14
};

std::uint32_t slot(std::uint64_t kind, std::uint64_t value) {
  std::uint64_t h = (value ^ (kind * 0x9E3779B97F4A7C15u)) * 0xBF58476D1CE4E5B9u;
  h ^= h >> 29;
  h *= 0x94D049BB133111EBu;
  return static_cast<std::uint32_t>(h >> (64 - kHashBits));
}

bool is_number(std::string_view w) { return !w.empty() && w.front() >= '0' && w.front() <= '9'; }

std::uint64_t word_hash(const Token& t) { return fnv1a(is_number(t.norm) ? std::string_view("#") : std::string_view(t.norm)); }

std::uint64_t join(std::uint64_t a, std::uint64_t b) { return (a ^ 0x2Eu) * 0x100000001b3u ^ b * 0x9E3779B97F4A7C15u; }

class Bag {
 public:
  void add(std::uint64_t kind, std::uint64_t value, float weight) { out_.push_back({slot(kind, value), weight}); }
  void add_slot(std::uint32_t index, float weight) { out_.push_back({index, weight}); }
  /// Grams of one utterance, scaled so that its length does not matter.
  void add_grams(std::uint64_t kind, const Prepared& p, std::size_t count, float weight) {
    if (count == 0) return;
    const float each = weight / std::sqrt(static_cast<float>(count));
    for (std::size_t i = 0; i < count; ++i) add(kind, p.grams[i], each);
  }
  std::vector<Feature> take() {
    std::ranges::sort(out_, {}, &Feature::index);
    std::size_t n = 0;
    for (std::size_t i = 0; i < out_.size(); ++i) {
      if (n > 0 && out_[n - 1].index == out_[i].index) {
        out_[n - 1].value += out_[i].value;
      } else {
        out_[n++] = out_[i];
      }
    }
    out_.resize(n);
    return std::move(out_);
  }

 private:
  std::vector<Feature> out_;
};

void add_cues(Bag& bag, const Prepared& p) {
  for (unsigned a = 0; a < kCueCount; ++a) {
    if ((p.cues >> a & 1u) == 0) continue;
    bag.add(kCue, a, 0.5f);
    for (unsigned b = a + 1; b < kCueCount; ++b) {
      if ((p.cues >> b & 1u) != 0) bag.add(kCuePair, a * 64 + b, 0.3f);
    }
  }
}

void add_place(Bag& bag, Place place) {
  const double at = static_cast<double>(place.index) / static_cast<double>(place.count);
  bag.add_slot(kHashSize + static_cast<std::uint32_t>(at * 20), 0.5f);
  const double left = 1 - at;
  if (left < 0.15) bag.add_slot(kHashSize + 20 + static_cast<std::uint32_t>(left * 100), 0.5f);
  if (left < 0.2) bag.add_slot(kHashSize + 40, 0.5f);
  if (left < 0.05) bag.add_slot(kHashSize + 41, 0.5f);
}

}  // namespace

Prepared prepare(std::span<const Token> tokens, const Cues& cues, std::uint32_t speaker, std::string_view role, bool question) {
  Prepared out;
  out.cues = cues.mask;
  out.words = static_cast<std::uint32_t>(tokens.size());
  out.speaker = speaker;
  out.question = question;
  if (!role.empty()) out.role = fnv1a(to_lower(role)) | 1;
  constexpr std::uint64_t kEdge = 0x5E;
  std::vector<std::uint64_t> w;
  w.reserve(tokens.size() + 2);
  w.push_back(kEdge);
  for (const auto& t : tokens) w.push_back(word_hash(t));
  w.push_back(kEdge);
  for (std::size_t i = 1; i + 1 < w.size(); ++i) out.grams.push_back(w[i]);
  for (std::size_t i = 0; i + 1 < w.size(); ++i) out.grams.push_back(join(w[i], w[i + 1]));
  out.short_grams = out.grams.size();
  for (std::size_t i = 0; i + 2 < w.size(); ++i) out.grams.push_back(join(join(w[i], w[i + 1]), w[i + 2]));
  return out;
}

std::vector<Feature> features(std::span<const Prepared* const> window, std::size_t middle, std::optional<Place> place) {
  Bag bag;
  const Prepared& self = *window[middle];
  bag.add_grams(kSelf, self, self.grams.size(), 1.0f);
  add_cues(bag, self);
  for (std::size_t i = 0; i < window.size(); ++i) {
    if (i == middle) continue;
    const Prepared& p = *window[i];
    const std::size_t distance = i < middle ? middle - i : i - middle;
    const std::uint64_t side = i < middle ? 0 : 1;
    const bool near = distance == 1;
    bag.add_grams((near ? kNear : kFar) + side, p, p.short_grams, near ? 0.5f : 0.4f);
    for (unsigned c = 0; c < kCueCount; ++c) {
      if ((p.cues >> c & 1u) != 0) bag.add(kCueNear + side, c * 2 + (near ? 1 : 0), 0.25f);
    }
    if (near) bag.add(kTurn, side * 2 + (p.speaker == self.speaker ? 1 : 0), 0.25f);
  }
  const double length = std::log2(1.0 + self.words);
  bag.add(kLength, static_cast<std::uint64_t>(length * 1.5), 0.5f);
  if (self.question) bag.add(kQuestion, 0, 0.5f);
  if (self.role != 0) bag.add(kRole, self.role, 1.5f);
  if (place) add_place(bag, *place);
  return bag.take();
}

}  // namespace hansard::analysis
