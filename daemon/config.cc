// Where the configuration comes from, what the environment says to it, and how it is shown.
#include "daemon/config.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

namespace hansard {
namespace {

constexpr std::string_view kArea = "config";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

std::string default_config_path() {
  const std::string base = environment("XDG_CONFIG_HOME");
  return (base.empty() ? environment("HOME") + "/.config" : base) + "/hansard/hansard.toml";
}

Result<Config> default_config() {
  std::string state = environment("XDG_STATE_HOME");
  if (state.empty()) {
    const std::string home = environment("HOME");
    if (home.empty())
      return fail(ErrorClass::kInvalid, kArea,
                  "neither HOME nor XDG_STATE_HOME is set; set one of them, or data_dir in a configuration file");
    state = home + "/.local/state";
  }
  Config config;
  config.data_dir = state + "/hansard";
  config.output_dir = config.data_dir + "/minutes";
  return config;
}

Result<Config> read_config(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  struct stat info{};
  if (!file || ::stat(path.c_str(), &info) != 0 || S_ISDIR(info.st_mode)) {
    const int error = S_ISDIR(info.st_mode) ? EISDIR : errno;
    const ErrorClass code = error == ENOENT ? ErrorClass::kNotFound : ErrorClass::kDenied;
    return fail(code, kArea, "cannot read the configuration " + path + ": " + std::strerror(error));
  }
  std::ostringstream text;
  text << file.rdbuf();
  return parse_config(text.str(), path);
}

Result<Config> load_config(const std::string& path_or_empty) {
  const std::string path = path_or_empty.empty() ? default_config_path() : path_or_empty;
  auto config = read_config(path);
  if (!config && path_or_empty.empty() && config.error().code == ErrorClass::kNotFound) config = default_config();
  if (!config) return config;
  config->api_token = environment("HANSARD_API_TOKEN");
  if (const std::string dir = environment("HANSARD_DATA_DIR"); !dir.empty()) {
    if (config->output_dir == config->data_dir + "/minutes") config->output_dir = dir + "/minutes";
    config->data_dir = dir;
  }
  if (!config->api_token.empty() && config->api_token.size() < 16) {
    return fail(ErrorClass::kInvalid, kArea, "HANSARD_API_TOKEN is too short to protect anything; give at least 16 characters");
  }
  return config;
}

Json config_json(const Config& config) {
  Json out = Json::object();
  Json listen = Json::object();
  listen.set("address", config.listen_address)
      .set("port", std::int64_t{config.listen_port})
      .set("allow_remote", config.allow_remote);
  listen.set("names", to_json(config.allowed_names));
  Json calendars = Json::array();
  for (const auto& c : config.calendars) {
    // A calendar's address often is its password.
    Json one = Json::object();
    one.set("id", c.id).set("kind", c.kind).set("interval_s", c.interval.ms / 1000).set("look_ahead_s", c.look_ahead.ms / 1000);
    one.set("account", c.account).set("attend", to_json(c.attend));
    calendars.push(std::move(one));
  }
  out.set("file", config.path.empty() ? Json() : Json(config.path))
      .set("data_dir", config.data_dir)
      .set("output_dir", config.output_dir);
  out.set("listen", std::move(listen))
      .set("calendars", std::move(calendars))
      .set("attend", to_json(config.attend))
      .set("meeting", to_json(config.meeting));
  Json speech = Json::object();
  speech.set("models_dir", config.speech_models).set("model_dir", config.speech_model_dir);
  out.set("speech", std::move(speech)).set("analysis_weights", config.analysis_weights);
  out.set("media_hosts", to_json(config.media_hosts)).set("allow_hosts", to_json(config.allow_hosts));
  out.set("min_free_mb", static_cast<std::int64_t>(config.min_free_bytes >> 20));
  out.set("audit_anchor_file", config.audit_anchor_file).set("audit_anchor_every_s", config.audit_anchor_every.ms / 1000);
  out.set("on_stop", enum_name(config.on_stop)).set("drain_limit_s", config.drain_limit.ms / 1000);
  return out;
}

}  // namespace hansard
