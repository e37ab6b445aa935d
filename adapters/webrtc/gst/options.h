#pragma once
// Command-line options of the roles: --name VALUE, --name=VALUE and flags.
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace hansard::webrtc {

struct Options {
  std::map<std::string, std::string, std::less<>> values;
  std::set<std::string, std::less<>> flags;
  std::vector<std::string> rest;  ///< what is no option

  bool flag(std::string_view name) const { return flags.contains(name); }
  std::string text(std::string_view name, std::string_view fallback = {}) const;
  /// Errors: kInvalid when it is no number from `low` to `high`.
  Result<std::int64_t> number(std::string_view name, std::int64_t fallback, std::int64_t low, std::int64_t high) const;
};

/// Errors: kInvalid for an option that is in neither list, or lacks its value.
Result<Options> parse_options(const std::vector<std::string>& args, const std::set<std::string, std::less<>>& with_value,
                              const std::set<std::string, std::less<>>& flags);

/// Prints "hansard: TEXT" on standard error and returns `code`.
int complain(std::string_view text, int code);

}  // namespace hansard::webrtc
