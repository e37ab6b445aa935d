#include "core/base/xml.h"

#include <utility>

#include "core/base/text.h"

namespace hansard {
namespace {

constexpr std::string_view kArea = "xml";
constexpr std::string_view kXmlNamespace = "http://www.w3.org/XML/1998/namespace";

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// Letters, digits and the like, and every byte of a character beyond ASCII. Stricter rules would refuse no harm.
bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' ||
         c == ':' || static_cast<unsigned char>(c) >= 0x80;
}

bool is_xml_character(char32_t c) {
  return c == 0x9 || c == 0xA || c == 0xD || (c >= 0x20 && c <= 0xD7FF) || (c >= 0xE000 && c <= 0xFFFD) ||
         (c >= 0x10000 && c <= 0x10FFFF);
}

class Reader {
 public:
  Reader(std::string_view bytes, const XmlLimits& limits) : text_(bytes), limits_(limits) {}

  Result<XmlElement> read() {
    if (text_.size() > limits_.max_bytes) return fail(ErrorClass::kExhausted, kArea, "the XML answer is too large");
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
    if (text_.starts_with("\xFE\xFF") || text_.starts_with("\xFF\xFE") || text_.substr(0, 4).find('\0') != std::string_view::npos)
      return fail(ErrorClass::kInvalid, kArea, "the XML answer is not in UTF-8");
    if (!skip_blank_and_asides() || at_ == text_.size() || text_[at_] != '<') {
      return broken("it begins with something else than an element");
    }
    if (!element_start()) return std::unexpected(error_);
    while (!open_.empty()) {
      if (!step()) return std::unexpected(error_);
    }
    if (!skip_blank_and_asides() || at_ != text_.size()) return broken("something follows its end");
    return std::move(root_);
  }

 private:
  struct Binding {
    std::string prefix, uri;
  };
  struct Open {
    XmlElement element;
    std::string_view tag;  ///< as written, with prefix
    std::size_t bindings;  ///< how many were there before it
  };

  std::unexpected<Error> broken(std::string_view why) {
    // The first reason is the one that helps.
    if (error_.detail.empty()) error_ = {ErrorClass::kInvalid, kArea, "the answer is not well-formed XML: " + std::string(why)};
    return std::unexpected(error_);
  }
  bool no(std::string_view why) {
    static_cast<void>(broken(why));
    return false;
  }
  bool too_much(std::string_view what) {
    error_ = {ErrorClass::kExhausted, kArea, "the XML answer has " + std::string(what)};
    return false;
  }
  bool looking_at(std::string_view what) const { return text_.substr(at_).starts_with(what); }
  void skip_blank() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }
  /// Moves behind the next `end`.
  bool skip_to(std::string_view end, std::string_view what) {
    const auto found = text_.find(end, at_);
    if (found == std::string_view::npos) return no(what);
    at_ = found + end.size();
    return true;
  }
  bool comment() {
    at_ += 4;
    return skip_to("-->", "a comment without end");
  }
  bool instruction() {
    const bool declaration = looking_at("<?xml ");
    const std::size_t begin = at_;
    if (!skip_to("?>", "an instruction without end")) return false;
    if (!declaration) return true;
    const std::string_view text = text_.substr(begin, at_ - begin);
    return find_ignore_case(text, "encoding") == std::string_view::npos ||
           find_ignore_case(text, "utf-8") != std::string_view::npos ||
           find_ignore_case(text, "us-ascii") != std::string_view::npos || no("it is not in UTF-8");
  }
  /// Everything that may stand outside of the root.
  bool skip_blank_and_asides() {
    while (true) {
      skip_blank();
      if (looking_at("<!DOCTYPE")) return no("a document type is not read");
      if (looking_at("<!--")) {
        if (!comment()) return false;
      } else if (looking_at("<?")) {
        if (!instruction()) return false;
      } else {
        return true;
      }
    }
  }

  /// One piece of an element's content.
  bool step() {
    if (at_ == text_.size()) return no("it ends in the middle");
    if (text_[at_] != '<') return characters();
    if (looking_at("</")) return element_end();
    if (looking_at("<!--")) return comment();
    if (looking_at("<![CDATA[")) return cdata();
    if (looking_at("<?")) return instruction();
    if (looking_at("<!")) return no("a declaration is not read");
    return element_start();
  }

  bool cdata() {
    at_ += 9;
    const std::size_t begin = at_;
    if (!skip_to("]]>", "a CDATA section without end")) return false;
    append_lines(open_.back().element.text, text_.substr(begin, at_ - 3 - begin));
    return true;
  }

  bool characters() {
    const std::size_t begin = at_;
    at_ = text_.find('<', at_);
    if (at_ == std::string_view::npos) at_ = text_.size();
    return decode(text_.substr(begin, at_ - begin), open_.back().element.text);
  }

  /// Line ends become line feeds (XML 1.0, 2.11).
  static void append_lines(std::string& out, std::string_view raw) {
    for (std::size_t i = 0; i < raw.size(); ++i) {
      if (raw[i] != '\r') {
        out += raw[i];
      } else if (i + 1 == raw.size() || raw[i + 1] != '\n') {
        out += '\n';
      }
    }
  }

  bool decode(std::string_view raw, std::string& out) {
    while (true) {
      const auto amp = raw.find('&');
      append_lines(out, raw.substr(0, amp));
      if (amp == std::string_view::npos) return true;
      const auto end = raw.find(';', amp);
      if (end == std::string_view::npos || end - amp > 12) return no("a bare '&'");
      if (!reference(raw.substr(amp + 1, end - amp - 1), out)) return false;
      raw.remove_prefix(end + 1);
    }
  }

  bool reference(std::string_view name, std::string& out) {
    constexpr std::pair<std::string_view, char> kKnown[] = {
        {"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
    for (const auto& [known, c] : kKnown) {
      if (name == known) return out += c, true;
    }
    if (!name.starts_with('#') || name.size() < 2) return no("an entity that nothing declares");
    const bool hex = name[1] == 'x';
    char32_t value = 0;
    const std::string_view digits = name.substr(hex ? 2 : 1);
    for (const char c : digits) {
      const int digit = c >= '0' && c <= '9'          ? c - '0'
                        : hex && c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : hex && c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                      : -1;
      if (digit < 0 || value > 0x10FFFF) return no("a character reference that is none");
      value = value * (hex ? 16 : 10) + static_cast<char32_t>(digit);
    }
    if (digits.empty() || !is_xml_character(value)) return no("a character reference that is none");
    append_utf8(out, value);
    return true;
  }

  std::string_view name() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_name_character(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  bool element_start() {
    if (open_.size() >= limits_.max_depth) return too_much("elements nested too deep");
    if (++elements_ > limits_.max_elements) return too_much("too many elements");
    ++at_;
    const std::string_view tag = name();
    if (tag.empty() || tag.size() > limits_.max_name) return no("a tag without a proper name");
    const std::size_t bindings = bindings_.size();
    std::vector<std::pair<std::string_view, std::string>> attributes;
    bool empty = false;
    if (!read_attributes(attributes, empty)) return false;
    open_.push_back({{}, tag, bindings});
    XmlElement& element = open_.back().element;
    if (!qualify(tag, true, element.ns, element.name)) return false;
    for (auto& [raw, value] : attributes) {
      XmlAttribute a;
      if (!qualify(raw, false, a.ns, a.name)) return false;
      a.value = std::move(value);
      element.attributes.push_back(std::move(a));
    }
    if (empty) close();
    return true;
  }

  bool read_attributes(std::vector<std::pair<std::string_view, std::string>>& out, bool& empty) {
    for (std::size_t count = 0;; ++count) {
      const std::size_t before = at_;
      skip_blank();
      if (at_ == text_.size()) return no("a tag without end");
      if (text_[at_] == '>') return ++at_, true;
      if (looking_at("/>")) return at_ += 2, empty = true, true;
      if (before == at_) return no("attributes without a blank between them");
      if (count == limits_.max_attributes) return too_much("too many attributes");
      const std::string_view attribute = name();
      skip_blank();
      if (attribute.empty() || attribute.size() > limits_.max_name || !looking_at("=")) return no("an attribute without a value");
      ++at_;
      skip_blank();
      const char quote = at_ < text_.size() ? text_[at_] : '\0';
      if (quote != '"' && quote != '\'') return no("an attribute without quotes");
      const std::size_t begin = ++at_;
      at_ = text_.find(quote, at_);
      if (at_ == std::string_view::npos) return at_ = text_.size(), no("an attribute without end");
      const std::string_view raw = text_.substr(begin, at_++ - begin);
      std::string value;
      if (raw.find('<') != std::string_view::npos) return no("'<' in an attribute");
      if (!decode(raw, value)) return false;
      for (const auto& [seen, _] : out) {
        if (seen == attribute) return no("an attribute given twice");
      }
      const bool binds = attribute == "xmlns" || attribute.starts_with("xmlns:");
      if (!binds) {
        out.emplace_back(attribute, std::move(value));
        continue;
      }
      if (value.size() > limits_.max_name) return too_much("a namespace that is too long");
      bindings_.push_back({std::string(attribute == "xmlns" ? "" : attribute.substr(6)), std::move(value)});
    }
  }

  /// Namespace and local name of a name as written. An attribute without prefix has no namespace.
  bool qualify(std::string_view raw, bool element, std::string& ns, std::string& local) {
    const auto colon = raw.find(':');
    const std::string_view prefix = colon == std::string_view::npos ? std::string_view() : raw.substr(0, colon);
    local = colon == std::string_view::npos ? raw : raw.substr(colon + 1);
    if (local.empty() || (colon != std::string_view::npos && prefix.empty())) return no("a name that is none");
    if (prefix.empty() && !element) return true;
    for (std::size_t i = bindings_.size(); i-- > 0;) {
      if (bindings_[i].prefix == prefix) return ns = bindings_[i].uri, true;
    }
    if (prefix == "xml") return ns = kXmlNamespace, true;
    return prefix.empty() || no("a prefix that nothing declares");
  }

  bool element_end() {
    at_ += 2;
    const std::string_view tag = name();
    skip_blank();
    if (!looking_at(">")) return no("an end tag without end");
    ++at_;
    if (tag != open_.back().tag) return no("an end tag of another element");
    close();
    return true;
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    bindings_.resize(done.bindings);
    if (!is_valid_utf8(done.element.text)) done.element.text = sanitize_utf8(done.element.text);
    if (open_.empty()) {
      root_ = std::move(done.element);
    } else {
      open_.back().element.children.push_back(std::move(done.element));
    }
  }

  std::string_view text_;
  const XmlLimits& limits_;
  std::size_t at_ = 0;
  std::size_t elements_ = 0;
  std::vector<Binding> bindings_;
  std::vector<Open> open_;
  XmlElement root_;
  Error error_;
};

}  // namespace

const XmlElement* XmlElement::child(std::string_view uri, std::string_view local) const {
  for (const XmlElement& c : children) {
    if (c.is(uri, local)) return &c;
  }
  return nullptr;
}

std::string_view XmlElement::child_text(std::string_view uri, std::string_view local) const {
  const XmlElement* c = child(uri, local);
  return c == nullptr ? std::string_view() : trim(c->text);
}

Result<XmlElement> read_xml(std::string_view bytes, const XmlLimits& limits) { return Reader(bytes, limits).read(); }

std::string xml_escape(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t c = next_utf8(text, at);
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\r': out += "&#13;"; break;
      default:
        if (is_xml_character(c)) append_utf8(out, c);
    }
  }
  return out;
}

}  // namespace hansard
