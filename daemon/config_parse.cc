// The configuration file: what each table and key means, and what is wrong with what is written there.
#include <cstdlib>
#include <map>
#include <set>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "core/base/text.h"
#include "daemon/config.h"

namespace hansard {
namespace {

constexpr std::string_view kArea = "config";

std::string home_folder() {
  const char* home = std::getenv("HOME");
  return home == nullptr ? "" : home;
}

/// "90", "90s", "15min", "24h", "500ms". Errors: what to write instead.
Result<Duration> parse_duration(std::string_view text) {
  const auto unit_at = text.find_first_not_of("0123456789");
  std::int64_t n = 0;
  if (unit_at == 0 || unit_at == std::string_view::npos || !parse_digits(text.substr(0, unit_at), n) || n > 1'000'000'000) {
    return fail(ErrorClass::kInvalid, kArea, "expected a time like \"30s\", \"15min\" or \"24h\"");
  }
  const std::string_view unit = text.substr(unit_at);
  if (unit == "ms") return milliseconds(n);
  if (unit == "s") return seconds(n);
  if (unit == "min") return minutes(n);
  if (unit == "h") return hours(n);
  return fail(ErrorClass::kInvalid, kArea, "expected a time like \"30s\", \"15min\" or \"24h\"");
}

/// Walks one table: reads the known keys, then reports those that are left.
class Section {
 public:
  Section(const toml::table& table, std::string name, std::vector<std::string>& problems)
      : table_(table), name_(std::move(name)), problems_(problems) {}

  void text(const char* key, std::string& out, bool required = false) {
    const toml::node* node = take(key);
    if (node == nullptr) {
      if (required) problem(table_.source(), std::string("'") + key + "' is missing in " + name_);
      return;
    }
    if (const auto* v = node->as_string()) {
      out = v->get();
    } else {
      wrong(*node, key, "a text in quotes");
    }
  }
  void flag(const char* key, bool& out) {
    const toml::node* node = take(key);
    if (node == nullptr) return;
    if (const auto* v = node->as_boolean()) {
      out = v->get();
    } else {
      wrong(*node, key, "true or false");
    }
  }
  void number(const char* key, std::int64_t low, std::int64_t high, std::int64_t& out) {
    const toml::node* node = take(key);
    if (node == nullptr) return;
    const auto* v = node->as_integer();
    if (v != nullptr && v->get() >= low && v->get() <= high) {
      out = v->get();
    } else {
      wrong(*node, key, "a whole number from " + std::to_string(low) + " to " + std::to_string(high));
    }
  }
  void duration(const char* key, Duration& out, Duration least = {0}) {
    const toml::node* node = take(key);
    if (node == nullptr) return;
    const auto* v = node->as_string();
    const auto parsed = v != nullptr ? parse_duration(v->get()) : Result<Duration>(fail(ErrorClass::kInvalid, kArea, ""));
    if (!parsed) {
      wrong(*node, key, "a time like \"30s\", \"15min\" or \"24h\"");
    } else if (*parsed < least) {
      wrong(*node, key, "at least " + std::to_string(least.ms / 1000) + " s");
    } else {
      out = *parsed;
    }
  }
  void texts(const char* key, std::vector<std::string>& out) {
    const toml::node* node = take(key);
    if (node == nullptr) return;
    const auto* list = node->as_array();
    out.clear();
    if (list == nullptr) return wrong(*node, key, "a list of texts");
    for (const auto& item : *list) {
      const auto* v = item.as_string();
      if (v == nullptr) return wrong(item, key, "a list of texts");
      out.push_back(v->get());
    }
  }
  const toml::node* take(const char* key) {
    known_.insert(key);
    return table_.get(key);
  }
  void wrong(const toml::node& node, const char* key, const std::string& expected) {
    problem(node.source(), std::string("'") + key + "' in " + name_ + " must be " + expected);
  }
  void problem(const toml::source_region& where, const std::string& what) {
    problems_.push_back("line " + std::to_string(where.begin.line) + ": " + what);
  }
  void finish() {
    for (const auto& [key, node] : table_) {
      if (known_.contains(std::string(key.str()))) continue;
      std::string names;
      for (const auto& k : known_) names += (names.empty() ? "" : ", ") + k;
      problem(node.source(), "unknown key '" + std::string(key.str()) + "' in " + name_ + "; known are " + names);
    }
  }

 private:
  const toml::table& table_;
  std::string name_;
  std::vector<std::string>& problems_;
  std::set<std::string> known_;
};

template <class F>
void sub_table(Section& parent, const char* key, std::vector<std::string>& problems, F read) {
  const toml::node* node = parent.take(key);
  if (node == nullptr) return;
  if (const auto* table = node->as_table()) {
    Section section(*table, std::string("[") + key + "]", problems);
    read(section);
    section.finish();
  } else {
    parent.wrong(*node, key, "a table");
  }
}

/// Every table of an array of tables, such as [[calendar]].
template <class F>
void each_table(Section& parent, const char* key, std::vector<std::string>& problems, F read) {
  const toml::node* node = parent.take(key);
  if (node == nullptr) return;
  const std::string name = std::string("[[") + key + "]]";
  const auto* list = node->as_array();
  if (list == nullptr) return parent.wrong(*node, key, "written as " + name);
  for (const toml::node& item : *list) {
    const auto* table = item.as_table();
    if (table == nullptr) {
      parent.wrong(item, key, "written as " + name);
      continue;
    }
    Section section(*table, name, problems);
    read(section, *table);
    section.finish();
  }
}

/// A path as written in the file: ~ is the home, a relative one is seen from the file's folder.
std::string expand_path(const std::string& path, const std::string& file) {
  if (path.empty() || path.front() == '/') return path;
  if (path.starts_with("~/")) return home_folder() + path.substr(1);
  const auto slash = file.rfind('/');
  return slash == std::string::npos ? path : file.substr(0, slash + 1) + path;
}

/// Rules of attendance; what is not written stays as it is in `rules`.
void read_attend(Section& s, calendar::AttendRules& rules) {
  if (const toml::node* node = s.take("only")) {
    std::vector<std::string> only;
    s.texts("only", only);
    rules.accepted = rules.external = rules.tagged = false;
    for (const std::string& word : only) {
      bool* rule = word == "accepted"   ? &rules.accepted
                   : word == "external" ? &rules.external
                   : word == "tagged"   ? &rules.tagged
                                        : nullptr;
      if (rule == nullptr) {
        s.wrong(*node, "only", "a list of \"accepted\", \"external\" and \"tagged\"; empty: all meetings");
      } else {
        *rule = true;
      }
    }
  }
  s.texts("include", rules.include);
  s.texts("exclude", rules.exclude);
  s.text("tag", rules.tag);
  s.text("opt_out", rules.opt_out);
  s.texts("own_domains", rules.own_domains);
  for (std::string& domain : rules.own_domains) domain = to_lower(domain.substr(domain.rfind('@') + 1));
}

void read_calendar(Section& section, const toml::node& node, const std::string& file, std::vector<std::string>& problems,
                   Config& config) {
  flow::CalendarSource source;
  source.attend = config.attend;
  std::string address;
  std::string path;
  section.text("id", source.id, true);
  section.text("kind", source.kind);
  section.text("url", address);
  section.text("path", path);
  section.text("account", source.account);
  section.duration("interval", source.interval, seconds(1));
  section.duration("look_ahead", source.look_ahead, minutes(1));
  sub_table(section, "attend", problems, [&](Section& s) { read_attend(s, source.attend); });
  const bool feed = !address.empty() || !path.empty();
  if (source.kind.empty() && feed) source.kind = "ics";
  if (!address.empty() && !path.empty()) section.problem(node.source(), "[[calendar]] needs either 'url' or 'path', not both");
  if (source.kind.empty()) {
    section.problem(node.source(),
                    "[[calendar]] needs either 'url' or 'path'; for one made with `hansard calendar connect` write its 'kind'");
  } else if (source.kind != "ics" && source.kind != "google" && source.kind != "microsoft" && source.kind != "caldav") {
    section.problem(node.source(), "'kind' in [[calendar]] must be \"ics\", \"google\", \"microsoft\" or \"caldav\"");
  } else if (source.kind != "ics" && feed) {
    section.problem(node.source(), "a " + source.kind + " calendar is reached by `hansard calendar connect " + source.kind +
                                       "`, not by 'url' or 'path'");
  }
  source.url = address.empty() ? expand_path(path, file) : address;
  for (const auto& other : config.calendars) {
    if (other.id == source.id) section.problem(node.source(), "two calendars have the id '" + source.id + "'");
  }
  config.calendars.push_back(std::move(source));
}

/// Where Google and Microsoft are (sovereign clouds, tests), and where they can reach us.
void read_vendors(Section& root, std::vector<std::string>& problems, calendar::SourceEnvironment& sources) {
  sub_table(root, "google", problems, [&](Section& s) {
    s.text("api_root", sources.google.api_root);
    s.text("authorization_url", sources.google.authorization_url);
    s.text("token_url", sources.google.token_url);
    s.text("revocation_url", sources.google.revocation_url);
  });
  sub_table(root, "microsoft", problems, [&](Section& s) {
    s.text("login_root", sources.microsoft.login_root);
    s.text("graph_root", sources.microsoft.graph_root);
  });
  sub_table(root, "push", problems, [&](Section& s) {
    s.text("url", sources.push_url);
    const toml::node* node = s.take("url");
    if (node != nullptr && !sources.push_url.starts_with("https://"))
      s.wrong(*node, "url", "an https address that vendors can reach");
    while (sources.push_url.ends_with('/')) sources.push_url.pop_back();
  });
  for (std::string* root_url : {&sources.google.api_root, &sources.microsoft.login_root, &sources.microsoft.graph_root}) {
    if (!root_url->ends_with('/')) *root_url += '/';
  }
}

void read_task_sink(Section& section, const toml::node& node, Config& config) {
  TaskSinkConfig sink;
  std::int64_t per_minute = sink.per_minute;
  section.text("id", sink.id, true);
  section.text("kind", sink.kind, true);
  section.text("url", sink.url, true);
  section.text("secret_env", sink.secret_env);
  section.number("per_minute", 1, 6000, per_minute);
  sink.per_minute = static_cast<int>(per_minute);
  if (!sink.kind.empty() && sink.kind != "webhook") section.problem(node.source(), "'kind' in [[task_sink]] must be \"webhook\"");
  for (const auto& other : config.task_sinks) {
    if (other.id == sink.id) section.problem(node.source(), "two task sinks have the id '" + sink.id + "'");
  }
  config.meeting.sinks.push_back(sink.id);
  config.task_sinks.push_back(std::move(sink));
}

void read_meeting_sections(Section& root, std::vector<std::string>& problems, Config& config) {
  sub_table(root, "join", problems, [&](Section& s) {
    auto& join = config.meeting.join;
    s.duration("validate_before", join.validate_before);
    s.duration("join_before", join.join_before);
    s.duration("not_started_retry", join.not_started_retry, seconds(1));
    s.text("display_name", config.meeting.display_name);
  });
  sub_table(root, "leave", problems, [&](Section& s) {
    auto& leave = config.meeting.leave;
    s.duration("lobby", leave.lobby, seconds(1));
    s.duration("alone", leave.alone, seconds(1));
    s.duration("only_bots", leave.only_bots, seconds(1));
    s.duration("silent", leave.silent, seconds(1));
    s.duration("grace", leave.grace);
    s.duration("join_answer", leave.join_answer, seconds(1));
    s.duration("leave_answer", leave.leave_answer, seconds(1));
  });
}

void read_level(Section& section, Config& config) {
  std::string level = "info";
  section.text("level", level);
  const std::map<std::string, log::Level> levels{{"debug", log::Level::kDebug},
                                                 {"info", log::Level::kInfo},
                                                 {"warning", log::Level::kWarning},
                                                 {"error", log::Level::kError}};
  if (const auto it = levels.find(level); it != levels.end()) {
    config.log_level = it->second;
  } else if (const toml::node* node = section.take("level")) {
    section.wrong(*node, "level", "\"debug\", \"info\", \"warning\" or \"error\"");
  }
}

void read_daemon(Section& section, Config& config) {
  std::string on_stop(enum_name(config.on_stop));
  section.text("on_stop", on_stop);
  if (const auto how = enum_value<OnStop>(on_stop)) {
    config.on_stop = *how;
  } else if (const toml::node* node = section.take("on_stop")) {
    section.wrong(*node, "on_stop", "\"hand_over\", \"finish\" or \"leave\"");
  }
  section.duration("drain_limit", config.drain_limit, seconds(1));
}

void read_root(Section& root, std::vector<std::string>& problems, const std::string& path, Config& config) {
  std::string data_dir;
  std::string output_dir;
  root.text("data_dir", data_dir);
  root.text("output_dir", output_dir);
  root.texts("own_addresses", config.own_addresses);
  if (!data_dir.empty()) config.data_dir = expand_path(data_dir, path);
  config.output_dir = output_dir.empty() ? config.data_dir + "/minutes" : expand_path(output_dir, path);
  sub_table(root, "listen", problems, [&](Section& s) {
    std::int64_t port = config.listen_port;
    s.text("address", config.listen_address);
    s.number("port", 0, 65535, port);
    s.flag("allow_remote", config.allow_remote);
    s.texts("names", config.allowed_names);
    config.listen_port = static_cast<std::uint16_t>(port);
    const bool loopback = config.listen_address.starts_with("127.") || config.listen_address == "::1";
    if (const toml::node* node = s.take("address"); node != nullptr && !loopback && !config.allow_remote) {
      s.problem(node->source(),
                "'address' in [listen] is not a loopback address; the page has no encryption of its own, so put a TLS proxy in "
                "front and set allow_remote = true");
    }
  });
  sub_table(root, "attend", problems, [&](Section& s) { read_attend(s, config.attend); });
  each_table(root, "calendar", problems,
             [&](Section& section, const toml::table& table) { read_calendar(section, table, path, problems, config); });
  read_vendors(root, problems, config.sources);
  read_meeting_sections(root, problems, config);
  sub_table(root, "speech", problems, [&](Section& s) {
    s.text("models_dir", config.speech_models);
    s.text("model_dir", config.speech_model_dir);
    s.text("language", config.meeting.language);
    s.duration("keep_audio", config.meeting.keep_audio, minutes(1));
    config.speech_models = expand_path(config.speech_models, path);
    config.speech_model_dir = expand_path(config.speech_model_dir, path);
  });
  sub_table(root, "analysis", problems, [&](Section& s) {
    s.text("weights", config.analysis_weights);
    config.analysis_weights = expand_path(config.analysis_weights, path);
  });
  sub_table(root, "media", problems, [&](Section& s) {
    std::int64_t mb = static_cast<std::int64_t>(config.min_free_bytes >> 20);
    s.texts("hosts", config.media_hosts);
    s.number("min_free_mb", 0, 1 << 30, mb);
    config.min_free_bytes = static_cast<std::uint64_t>(mb) << 20;
  });
  sub_table(root, "http", problems, [&](Section& s) { s.texts("allow_hosts", config.allow_hosts); });
  each_table(root, "task_sink", problems, [&](Section& s, const toml::table& table) { read_task_sink(s, table, config); });
  sub_table(root, "daemon", problems, [&](Section& s) { read_daemon(s, config); });
  sub_table(root, "audit", problems, [&](Section& s) {
    s.text("anchor_file", config.audit_anchor_file);
    s.duration("anchor_every", config.audit_anchor_every, seconds(1));
    config.audit_anchor_file = expand_path(config.audit_anchor_file, path);
  });
  sub_table(root, "log", problems, [&](Section& s) { read_level(s, config); });
}

}  // namespace

Result<Config> parse_config(const std::string& text, const std::string& path) {
  const toml::parse_result parsed = toml::parse(std::string_view(text), std::string_view(path));
  if (!parsed) {
    const auto& error = parsed.error();
    return fail(ErrorClass::kInvalid, kArea,
                path + ": line " + std::to_string(error.source().begin.line) + ": " + std::string(error.description()));
  }
  auto config = default_config();
  if (!config) {
    if (!parsed.table().contains("data_dir")) return config;
    config = Config{};
  }
  config->path = path;
  std::vector<std::string> problems;
  Section root(parsed.table(), "the file's top level", problems);
  read_root(root, problems, path, *config);
  root.finish();
  if (problems.empty()) return config;
  std::string all;
  for (const auto& problem : problems) all += (all.empty() ? "" : "\n") + path + ": " + problem;
  return fail(ErrorClass::kInvalid, kArea, all);
}

}  // namespace hansard
