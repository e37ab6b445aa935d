#include "core/calendar/sources/caldav_messages.h"

#include "core/base/encoding.h"
#include "core/base/text.h"

namespace hansard::calendar {
namespace {

constexpr std::string_view kArea = "caldav";
constexpr std::string_view kDeclaration = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n";

/// "HTTP/1.1 404 Not Found" -> 404; 0 when it is nothing like that.
int read_status(std::string_view line) {
  line = trim(line);
  const auto blank = line.find(' ');
  if (blank == std::string_view::npos) return 0;
  std::int64_t code = 0;
  return parse_digits(line.substr(blank + 1, 3), code) && code >= 100 ? static_cast<int>(code) : 0;
}

DavResponse read_response(XmlElement& element) {
  DavResponse out;
  out.props.ns = kDavNs;
  out.props.name = "prop";
  for (XmlElement& part : element.children) {
    if (part.is(kDavNs, "href") && out.href.empty()) {
      out.href = trim(part.text);
    } else if (part.is(kDavNs, "status")) {
      out.status = read_status(part.text);
    } else if (part.is(kDavNs, "propstat")) {
      // No status counts as found: some servers leave it out when there is nothing to complain of.
      const XmlElement* status = part.child(kDavNs, "status");
      if (status != nullptr && read_status(status->text) != 200) continue;
      for (XmlElement& prop : part.children) {
        if (!prop.is(kDavNs, "prop")) continue;
        for (XmlElement& property : prop.children) out.props.children.push_back(std::move(property));
      }
    }
  }
  return out;
}

std::string default_port_removed(std::string_view scheme, std::string authority) {
  const std::string_view port = scheme == "https" ? ":443" : ":80";
  if (authority.ends_with(port)) authority.resize(authority.size() - port.size());
  return authority;
}

}  // namespace

std::string DavUrl::key() const {
  std::string out = percent_decode(std::string_view(path).substr(0, path.find('?')));
  while (out.size() > 1 && out.back() == '/') out.pop_back();
  return out;
}

Result<DavUrl> read_dav_url(std::string_view url) {
  const auto bad = [](std::string what) { return fail(ErrorClass::kInvalid, kArea, std::move(what)); };
  const auto colon = url.find("://");
  const std::string scheme = to_lower(url.substr(0, colon));
  if (colon == std::string_view::npos || (scheme != "https" && scheme != "http"))
    return bad("the address must begin with https://");
  for (const char c : url) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '\x7f' || c == '\\' || c == '#')
      return bad("the address holds characters that it may not hold");
  }
  const std::string_view rest = url.substr(colon + 3);
  const auto path_at = rest.find_first_of("/?");
  const std::string authority = default_port_removed(scheme, to_lower(rest.substr(0, path_at)));
  if (authority.empty() || authority.front() == ':') return bad("the address has no host");
  if (authority.find('@') != std::string::npos) return bad("an address with a user name in it is not read");
  DavUrl out;
  out.origin = scheme + "://" + authority;
  out.path = path_at == std::string_view::npos ? "" : rest.substr(path_at);
  if (!out.path.starts_with('/')) out.path.insert(0, "/");
  return out;
}

Result<DavUrl> resolve_href(const DavUrl& base, std::string_view written) {
  // Some servers leave blanks as they are.
  std::string encoded;
  for (const char c : trim(written.substr(0, written.find('#')))) {
    if (c == ' ') {
      encoded += "%20";
    } else {
      encoded += c;
    }
  }
  const std::string_view href = encoded;
  if (href.empty()) return fail(ErrorClass::kInvalid, kArea, "an empty href");
  if (href.starts_with("//")) return read_dav_url(base.origin.substr(0, base.origin.find(':') + 1) + std::string(href));
  if (href.starts_with('/')) return read_dav_url(base.origin + std::string(href));
  const auto colon = href.find("://");
  if (colon != std::string_view::npos && href.find_first_of("/?") > colon) return read_dav_url(href);
  const std::string folder = base.path.substr(0, base.path.find('?'));
  return read_dav_url(base.origin + folder.substr(0, folder.rfind('/') + 1) + std::string(href));
}

HttpRequest dav_request(std::string method, const DavUrl& url, int depth, std::string body, const Credentials& credentials) {
  HttpRequest request;
  request.method = std::move(method);
  request.url = url.text();
  request.body = std::move(body);
  request.timeout = seconds(60);
  // A redirect changes neither the method nor the body here, and must not carry the password elsewhere: we follow it.
  request.follow_redirects = false;
  request.headers = {{"Content-Type", "application/xml; charset=utf-8"},
                     {"Accept", "application/xml, text/xml;q=0.9"},
                     {"Depth", std::to_string(depth)}};
  if (credentials.grant == "basic") {
    request.headers.emplace_back("Authorization", "Basic " + base64_encode(credentials.username + ":" + credentials.password));
  } else if (credentials.grant == "bearer") {
    request.headers.emplace_back("Authorization", "Bearer " + credentials.access_token);
  }
  return request;
}

std::string propfind_body(std::initializer_list<std::pair<std::string_view, std::string_view>> names) {
  std::string out(kDeclaration);
  out += "<d:propfind xmlns:d=\"DAV:\"><d:prop>";
  for (const auto& [ns, name] : names) {
    out += "<x:" + std::string(name) + " xmlns:x=\"" + xml_escape(ns) + "\"/>";
  }
  return out + "</d:prop></d:propfind>\n";
}

std::string sync_collection_body(std::string_view token) {
  return std::string(kDeclaration) + "<d:sync-collection xmlns:d=\"DAV:\"><d:sync-token>" + xml_escape(token) +
         "</d:sync-token><d:sync-level>1</d:sync-level><d:prop><d:getetag/></d:prop></d:sync-collection>\n";
}

std::string multiget_body(const std::vector<std::string>& hrefs) {
  std::string out(kDeclaration);
  out += "<c:calendar-multiget xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\">";
  out += "<d:prop><d:getetag/><c:calendar-data/></d:prop>";
  for (const std::string& href : hrefs) out += "<d:href>" + xml_escape(href) + "</d:href>";
  return out + "</c:calendar-multiget>\n";
}

Result<Multistatus> read_multistatus(std::string_view bytes) {
  auto root = read_xml(bytes);
  if (!root) return pass(root);
  if (!root->is(kDavNs, "multistatus")) return fail(ErrorClass::kInvalid, kArea, "the answer is no WebDAV multistatus");
  Multistatus out;
  out.sync_token = root->child_text(kDavNs, "sync-token");
  for (XmlElement& child : root->children) {
    if (!child.is(kDavNs, "response")) continue;
    // One status may stand for several resources (RFC 4918, 14.24).
    std::vector<std::string> further;
    for (const XmlElement& part : child.children) {
      if (part.is(kDavNs, "href")) further.emplace_back(trim(part.text));
    }
    DavResponse response = read_response(child);
    if (response.href.empty()) continue;
    const int status = response.status;
    out.responses.push_back(std::move(response));
    for (std::size_t i = 1; i < further.size() && status != 0; ++i) out.responses.push_back({further[i], status, {}});
  }
  return out;
}

bool names_precondition(std::string_view body, std::string_view name) {
  const auto root = read_xml(body);
  return root && root->is(kDavNs, "error") && root->child(kDavNs, name) != nullptr;
}

bool is_calendar(const XmlElement& props) {
  const XmlElement* type = props.child(kDavNs, "resourcetype");
  return type != nullptr && type->child(kCalDavNs, "calendar") != nullptr;
}

bool holds_events(const XmlElement& props) {
  const XmlElement* set = props.child(kCalDavNs, "supported-calendar-component-set");
  if (set == nullptr || set->children.empty()) return true;
  for (const XmlElement& component : set->children) {
    for (const XmlAttribute& a : component.attributes) {
      if (a.name == "name" && equals_ignore_case(a.value, "VEVENT")) return true;
    }
  }
  return false;
}

bool can_sync(const XmlElement& props) {
  const XmlElement* set = props.child(kDavNs, "supported-report-set");
  if (set == nullptr) return false;
  for (const XmlElement& supported : set->children) {
    const XmlElement* report = supported.child(kDavNs, "report");
    if (report != nullptr && report->child(kDavNs, "sync-collection") != nullptr) return true;
  }
  return false;
}

std::string href_of(const XmlElement& props, std::string_view ns, std::string_view name) {
  const XmlElement* property = props.child(ns, name);
  return property == nullptr ? std::string() : std::string(property->child_text(kDavNs, "href"));
}

}  // namespace hansard::calendar
