#pragma once
// XML as data (XML 1.0, Namespaces in XML 1.0), as far as WebDAV needs it: a bounded tree of elements out of untrusted bytes.
// An own reader rather than expat: expat asks the system for random numbers and environment variables, which core must
// not, and is not there for WebAssembly, where CalDAV must work too. What WebDAV forbids anyway (document types, and with
// them entities) is most of what an XML library is large for.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace hansard {

struct XmlAttribute {
  std::string ns;  ///< namespace URI; empty for a name without prefix
  std::string name;
  std::string value;
};

struct XmlElement {
  std::string ns;    ///< namespace URI; empty: none
  std::string name;  ///< local name
  std::vector<XmlAttribute> attributes{};
  std::string text{};  ///< its own character data, that of its children left out
  std::vector<XmlElement> children{};

  bool is(std::string_view uri, std::string_view local) const { return name == local && ns == uri; }
  /// The first child of that name, or null.
  const XmlElement* child(std::string_view uri, std::string_view local) const;
  /// Text of that child without blanks around it, or empty.
  std::string_view child_text(std::string_view uri, std::string_view local) const;
};

struct XmlLimits {
  std::size_t max_bytes = 32u << 20;
  std::size_t max_depth = 32;
  std::size_t max_elements = 500'000;
  std::size_t max_attributes = 32;  ///< of one element, declarations of namespaces among them
  std::size_t max_name = 256;       ///< bytes of a name, a prefix, a namespace URI
};

/// The root element. The text is UTF-8 (other bytes become U+FFFD); comments and processing instructions are dropped.
/// Errors: kExhausted (a limit), kInvalid (not well-formed, another encoding, a document type, an unknown entity or prefix).
Result<XmlElement> read_xml(std::string_view bytes, const XmlLimits& limits = {});

/// Text for use between tags and in quoted attributes. Characters that XML 1.0 cannot hold are left out.
std::string xml_escape(std::string_view text);

}  // namespace hansard
