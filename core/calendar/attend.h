#pragma once
// Which meetings of a calendar are attended: the facts of an event that count, a person's rules, and the decision with its
// reason. Facts are taken from an event once; rules can be applied to them again when they change.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/base/reflect.h"
#include "core/calendar/event.h"

namespace hansard::calendar {

/// What the calendar's owner has said to the invitation.
enum class Response : std::uint8_t {
  kUnknown,  ///< not among the guests: invited as part of a group, or whose calendar it is cannot be told
  kOwn,      ///< an event without guests: nobody has to answer
  kOrganizer,
  kAccepted,
  kTentative,
  kNeedsAction,
  kDelegated,
  kDeclined,
};
constexpr EnumName<Response> kEnumNames_Response[] = {
    {Response::kUnknown, "unknown"},     {Response::kOwn, "own"},
    {Response::kOrganizer, "organizer"}, {Response::kAccepted, "accepted"},
    {Response::kTentative, "tentative"}, {Response::kNeedsAction, "needs-action"},
    {Response::kDelegated, "delegated"}, {Response::kDeclined, "declined"},
};
constexpr auto enum_names(Response) { return std::span(kEnumNames_Response); }

/// What of an event the rules look at. Bounded, whatever the event holds.
struct AttendFacts {
  Response response = Response::kUnknown;
  int guests = 0;  ///< people beside the owner, rooms and other resources not counted; the organizer is one
  /// Mail domains of the guests that are not the owner's own, in order, each once, at most 50.
  std::vector<std::string> guest_domains{};
  /// "#words" of title, location, description and its HTML, and the categories as such words; lower case, in order, each
  /// once, at most 100.
  std::vector<std::string> tags{};
  static constexpr auto fields =
      std::make_tuple(field("response", &AttendFacts::response), field("guests", &AttendFacts::guests),
                      field("guest_domains", &AttendFacts::guest_domains), field("tags", &AttendFacts::tags));
  bool operator==(const AttendFacts&) const = default;
};

/// Takes the facts from an event. Who the owner is: an attendee or organizer that the source marks as such; else `account`,
/// when it is there; else any of `own_addresses`. With several such attendees the clearest answer counts (accepted,
/// tentative, declined, delegated, none). Domains of the owner's addresses are own ones, except those of public mail
/// services, where everybody has the same.
AttendFacts attend_facts(const VEvent& event, std::string_view account, std::span<const std::string> own_addresses);

/// What a person wants to have attended. As it is made, it is everything.
struct AttendRules {
  bool accepted = false;             ///< only what the owner has accepted, organizes, or has for themselves
  bool external = false;             ///< only with a guest from outside `own_domains`
  bool tagged = false;               ///< only what carries `tag`
  std::vector<std::string> include;  ///< titles to attend; not empty: only those. `*` stands for any text
  std::vector<std::string> exclude;  ///< titles not to attend
  std::string tag = "#hansard";      ///< empty: none
  std::string opt_out = "#nohansard";
  std::vector<std::string> own_domains;  ///< each with its subdomains
  static constexpr auto fields = std::make_tuple(
      field("accepted", &AttendRules::accepted), field("external", &AttendRules::external), field("tagged", &AttendRules::tagged),
      field("include", &AttendRules::include), field("exclude", &AttendRules::exclude), field("tag", &AttendRules::tag),
      field("opt_out", &AttendRules::opt_out), field("own_domains", &AttendRules::own_domains));
  bool operator==(const AttendRules&) const = default;
};

/// Why a meeting is attended or not.
enum class AttendReason : std::uint8_t {
  kCancelled,
  kOver,
  kOptOut,
  kDeclined,
  kAllDay,
  kNoLink,
  kNotAccepted,
  kTag,
  kTitleExcluded,
  kNotTagged,
  kInternal,
  kTitleNotIncluded,
  kTitle,
  kExternal,
  kAccepted,
  kAll,
};
constexpr EnumName<AttendReason> kEnumNames_AttendReason[] = {
    {AttendReason::kCancelled, "cancelled"},
    {AttendReason::kOver, "over"},
    {AttendReason::kOptOut, "opt-out"},
    {AttendReason::kDeclined, "declined"},
    {AttendReason::kAllDay, "all-day"},
    {AttendReason::kNoLink, "no-link"},
    {AttendReason::kNotAccepted, "not-accepted"},
    {AttendReason::kTag, "tag"},
    {AttendReason::kTitleExcluded, "title-excluded"},
    {AttendReason::kNotTagged, "not-tagged"},
    {AttendReason::kInternal, "no-external-guests"},
    {AttendReason::kTitleNotIncluded, "title-not-included"},
    {AttendReason::kTitle, "title"},
    {AttendReason::kExternal, "external-guests"},
    {AttendReason::kAccepted, "accepted"},
    {AttendReason::kAll, "all"},
};
constexpr auto enum_names(AttendReason) { return std::span(kEnumNames_AttendReason); }

/// True for the reasons to attend.
bool attends(AttendReason reason);
/// The reason as a sentence without a full stop.
std::string_view attend_sentence(AttendReason reason);

/// An occurrence as the rules see it.
struct AttendQuestion {
  std::string_view title;
  bool cancelled = false;
  bool over = false;
  bool all_day = false;
  bool link = true;  ///< there is something to join
  const AttendFacts& facts;
};

/// The first that applies, in this order:
/// 1. cancelled, over;
/// 2. the opt-out tag: it wins over everything that follows;
/// 3. declined, all-day, no-link;
/// 4. not-accepted, when the rules ask for it. Before the tag: who writes an invitation can write a tag into it, and must
///    not get a recording by that alone;
/// 5. the opt-in tag: attended, whatever the rules of title and guests say;
/// 6. title-excluded, not-tagged, no-external-guests, title-not-included;
/// 7. attended, because of the narrowest rule that was asked for (title, external-guests, accepted, all).
AttendReason decide(const AttendQuestion& question, const AttendRules& rules);

/// Whether `text` matches `pattern` as a whole, without regard to ASCII case; `*` stands for any text, also none.
bool matches_title(std::string_view pattern, std::string_view text);

}  // namespace hansard::calendar
