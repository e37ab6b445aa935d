#include "adapters/webrtc/gst/options.h"

#include <cstdio>

#include "core/base/text.h"

namespace hansard::webrtc {

std::string Options::text(std::string_view name, std::string_view fallback) const {
  const auto it = values.find(name);
  return it != values.end() ? it->second : std::string(fallback);
}

Result<std::int64_t> Options::number(std::string_view name, std::int64_t fallback, std::int64_t low, std::int64_t high) const {
  const auto it = values.find(name);
  if (it == values.end()) return fallback;
  std::string_view digits = it->second;
  const bool negative = digits.starts_with('-');
  if (negative) digits.remove_prefix(1);
  std::int64_t value = 0;
  if (!parse_digits(digits, value)) value = high + 1;
  if (negative) value = -value;
  if (value < low || value > high) {
    return fail(ErrorClass::kInvalid, "media",
                "--" + std::string(name) + " needs a number from " + std::to_string(low) + " to " + std::to_string(high));
  }
  return value;
}

Result<Options> parse_options(const std::vector<std::string>& args, const std::set<std::string, std::less<>>& with_value,
                              const std::set<std::string, std::less<>>& flags) {
  Options out;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const std::string& arg = args[i];
    if (!arg.starts_with("--")) {
      out.rest.push_back(arg);
      continue;
    }
    const std::size_t equals = arg.find('=');
    const std::string name = arg.substr(2, equals == std::string::npos ? equals : equals - 2);
    if (flags.contains(name) && equals == std::string::npos) {
      out.flags.insert(name);
    } else if (with_value.contains(name)) {
      if (equals == std::string::npos && i + 1 >= args.size())
        return fail(ErrorClass::kInvalid, "media", "--" + name + " needs a value");
      out.values[name] = equals != std::string::npos ? arg.substr(equals + 1) : args[++i];
    } else {
      return fail(ErrorClass::kInvalid, "media", "unknown option --" + name);
    }
  }
  return out;
}

int complain(std::string_view text, int code) {
  std::fprintf(stderr, "hansard: %.*s\n", static_cast<int>(text.size()), text.data());
  return code;
}

}  // namespace hansard::webrtc
