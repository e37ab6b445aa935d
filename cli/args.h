#pragma once
// Command-line words of one command.
#include <cstdint>
#include <initializer_list>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace hansard::cli {

constexpr int kOk = 0;
constexpr int kFailed = 1;
constexpr int kWrongUse = 2;

struct Args {
  std::map<std::string, std::string, std::less<>> values;  ///< "--config FILE" and "--config=FILE"
  std::set<std::string, std::less<>> flags;
  std::vector<std::string> rest;

  bool flag(std::string_view name) const { return flags.contains(name); }
  std::string text(std::string_view name) const {
    const auto it = values.find(name);
    return it == values.end() ? "" : it->second;
  }
};

/// `with_value` and `flag_names` are written with their dashes. What follows "--" is taken as it is. Errors: kInvalid.
Result<Args> parse_args(std::span<const std::string> args, std::initializer_list<std::string_view> with_value,
                        std::initializer_list<std::string_view> flag_names);

/// "hansard: DETAIL" on standard error, each line of it; the exit code for the error.
int report(const Error& error);
/// As report, with kWrongUse.
int wrong_use(std::string_view detail);

}  // namespace hansard::cli
