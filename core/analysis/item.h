#pragma once
// What analysis finds in a meeting: action items, decisions and key points, each with the words it rests on. Plain data.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "core/base/reflect.h"
#include "core/base/time.h"

namespace hansard {

enum class ItemKind : std::uint8_t {
  kActionItem,  ///< somebody is to do something
  kDecision,    ///< the meeting settled something
  kKeyPoint,    ///< a sentence of the extractive summary
};
constexpr EnumName<ItemKind> kEnumNames_ItemKind[] = {
    {ItemKind::kActionItem, "action_item"}, {ItemKind::kDecision, "decision"}, {ItemKind::kKeyPoint, "key_point"}};
constexpr auto enum_names(ItemKind) { return std::span(kEnumNames_ItemKind); }

/// One finding. `quote` is a verbatim part of the text of one utterance in `utterance_ids`; an item without one is never
/// produced (see verify.h).
struct AnalysisItem {
  std::string id;  ///< "a1", "d1", "k1", ...: stable while the meeting runs, unique in the meeting
  ItemKind kind = ItemKind::kActionItem;
  std::string text;                        ///< one sentence for a person
  std::optional<std::string> owner;        ///< a participant's name, several joined by " and ", or "everyone"; action items only
  std::optional<std::string> due;          ///< ISO 8601 date; action items only
  std::vector<std::string> utterance_ids;  ///< in the order of the meeting, never empty
  std::string quote;
  double confidence = 0;  ///< 0..1; for ranking, not a calibrated probability
  static constexpr auto fields =
      std::make_tuple(field("id", &AnalysisItem::id), field("kind", &AnalysisItem::kind), field("text", &AnalysisItem::text),
                      field("owner", &AnalysisItem::owner), field("due", &AnalysisItem::due),
                      field("utterance_ids", &AnalysisItem::utterance_ids), field("quote", &AnalysisItem::quote),
                      field("confidence", &AnalysisItem::confidence));
  bool operator==(const AnalysisItem&) const = default;
};

enum class ItemChangeKind : std::uint8_t { kAdded, kChanged, kWithdrawn };
constexpr EnumName<ItemChangeKind> kEnumNames_ItemChangeKind[] = {
    {ItemChangeKind::kAdded, "added"}, {ItemChangeKind::kChanged, "changed"}, {ItemChangeKind::kWithdrawn, "withdrawn"}};
constexpr auto enum_names(ItemChangeKind) { return std::span(kEnumNames_ItemChangeKind); }

/// A step in the life of an item. Applying the changes in order, by item id, gives the list of items; `item` is the
/// whole item after the change (for kWithdrawn the item as it was).
struct ItemChange {
  ItemChangeKind change = ItemChangeKind::kAdded;
  AnalysisItem item;
  static constexpr auto fields = std::make_tuple(field("change", &ItemChange::change), field("item", &ItemChange::item));
  bool operator==(const ItemChange&) const = default;
};

/// A person of the meeting, as far as it is known.
struct Attendee {
  std::string name;  ///< as in Utterance::speaker
  std::optional<std::string> role;
  static constexpr auto fields = std::make_tuple(field("name", &Attendee::name), field("role", &Attendee::role));
  bool operator==(const Attendee&) const = default;
};

/// What analysis wants to know about a meeting beside its words. Both parts may be missing: without a date there are no
/// due dates, and speakers are known from the utterances in any case.
struct MeetingInfo {
  std::optional<CivilDate> date;  ///< the local day on which the meeting took place
  std::vector<Attendee> participants;
};

/// The result for a whole meeting.
struct MeetingAnalysis {
  std::vector<AnalysisItem> items;  ///< by kind, then in the order of the meeting
  std::string summary;              ///< sentences of the meeting, one a line as "Speaker: sentence"
  static constexpr auto fields =
      std::make_tuple(field("items", &MeetingAnalysis::items), field("summary", &MeetingAnalysis::summary));
  bool operator==(const MeetingAnalysis&) const = default;
};

}  // namespace hansard
