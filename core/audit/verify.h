#pragma once
// Whether the rows of an audit log are what they were: row by row in the order of their numbers, in constant memory but for the
// anchors. An anchor is a head that was kept where the writer of the log cannot change it.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/audit/chain.h"
#include "core/base/reflect.h"
#include "core/base/result.h"

namespace hansard::audit {

using Anchor = Head;

/// "SEQ:HASH", or "SEQ HASH" with anything after another space, as `hansard audit head` prints it. Errors: kInvalid.
Result<Anchor> parse_anchor(std::string_view text);
/// A line of an anchor file: "SEQ HASH TIME" and a newline.
std::string anchor_line(const Anchor& anchor, Instant at);

struct AnchorFile {
  std::vector<Anchor> anchors;
  std::size_t unreadable = 0;  ///< lines that are no anchor (a crash may have cut one). Empty ones and comments (#) do not count
};
AnchorFile read_anchors(std::string_view text);

/// What is wrong with a log. Each is found at the first sequence number where it shows.
enum class Fault : std::uint8_t {
  kNone,
  kAltered,         ///< the row's content does not give its hash
  kGap,             ///< the row is missing, or stands elsewhere
  kUnchained,       ///< sound in itself, but it does not follow the row before: that one, or all from here on, was replaced
  kAnchorMismatch,  ///< the chain fits together, but it is not the one that was anchored: it was written anew
  kTruncated,       ///< rows from here on are missing that an anchor knows of
};
constexpr EnumName<Fault> kEnumNames_Fault[] = {{Fault::kNone, "none"},
                                                {Fault::kAltered, "altered"},
                                                {Fault::kGap, "gap"},
                                                {Fault::kUnchained, "unchained"},
                                                {Fault::kAnchorMismatch, "anchor_mismatch"},
                                                {Fault::kTruncated, "truncated"}};
constexpr auto enum_names(Fault) { return std::span(kEnumNames_Fault); }

struct Verdict {
  Fault fault = Fault::kNone;
  std::uint64_t seq = 0;       ///< the first bad one, 0: none
  std::uint64_t rows = 0;      ///< that were read
  Head head;                   ///< the last row that was read
  std::size_t anchors = 0;     ///< that were compared and agree, before the fault
  std::uint64_t anchored = 0;  ///< the highest sequence of those: up to here everything is as it was anchored
};

/// One sentence: what was found at which row, for a person.
std::string describe(const Verdict& verdict);

class Verifier {
 public:
  /// `anchors` in any order.
  explicit Verifier(std::vector<Anchor> anchors = {});
  /// Rows as the store gives them, ordered by sequence.
  void take(const Row& row);
  /// After the last row.
  Verdict finish() const;

 private:
  Fault look(const Row& row);

  std::vector<Anchor> anchors_;  ///< by sequence
  std::size_t next_anchor_ = 0;
  Verdict out_;
};

}  // namespace hansard::audit
