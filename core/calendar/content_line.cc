#include "core/calendar/content_line.h"

#include "core/base/text.h"

namespace hansard::calendar {
namespace {

constexpr std::size_t kMaxParameters = 64;

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

bool is_name(std::string_view s) {
  for (const char c : s) {
    if (!is_name_char(c)) return false;
  }
  return !s.empty();
}

/// End of the name or parameter that begins at `from`: the first ';' or ':' outside quotes, or npos.
std::size_t part_end(std::string_view line, std::size_t from, bool heed_quotes) {
  bool quoted = false;
  for (std::size_t i = from; i < line.size(); ++i) {
    if (line[i] == '"' && heed_quotes) quoted = !quoted;
    if (!quoted && (line[i] == ';' || line[i] == ':')) return i;
  }
  return std::string_view::npos;
}

bool split_line(std::string_view line, ContentLine& out, bool heed_quotes) {
  out.parameters.clear();
  std::size_t end = part_end(line, 0, false);
  if (end == std::string_view::npos) return false;
  out.name = trim(line.substr(0, end));
  if (const auto dot = out.name.rfind('.'); dot != std::string_view::npos) out.name.remove_prefix(dot + 1);  // vCard groups
  if (!is_name(out.name)) return false;
  while (line[end] == ';') {
    const std::size_t from = end + 1;
    end = part_end(line, from, heed_quotes);
    if (end == std::string_view::npos) return false;
    const std::string_view part = line.substr(from, end - from);
    const auto equals = part.find('=');
    if (out.parameters.size() >= kMaxParameters) continue;
    if (equals == std::string_view::npos) {
      out.parameters.push_back({trim(part), {}});
    } else {
      out.parameters.push_back({trim(part.substr(0, equals)), trim(part.substr(equals + 1))});
    }
  }
  out.value = line.substr(end + 1);
  return true;
}

}  // namespace

bool ContentLine::is(std::string_view upper_name) const { return equals_ignore_case(name, upper_name); }

std::string ContentLine::parameter(std::string_view wanted) const {
  for (const Parameter& p : parameters) {
    if (!equals_ignore_case(p.name, wanted)) continue;
    std::string_view raw = p.raw;
    if (!raw.empty() && raw.front() == '"') {
      const auto close = raw.find('"', 1);
      raw = close == std::string_view::npos ? raw.substr(1) : raw.substr(1, close - 1);
    }
    std::string out;
    for (std::size_t i = 0; i < raw.size(); ++i) {
      const char next = i + 1 < raw.size() ? raw[i + 1] : '\0';
      if (raw[i] == '^' && (next == 'n' || next == '^' || next == '\'')) {
        out += next == 'n' ? '\n' : next == '^' ? '^' : '"';
        ++i;
      } else {
        out += raw[i];
      }
    }
    return is_valid_utf8(out) ? out : sanitize_utf8(out);
  }
  return {};
}

std::string unfold(std::string_view bytes) {
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  std::string out;
  out.reserve(bytes.size() + 1);
  std::size_t at = 0;
  while (at < bytes.size()) {
    std::size_t end = at;
    while (end < bytes.size() && bytes[end] != '\r' && bytes[end] != '\n') ++end;
    std::string_view line = bytes.substr(at, end - at);
    at = end + 1;
    if (end + 1 < bytes.size() && bytes[end] == '\r' && bytes[end + 1] == '\n') ++at;
    if (line.empty()) continue;
    if ((line.front() == ' ' || line.front() == '\t') && !out.empty()) {
      line.remove_prefix(1);
      out.pop_back();  // the '\n' of the line that goes on
    }
    out += line;
    out += '\n';
  }
  return out;
}

bool parse_content_line(std::string_view line, ContentLine& out) {
  return split_line(line, out, true) || split_line(line, out, false);
}

std::string unescape_text(std::string_view value) {
  std::string out;
  out.reserve(value.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\\' && i + 1 < value.size()) {
      ++i;
      out += value[i] == 'n' || value[i] == 'N' ? '\n' : value[i];
    } else {
      out += value[i];
    }
  }
  return is_valid_utf8(out) ? out : sanitize_utf8(out);
}

std::vector<std::string_view> split_list(std::string_view value) {
  std::vector<std::string_view> out;
  std::size_t from = 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\\') {
      ++i;
    } else if (value[i] == ',') {
      out.push_back(value.substr(from, i - from));
      from = i + 1;
    }
  }
  out.push_back(value.substr(from));
  return out;
}

}  // namespace hansard::calendar
