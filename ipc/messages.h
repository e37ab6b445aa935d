#pragma once
// The messages between the daemon and its children. Each is a JSON object whose `type` names it.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "core/base/reflect.h"
#include "core/transcript/utterance.h"

namespace hansard::ipc {

// ---- both directions -------------------------------------------------------------------------------------------

/// The receiver of audio allows the sender `bytes` more of audio frames (whole encoded frames). A sender starts with
/// none, keeps audio in a bounded queue while it has none, and drops the oldest beyond that, reported as TrackGap
/// "overload". JSON messages need no credit.
struct Credit {
  static constexpr std::string_view kType = "credit";
  std::uint32_t bytes = 0;
  static constexpr auto fields = std::make_tuple(field("bytes", &Credit::bytes));
};

/// A stretch of a track without received audio. From the media process: it resolves concealed audio, or stands where
/// frames were dropped. `lost` false: nothing was sent (silence suppression, mute), so it counts as silent.
struct TrackGap {
  static constexpr std::string_view kType = "track_gap";
  std::uint32_t track = 0;
  MediaTime start;
  MediaTime end;
  bool lost = true;
  std::string reason;  ///< "network", "overload", "disconnected", ...
  static constexpr auto fields =
      std::make_tuple(field("track", &TrackGap::track), field("start_ms", &TrackGap::start), field("end_ms", &TrackGap::end),
                      field("lost", &TrackGap::lost), field("reason", &TrackGap::reason));
};

// ---- daemon -> media process (role `capture`, one meeting) -----------------------------------------------------

/// Enter the meeting. `url` is a room URL (http://host/rooms/NAME) or a WHEP URL. Asked once a process.
struct Join {
  static constexpr std::string_view kType = "join";
  std::string meeting;
  std::string url;
  std::string token;         ///< bearer token for the endpoint, may be empty
  std::string display_name;  ///< announces what the bot does
  static constexpr auto fields = std::make_tuple(field("meeting", &Join::meeting), field("url", &Join::url),
                                                 field("token", &Join::token), field("display_name", &Join::display_name));
};

/// Start to deliver audio. Media time zero is `origin` on the machine's clock that nobody sets (CLOCK_BOOTTIME). Nothing is
/// delivered before this.
struct Capture {
  static constexpr std::string_view kType = "capture";
  Duration origin;
  static constexpr auto fields = std::make_tuple(field("origin_boot_ms", &Capture::origin));
};

/// Stop delivering audio but stay in the meeting (recording paused).
struct Pause {
  static constexpr std::string_view kType = "pause";
  static constexpr auto fields = std::make_tuple();
};

/// Leave politely (DELETE the sessions), deliver what is buffered, report `left`, exit 0.
struct Leave {
  static constexpr std::string_view kType = "leave";
  static constexpr auto fields = std::make_tuple();
};

using ToMedia = std::variant<Credit, Join, Capture, Pause, Leave>;

// ---- media process -> daemon -----------------------------------------------------------------------------------

enum class MediaState : std::uint8_t { kJoining, kWaitingRoom, kInCall, kLost, kEnded, kDenied, kFailed, kLeft };
constexpr EnumName<MediaState> kEnumNames_MediaState[] = {
    {MediaState::kJoining, "joining"}, {MediaState::kWaitingRoom, "waiting_room"},
    {MediaState::kInCall, "in_call"},  {MediaState::kLost, "lost"},
    {MediaState::kEnded, "ended"},     {MediaState::kDenied, "denied"},
    {MediaState::kFailed, "failed"},   {MediaState::kLeft, "left"}};
constexpr auto enum_names(MediaState) { return std::span(kEnumNames_MediaState); }

/// kInCall: signalling is up and the bot is shown as present; `announced` says how people see that it records
/// ("display_name", "chat", or "" when there is no way). kLost: the whole meeting's connection is gone, worth a new
/// attempt. kEnded: the host closed the meeting. kDenied and kFailed: `code` is one of the failure codes of the lifecycle
/// (meeting_not_found, login_required, denied, removed, ...); `vendor_code` keeps the other side's words.
struct MediaStatus {
  static constexpr std::string_view kType = "status";
  MediaState state = MediaState::kJoining;
  std::string code;
  std::string vendor_code;
  std::string announced;
  static constexpr auto fields =
      std::make_tuple(field("state", &MediaStatus::state), field("code", &MediaStatus::code),
                      field("vendor_code", &MediaStatus::vendor_code), field("announced", &MediaStatus::announced));
};

/// A participant came, changed, or went (`present` false). `id` is stable in the meeting across reconnects when the
/// platform allows it.
struct ParticipantUpdate {
  static constexpr std::string_view kType = "participant";
  std::string id;
  std::string name;
  bool present = true;
  bool bot = false;
  static constexpr auto fields =
      std::make_tuple(field("id", &ParticipantUpdate::id), field("name", &ParticipantUpdate::name),
                      field("present", &ParticipantUpdate::present), field("bot", &ParticipantUpdate::bot));
};

/// A participant's audio begins: frames with this track number follow. Numbers are never used twice in a process.
struct TrackOpened {
  static constexpr std::string_view kType = "track_opened";
  std::uint32_t track = 0;
  std::string participant;
  static constexpr auto fields =
      std::make_tuple(field("track", &TrackOpened::track), field("participant", &TrackOpened::participant));
};

/// No more frames of this track; `at` is the media time where it ended.
struct TrackClosed {
  static constexpr std::string_view kType = "track_closed";
  std::uint32_t track = 0;
  MediaTime at;
  static constexpr auto fields = std::make_tuple(field("track", &TrackClosed::track), field("at_ms", &TrackClosed::at));
};

/// From the role `decode`, before the first frame: what the file says about its length (0 when it does not know).
struct MediaInfo {
  static constexpr std::string_view kType = "media_info";
  Duration duration;
  static constexpr auto fields = std::make_tuple(field("duration_ms", &MediaInfo::duration));
};

using FromMedia = std::variant<MediaStatus, ParticipantUpdate, TrackOpened, TrackClosed, TrackGap, MediaInfo>;

// ---- daemon -> speech process ----------------------------------------------------------------------------------

/// Live ends an utterance early and gives partials; file takes longer segments for accuracy and no partials.
enum class Profile : std::uint8_t { kLive, kFile };
constexpr EnumName<Profile> kEnumNames_Profile[] = {{Profile::kLive, "live"}, {Profile::kFile, "file"}};
constexpr auto enum_names(Profile) { return std::span(kEnumNames_Profile); }

struct OpenTrack {
  static constexpr std::string_view kType = "open_track";
  std::uint32_t track = 0;  ///< chosen by the daemon, unique in the speech process's life
  Profile profile = Profile::kLive;
  std::string language;  ///< BCP 47, empty: the model's own
  MediaTime start;       ///< of the first sample that will follow
  static constexpr auto fields = std::make_tuple(field("track", &OpenTrack::track), field("profile", &OpenTrack::profile),
                                                 field("language", &OpenTrack::language), field("start_ms", &OpenTrack::start));
};

/// End of the track's audio: recognize what is left, report coverage up to the end, answer TrackFlushed, forget it.
struct FlushTrack {
  static constexpr std::string_view kType = "flush_track";
  std::uint32_t track = 0;
  static constexpr auto fields = std::make_tuple(field("track", &FlushTrack::track));
};

/// Forget the track at once, no results.
struct DropTrack {
  static constexpr std::string_view kType = "drop_track";
  std::uint32_t track = 0;
  static constexpr auto fields = std::make_tuple(field("track", &DropTrack::track));
};

/// TrackGap to the speech process: it jumps over [start, end) as over silence. It ends no utterance by itself when
/// shorter than the profile's end-of-utterance silence.
using ToSpeech = std::variant<Credit, OpenTrack, TrackGap, FlushTrack, DropTrack>;

// ---- speech process -> daemon ----------------------------------------------------------------------------------

/// Models are loaded; `model` is a name for people ("moonshine-tiny-en").
struct SpeechReady {
  static constexpr std::string_view kType = "ready";
  std::string model;
  static constexpr auto fields = std::make_tuple(field("model", &SpeechReady::model));
};

/// The recognizer cannot work (model missing or refused); the process exits 3 after this. `detail` says what to do.
struct SpeechUnavailable {
  static constexpr std::string_view kType = "unavailable";
  std::string detail;
  static constexpr auto fields = std::make_tuple(field("detail", &SpeechUnavailable::detail));
};

/// The current best text of the open utterance. Replaced by the next partial or the final. Never stored.
struct PartialText {
  static constexpr std::string_view kType = "partial";
  std::uint32_t track = 0;
  MediaTime start;
  MediaTime end;
  std::string text;
  static constexpr auto fields = std::make_tuple(field("track", &PartialText::track), field("start_ms", &PartialText::start),
                                                 field("end_ms", &PartialText::end), field("text", &PartialText::text));
};

/// The final text of an utterance: never empty.
struct FinalText {
  static constexpr std::string_view kType = "final";
  std::uint32_t track = 0;
  MediaTime start;
  MediaTime end;
  std::string text;
  std::vector<Word> words;
  static constexpr auto fields =
      std::make_tuple(field("track", &FinalText::track), field("start_ms", &FinalText::start), field("end_ms", &FinalText::end),
                      field("text", &FinalText::text), field("words", &FinalText::words));
};

/// What became of heard audio: transcribed (the span of a final, sent right after it), silent, or unrecognized.
/// Reports of a track follow each other without holes: each starts where the one before ended, from OpenTrack.start on.
/// Long silence is reported at least every 10 s. Concealed audio and gaps are covered like silence here; a loss is the
/// media process's word and wins in the ledger.
struct HeardReport {
  static constexpr std::string_view kType = "heard";
  std::uint32_t track = 0;
  MediaTime start;
  MediaTime end;
  Coverage state = Coverage::kSilent;
  std::string reason;
  static constexpr auto fields = std::make_tuple(field("track", &HeardReport::track), field("start_ms", &HeardReport::start),
                                                 field("end_ms", &HeardReport::end), field("state", &HeardReport::state),
                                                 field("reason", &HeardReport::reason));
};

struct TrackFlushed {
  static constexpr std::string_view kType = "track_flushed";
  std::uint32_t track = 0;
  static constexpr auto fields = std::make_tuple(field("track", &TrackFlushed::track));
};

using FromSpeech = std::variant<Credit, SpeechReady, SpeechUnavailable, PartialText, FinalText, HeardReport, TrackFlushed>;

}  // namespace hansard::ipc
