#include "core/audit/verify.h"

#include <algorithm>
#include <utility>

#include "core/base/text.h"

namespace hansard::audit {

Result<Anchor> parse_anchor(std::string_view text) {
  const auto end = text.find_first_of(": ");
  std::int64_t seq = 0;
  if (end == std::string_view::npos || !parse_digits(text.substr(0, end), seq) || seq <= 0)
    return fail(ErrorClass::kInvalid, "audit", "an anchor is written as SEQ:HASH, as `hansard audit head` prints it");
  std::string_view rest = text.substr(end + 1);
  rest = rest.substr(0, rest.find(' '));
  const auto hash = parse_hash(rest);
  if (!hash) return fail(ErrorClass::kInvalid, "audit", "an anchor's hash has 64 hexadecimal digits");
  return Anchor{static_cast<std::uint64_t>(seq), *hash};
}

std::string anchor_line(const Anchor& anchor, Instant at) {
  return std::to_string(anchor.seq) + " " + hex(anchor.hash) + " " + format_rfc3339(at) + "\n";
}

AnchorFile read_anchors(std::string_view text) {
  AnchorFile out;
  for (std::string_view line : split(text, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    if (const auto anchor = parse_anchor(line)) {
      out.anchors.push_back(*anchor);
    } else {
      ++out.unreadable;
    }
  }
  return out;
}

Verifier::Verifier(std::vector<Anchor> anchors) : anchors_(std::move(anchors)) {
  std::stable_sort(anchors_.begin(), anchors_.end(), [](const Anchor& a, const Anchor& b) { return a.seq < b.seq; });
}

Fault Verifier::look(const Row& row) {
  if (row.seq != out_.head.seq + 1) return Fault::kGap;
  if (hash_of(row) != row.hash) return Fault::kAltered;
  if (row.previous != out_.head.hash) return Fault::kUnchained;
  for (; next_anchor_ < anchors_.size() && anchors_[next_anchor_].seq == row.seq; ++next_anchor_) {
    if (anchors_[next_anchor_].hash != row.hash) return Fault::kAnchorMismatch;
    ++out_.anchors;
    out_.anchored = row.seq;
  }
  return Fault::kNone;
}

void Verifier::take(const Row& row) {
  ++out_.rows;
  if (out_.fault == Fault::kNone) {
    // A number that has been passed stands in the wrong place; one that is too high leaves a hole before it.
    const std::uint64_t bad = std::clamp<std::uint64_t>(row.seq, 1, out_.head.seq + 1);
    out_.fault = look(row);
    if (out_.fault != Fault::kNone) out_.seq = bad;
  }
  out_.head = {row.seq, row.hash};
}

Verdict Verifier::finish() const {
  Verdict out = out_;
  if (out.fault == Fault::kNone && next_anchor_ < anchors_.size()) {
    out.fault = Fault::kTruncated;
    out.seq = out.head.seq + 1;
  }
  return out;
}

std::string describe(const Verdict& verdict) {
  const std::string seq = std::to_string(verdict.seq);
  switch (verdict.fault) {
    case Fault::kNone: return "nothing is wrong with the " + std::to_string(verdict.rows) + " rows";
    case Fault::kAltered: return "row " + seq + " was altered: its content does not give its hash";
    case Fault::kGap: return "row " + seq + " is missing or stands in the wrong place";
    case Fault::kUnchained:
      return "row " + seq + " does not follow the row before it: that one was replaced, or all rows from here on were";
    case Fault::kAnchorMismatch: {
      const std::string from = verdict.anchored == 0 ? "the first" : "row " + std::to_string(verdict.anchored + 1);
      return "row " + seq + " is not the one that was anchored: the log was written anew somewhere from " + from + " on";
    }
    case Fault::kTruncated: return "row " + seq + " and what followed are missing: the log was cut off after it was anchored";
  }
  return {};
}

}  // namespace hansard::audit
