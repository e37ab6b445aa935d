// audit head, verify, list: the log of what people and the daemon did, beside a running daemon.
#include <algorithm>
#include <cstdio>

#include "adapters/sqlite/sqlite_store.h"
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/printable.h"
#include "core/base/text.h"
#include "daemon/audit_log.h"
#include "daemon/config.h"
#include "daemon/data_dir.h"
#include "host/store_check.h"

namespace hansard::cli {
namespace {

constexpr std::int64_t kShown = 50;
constexpr std::size_t kPage = 1000;

Json row_json(const audit::Row& row) {
  Json out = Json::object();
  out.set("seq", row.seq).set("time", format_rfc3339(row.act.at)).set("at_unix_ms", row.act.at.ms);
  out.set("actor", sanitize_utf8(row.act.actor)).set("action", sanitize_utf8(row.act.action));
  out.set("object", sanitize_utf8(row.act.object)).set("outcome", sanitize_utf8(row.act.outcome));
  return out.set("previous", audit::hex(row.previous)).set("hash", audit::hex(row.hash));
}

void print_row(const audit::Row& row) {
  std::printf("%6llu  %-24s  %-7s %-19s %s  %s\n", static_cast<unsigned long long>(row.seq), format_rfc3339(row.act.at).c_str(),
              printable(row.act.actor).c_str(), printable(row.act.action).c_str(), printable(row.act.object).c_str(),
              printable(row.act.outcome).c_str());
}

int head(Store& store, bool json) {
  const auto newest = store.audit_head();
  if (!newest) return report(newest.error());
  if (json) {
    Json out = Json::object();
    out.set("seq", newest->seq).set("hash", newest->seq == 0 ? "" : audit::hex(newest->hash));
    std::printf("%s\n", out.dump().c_str());
    return kOk;
  }
  if (newest->seq == 0) {
    std::fputs("hansard: the log has not begun: the next start of the daemon begins it\n", stderr);
    return kFailed;
  }
  std::printf("%llu %s\n", static_cast<unsigned long long>(newest->seq), audit::hex(newest->hash).c_str());
  return kOk;
}

Json verdict_json(const audit::Verdict& v) {
  Json out = Json::object();
  out.set("sound", v.fault == audit::Fault::kNone).set("fault", enum_name(v.fault)).set("seq", v.seq).set("rows", v.rows);
  out.set("anchors", std::uint64_t{v.anchors}).set("anchored", v.anchored);
  Json newest = Json::object();
  newest.set("seq", v.head.seq).set("hash", v.rows == 0 ? "" : audit::hex(v.head.hash));
  return out.set("head", std::move(newest)).set("detail", audit::describe(v));
}

int verify(Store& store, std::vector<audit::Anchor> anchors, bool json) {
  const bool anchored = !anchors.empty();
  const auto v = host::verify_audit(store, std::move(anchors));
  if (!v) return report(v.error());
  const bool sound = v->fault == audit::Fault::kNone;
  if (json) {
    std::printf("%s\n", verdict_json(*v).dump().c_str());
    return sound ? kOk : kFailed;
  }
  std::printf("%s: %s\n", sound ? "sound" : "not sound", audit::describe(*v).c_str());
  if (v->anchored > 0)
    std::printf("note   %zu anchors agree: up to row %llu everything is as it was anchored\n", v->anchors,
                static_cast<unsigned long long>(v->anchored));
  if (!anchored)
    std::puts(
        "note   without an anchor it cannot be seen whether rows at the end were taken away or written anew (hansard help "
        "audit)");
  return sound ? kOk : kFailed;
}

/// The newest ones, or those after `after`.
int list(Store& store, std::optional<std::int64_t> after, std::int64_t limit, bool json, bool lines) {
  const auto newest = store.audit_head();
  if (!newest) return report(newest.error());
  std::uint64_t at =
      after ? static_cast<std::uint64_t>(*after) : newest->seq - std::min(newest->seq, static_cast<std::uint64_t>(limit));
  Json all = Json::array();
  for (auto left = static_cast<std::uint64_t>(limit); left > 0;) {
    const auto page = store.audit_rows(at, static_cast<std::size_t>(std::min<std::uint64_t>(left, kPage)));
    if (!page) return report(page.error());
    if (page->empty()) break;
    for (const audit::Row& row : *page) {
      if (lines) {
        std::printf("%s\n", row_json(row).dump().c_str());
      } else if (json) {
        all.push(row_json(row));
      } else {
        print_row(row);
      }
    }
    left -= page->size();
    at = page->back().seq;
  }
  if (json) std::printf("%s\n", all.dump().c_str());
  return kOk;
}

/// What the words and the configuration name.
Result<std::vector<audit::Anchor>> anchors_of(const Args& a, const Config& config) {
  if (const std::string text = a.text("--anchor"); !text.empty()) {
    auto anchor = audit::parse_anchor(text);
    if (!anchor) return pass(anchor);
    return std::vector{*anchor};
  }
  const bool named = a.values.contains("--anchor-file");
  const std::string path = named ? a.text("--anchor-file") : config.audit_anchor_file;
  if (path.empty()) return std::vector<audit::Anchor>{};
  auto file = read_anchor_file(path);
  if (!file && !named && file.error().code == ErrorClass::kNotFound) return std::vector<audit::Anchor>{};
  if (!file) return pass(file);
  if (file->unreadable > 0) std::fprintf(stderr, "hansard: %zu lines of %s are no anchors\n", file->unreadable, path.c_str());
  return std::move(file->anchors);
}

}  // namespace

int cmd_audit(std::span<const std::string> args) {
  const auto a = parse_args(args, {"--config", "--anchor", "--anchor-file", "--after", "--limit"}, {"--json", "--jsonl"});
  if (!a) return wrong_use(a.error().detail);
  const std::string verb = a->rest.size() == 1 ? a->rest[0] : "";
  if (verb != "head" && verb != "verify" && verb != "list") return wrong_use("audit needs `head`, `verify` or `list`");
  const bool anchored = a->values.contains("--anchor") || a->values.contains("--anchor-file");
  if (anchored && verb != "verify") return wrong_use("--anchor and --anchor-file belong to `audit verify`");
  if (a->values.contains("--anchor") && a->values.contains("--anchor-file"))
    return wrong_use("name an --anchor or an --anchor-file, not both");
  std::int64_t after = 0;
  std::int64_t limit = kShown;
  if (a->values.contains("--after") && !parse_digits(a->text("--after"), after))
    return wrong_use("--after needs the number of a row");
  if (a->values.contains("--limit") && (!parse_digits(a->text("--limit"), limit) || limit == 0))
    return wrong_use("--limit needs a number of rows");
  const auto config = load_config(a->text("--config"));
  if (!config) return report(config.error());
  // Before the store: it has all rows that an anchor of now knows of.
  auto anchors = verb == "verify" ? anchors_of(*a, *config) : Result<std::vector<audit::Anchor>>{};
  if (!anchors) return a->values.contains("--anchor") ? wrong_use(anchors.error().detail) : report(anchors.error());
  auto store = open_sqlite_snapshot(store_path(config->data_dir));
  if (!store) return report(store.error());
  if (verb == "head") return head(**store, a->flag("--json"));
  if (verb == "verify") return verify(**store, std::move(*anchors), a->flag("--json"));
  return list(**store, a->values.contains("--after") ? std::optional(after) : std::nullopt, limit, a->flag("--json"),
              a->flag("--jsonl"));
}

}  // namespace hansard::cli
