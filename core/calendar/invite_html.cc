#include "core/calendar/invite_html.h"

#include <algorithm>
#include <array>

#include "core/base/text.h"

namespace hansard::calendar {
namespace {

constexpr std::size_t kMaxLinks = 2'000;
constexpr std::size_t kMaxSkipped = 32;

struct Entity {
  std::string_view name;
  char32_t code;
};
constexpr Entity kEntities[] = {
    {"amp", '&'},       {"lt", '<'},       {"gt", '>'},        {"quot", '"'},      {"apos", '\''},    {"nbsp", 0xA0},
    {"sol", '/'},       {"colon", ':'},    {"quest", '?'},     {"equals", '='},    {"period", '.'},   {"num", '#'},
    {"lowbar", '_'},    {"percnt", '%'},   {"commat", '@'},    {"hyphen", 0x2010}, {"ndash", 0x2013}, {"mdash", 0x2014},
    {"lsquo", 0x2018},  {"rsquo", 0x2019}, {"ldquo", 0x201C},  {"rdquo", 0x201D},  {"laquo", 0xAB},   {"raquo", 0xBB},
    {"hellip", 0x2026}, {"bull", 0x2022},  {"middot", 0xB7},   {"shy", 0xAD},      {"zwnj", 0x200C},  {"zwj", 0x200D},
    {"ensp", 0x2002},   {"emsp", 0x2003},  {"thinsp", 0x2009}, {"agrave", 0xE0},   {"aacute", 0xE1},  {"acirc", 0xE2},
    {"atilde", 0xE3},   {"auml", 0xE4},    {"aring", 0xE5},    {"aelig", 0xE6},    {"ccedil", 0xE7},  {"egrave", 0xE8},
    {"eacute", 0xE9},   {"ecirc", 0xEA},   {"euml", 0xEB},     {"igrave", 0xEC},   {"iacute", 0xED},  {"icirc", 0xEE},
    {"ntilde", 0xF1},   {"ograve", 0xF2},  {"oacute", 0xF3},   {"ocirc", 0xF4},    {"otilde", 0xF5},  {"ouml", 0xF6},
    {"oslash", 0xF8},   {"ugrave", 0xF9},  {"uacute", 0xFA},   {"ucirc", 0xFB},    {"uuml", 0xFC},    {"szlig", 0xDF},
    {"Eacute", 0xC9},   {"Auml", 0xC4},    {"Ouml", 0xD6},     {"Uuml", 0xDC},     {"Aring", 0xC5},   {"Oslash", 0xD8},
};

/// The entity that begins at `at` ('&'); moves `at` behind it. 0 when it is none.
char32_t read_entity(std::string_view s, std::size_t& at) {
  const auto semicolon = s.substr(at, 12).find(';');
  if (semicolon == std::string_view::npos || semicolon < 2) return 0;
  const std::string_view body = s.substr(at + 1, semicolon - 1);
  char32_t code = 0;
  if (body.front() == '#') {
    const bool hex = body.size() > 1 && (body[1] == 'x' || body[1] == 'X');
    for (const char c : body.substr(hex ? 2 : 1)) {
      const int v = c >= '0' && c <= '9' ? c - '0' : hex && (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
      if (v < 0 || code > 0x10FFFF) return 0;
      code = code * (hex ? 16 : 10) + static_cast<char32_t>(v);
    }
  } else {
    const auto it = std::find_if(std::begin(kEntities), std::end(kEntities), [&](const Entity& e) { return e.name == body; });
    if (it == std::end(kEntities)) return 0;
    code = it->code;
  }
  if (code == 0 || code > 0x10FFFF) return 0;
  at += semicolon + 1;
  return code;
}

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_letter(char c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; }

template <std::size_t N>
bool one_of(std::string_view s, const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), s) != names.end();
}

constexpr std::array<std::string_view, 25> kBlocks = {
    "p",  "div", "br", "tr", "li",  "ul",   "ol",   "table",   "h1",      "h2",     "h3",     "h4",        "h5",
    "h6", "hr",  "dt", "dd", "pre", "body", "html", "section", "article", "header", "footer", "blockquote"};
constexpr std::array<std::string_view, 2> kCells = {"td", "th"};
/// Elements whose content no reader sees. The struck-out ones hold what is no longer so.
constexpr std::array<std::string_view, 8> kHidden = {"script", "style", "title", "template", "noscript", "del", "s", "strike"};
constexpr std::array<std::string_view, 10> kVoid = {"br", "img", "hr", "input", "meta", "link", "area", "col", "wbr", "source"};

struct Tag {
  std::string name;  ///< lower case
  bool closing = false;
  bool self_closing = false;
  std::string href, original, title, style;
};

class Walker {
 public:
  explicit Walker(std::string_view html) : html_(html) {}

  PlainBody run() {
    while (at_ < html_.size()) {
      if (html_[at_] == '<' && markup()) continue;
      character();
    }
    return std::move(out_);
  }

 private:
  /// Handles a tag, comment or declaration at `at_`; false when the '<' is only a character.
  bool markup() {
    const std::string_view rest = html_.substr(at_);
    if (rest.starts_with("<!--")) {
      const auto close = html_.find("-->", at_ + 4);
      at_ = close == std::string_view::npos ? html_.size() : close + 3;
      return true;
    }
    if (rest.size() < 2) return false;
    if (rest[1] == '!' || rest[1] == '?') {
      const auto close = html_.find('>', at_);
      at_ = close == std::string_view::npos ? html_.size() : close + 1;
      return true;
    }
    if (!is_letter(rest[1]) && rest[1] != '/') return false;
    Tag tag;
    const std::size_t begin = at_;
    if (!read_tag(tag)) {
      at_ = begin;
      return false;
    }
    apply(tag);
    return true;
  }

  bool read_tag(Tag& tag) {
    std::size_t p = at_ + 1;
    if (html_[p] == '/') {
      tag.closing = true;
      ++p;
    }
    const std::size_t name = p;
    while (p < html_.size() && (is_letter(html_[p]) || (html_[p] >= '0' && html_[p] <= '9') || html_[p] == '-')) ++p;
    tag.name = to_lower(html_.substr(name, p - name));
    // "<https://...>" is a link in angle brackets, not a tag.
    if (tag.name.empty() || p >= html_.size() || (!is_space(html_[p]) && html_[p] != '>' && html_[p] != '/')) {
      if (p < html_.size() && html_[p] == ':' && tag.name.size() == 1) return skip_to_end(p);  // <o:p>
      return false;
    }
    while (p < html_.size() && html_[p] != '>') {
      if (is_space(html_[p]) || html_[p] == '/') {
        tag.self_closing = html_[p] == '/';
        ++p;
        continue;
      }
      attribute(tag, p);
    }
    at_ = std::min(p + 1, html_.size());
    return true;
  }

  bool skip_to_end(std::size_t p) {
    const auto close = html_.find('>', p);
    at_ = close == std::string_view::npos ? html_.size() : close + 1;
    return true;
  }

  void attribute(Tag& tag, std::size_t& p) {
    const std::size_t begin = p;
    while (p < html_.size() && !is_space(html_[p]) && html_[p] != '=' && html_[p] != '>' && html_[p] != '/') ++p;
    if (p == begin) {
      ++p;
      return;
    }
    const std::string name = to_lower(html_.substr(begin, p - begin));
    while (p < html_.size() && is_space(html_[p])) ++p;
    if (p >= html_.size() || html_[p] != '=') return;
    ++p;
    while (p < html_.size() && is_space(html_[p])) ++p;
    std::string_view value;
    if (p < html_.size() && (html_[p] == '"' || html_[p] == '\'')) {
      const auto close = html_.find(html_[p], p + 1);
      const std::size_t end = close == std::string_view::npos ? html_.size() : close;
      value = html_.substr(p + 1, end - p - 1);
      p = std::min(end + 1, html_.size());
    } else {
      const std::size_t from = p;
      while (p < html_.size() && !is_space(html_[p]) && html_[p] != '>') ++p;
      value = html_.substr(from, p - from);
    }
    std::string* slot = name == "href"          ? &tag.href
                        : name == "originalsrc" ? &tag.original
                        : name == "title"       ? &tag.title
                        : name == "style"       ? &tag.style
                                                : nullptr;
    if (slot != nullptr && slot->empty()) *slot = decode_entities(trim(value));
  }

  static bool invisible(const Tag& tag) {
    std::string style;
    for (const char c : to_lower(tag.style)) {
      if (!is_space(c)) style += c;
    }
    return one_of(tag.name, kHidden) || style.find("display:none") != std::string::npos ||
           style.find("line-through") != std::string::npos;
  }

  void apply(const Tag& tag) {
    // Within hidden content only its own end counts; its elements of the same name nest.
    if (!hidden_.empty()) {
      if (tag.name != hidden_ || tag.self_closing) return;
      hidden_depth_ += tag.closing ? -1 : 1;
      if (hidden_depth_ == 0) hidden_.clear();
      return;
    }
    if (!tag.closing && !tag.self_closing && invisible(tag) && !one_of(tag.name, kVoid)) {
      // An element that is never closed hides nothing: a stray tag must not swallow the rest of the mail.
      if (++skipped_ <= kMaxSkipped && find_ignore_case(html_, "</" + tag.name, at_) != std::string_view::npos) {
        hidden_ = tag.name;
        hidden_depth_ = 1;
        if (tag.name == "script" || tag.name == "style") skip_raw();
      }
      return;
    }
    if (one_of(tag.name, kBlocks)) separate('\n');
    if (one_of(tag.name, kCells)) separate('\t');
    if (tag.closing || (tag.name != "a" && tag.name != "area")) return;
    add_link(tag.original);
    add_link(tag.href);
    // Outlook keeps the target of a wrapped link in the tool tip.
    if (const auto url = tag.title.find("https://");
        url != std::string::npos && starts_with_ignore_case(tag.title, "original url")) {
      add_link(tag.title.substr(url, tag.title.find_first_of(" \n;", url) - url));
    }
  }

  /// The content of a script or style is no markup: go to its end tag.
  void skip_raw() {
    const auto close = find_ignore_case(html_, "</" + hidden_, at_);
    if (close != std::string_view::npos) at_ = close;
  }

  void add_link(const std::string& url) {
    if (!url.empty() && out_.links.size() < kMaxLinks) out_.links.push_back({url, out_.text.size(), out_.text.size()});
  }

  void separate(char c) {
    while (!out_.text.empty() && out_.text.back() == ' ') out_.text.pop_back();
    if (out_.text.empty() || out_.text.back() == '\n' || (out_.text.back() == c)) return;
    if (out_.text.back() == '\t' && c == '\n') out_.text.pop_back();
    out_.text += c;
  }

  void character() {
    if (!hidden_.empty()) {
      const auto next = html_.find('<', at_ + 1);
      at_ = next == std::string_view::npos ? html_.size() : next;
      return;
    }
    if (is_space(html_[at_])) {
      ++at_;
      if (!out_.text.empty() && !is_space(out_.text.back())) out_.text += ' ';
      return;
    }
    if (html_[at_] == '&') {
      if (const char32_t code = read_entity(html_, at_)) {
        append_utf8(out_.text, code);
        return;
      }
    }
    out_.text += html_[at_++];
  }

  std::string_view html_;
  std::size_t at_ = 0;
  std::size_t skipped_ = 0;
  std::string hidden_;
  int hidden_depth_ = 0;
  PlainBody out_;
};

}  // namespace

std::string decode_entities(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == '&') {
      if (const char32_t code = read_entity(text, i)) {
        append_utf8(out, code);
        continue;
      }
    }
    out += text[i++];
  }
  return out;
}

bool looks_like_html_body(std::string_view text) {
  if (find_ignore_case(text, "href=") != std::string_view::npos && find_ignore_case(text, "<a ") != std::string_view::npos)
    return true;
  for (const std::string_view tag :
       {"<br>", "<br/>", "<br />", "</p>", "</div>", "</span>", "</html>", "</td>", "</li>", "</b>"}) {
    if (find_ignore_case(text, tag) != std::string_view::npos) return true;
  }
  return false;
}

PlainBody html_to_text(std::string_view html) { return Walker(html).run(); }

}  // namespace hansard::calendar
