#pragma once
// The configuration: one TOML file (share/hansard.example.toml), every key checked, defaults for all of them.
#include <cstdint>
#include <string>
#include <vector>

#include "core/calendar/sources/source.h"
#include "core/flow/types.h"
#include "daemon/log.h"

namespace hansard {

/// What a daemon that is asked to end does with the meetings that run.
enum class OnStop : std::uint8_t {
  kHandOver,  ///< goes at once; the next daemon takes them up, what is said meanwhile is lost
  kFinish,    ///< stays until they are over, then goes
  kLeave,     ///< leaves them, writes their minutes, then goes
};
constexpr EnumName<OnStop> kEnumNames_OnStop[] = {
    {OnStop::kHandOver, "hand_over"}, {OnStop::kFinish, "finish"}, {OnStop::kLeave, "leave"}};
constexpr auto enum_names(OnStop) { return std::span(kEnumNames_OnStop); }

/// A [[task_sink]].
struct TaskSinkConfig {
  std::string id;
  std::string kind;  ///< "webhook"
  std::string url;
  std::string secret_env = "HANSARD_WEBHOOK_SECRET";  ///< environment variable that holds the secret
  int per_minute = 30;
};

struct Config {
  std::string path;        ///< where it was read from, empty: defaults alone
  std::string data_dir;    ///< database, audio, token
  std::string output_dir;  ///< minutes
  std::string listen_address = "127.0.0.1";
  std::uint16_t listen_port = 8177;        ///< 0: any free one
  bool allow_remote = false;               ///< may listen_address be other than loopback
  std::vector<std::string> allowed_names;  ///< further names by which a browser may address the page
  std::string api_token;                   ///< from the environment only; empty: made and kept in data_dir
  calendar::AttendRules attend;            ///< for calendars without rules of their own
  /// Feeds and files; without an url: settings of the connected calendar with that id.
  std::vector<flow::CalendarSource> calendars;
  calendar::SourceEnvironment sources;     ///< addresses of the vendors' services, and ours for their pushes
  std::vector<std::string> own_addresses;  ///< mail addresses of the calendars' owner
  flow::MeetingSettings meeting;
  std::vector<TaskSinkConfig> task_sinks;
  std::string speech_models;     ///< folder of the embedded models, empty: the program's own
  std::string speech_model_dir;  ///< folder of another sherpa-onnx model, empty: the embedded one
  std::string analysis_weights;  ///< file, empty: the shipped one
  std::uint64_t min_free_bytes = 200u << 20;
  std::vector<std::string> media_hosts;  ///< WHEP endpoints and rooms that calendars may name
  std::vector<std::string> allow_hosts;  ///< hosts in private ranges that calendars may be read from
  log::Level log_level = log::Level::kInfo;
  OnStop on_stop = OnStop::kHandOver;
  std::string audit_anchor_file;           ///< gets the audit log's head, a line each time; empty: none
  Duration audit_anchor_every = hours(1);  ///< what was done since the last line could be taken out of the log unseen
  Duration drain_limit = hours(2);         ///< longest wait of finish and leave; then the rest is handed over
};

/// Defaults from the environment (HOME, XDG_STATE_HOME). Errors: kInvalid (no home to be found).
Result<Config> default_config();

/// Where a configuration is looked for when none is named: $XDG_CONFIG_HOME/hansard/hansard.toml.
std::string default_config_path();

/// Reads and checks `path`; every problem is reported in one Error, a line each ("line 3: unknown key 'x' in [join]").
/// Errors: kNotFound, kDenied, kInvalid.
Result<Config> read_config(const std::string& path);
/// As read_config, from the text; `path` is for messages and relative paths.
Result<Config> parse_config(const std::string& text, const std::string& path);
/// The file named, or the default one when it is there, or defaults. Then what the environment overrides.
Result<Config> load_config(const std::string& path_or_empty);

/// The configuration in force without secrets, for `config show`.
Json config_json(const Config& config);

}  // namespace hansard
