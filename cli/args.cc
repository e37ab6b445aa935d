#include "cli/args.h"

#include <algorithm>
#include <cstdio>

#include "core/base/text.h"

namespace hansard::cli {
namespace {

bool among(std::initializer_list<std::string_view> list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

void print_error(std::string_view text) {
  for (const auto line : split(text, '\n')) std::fprintf(stderr, "hansard: %.*s\n", static_cast<int>(line.size()), line.data());
}

}  // namespace

Result<Args> parse_args(std::span<const std::string> args, std::initializer_list<std::string_view> with_value,
                        std::initializer_list<std::string_view> flag_names) {
  Args out;
  bool options = true;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const std::string& word = args[i];
    if (options && word == "--") {
      options = false;
      continue;
    }
    if (!options || word.size() < 2 || word[0] != '-') {
      out.rest.push_back(word);
      continue;
    }
    const auto equals = word.starts_with("--") ? word.find('=') : std::string::npos;
    const std::string name = word.substr(0, equals);
    if (among(flag_names, name) && equals == std::string::npos) {
      out.flags.insert(name);
    } else if (among(with_value, name)) {
      if (equals == std::string::npos && i + 1 >= args.size()) return fail(ErrorClass::kInvalid, "cli", name + " needs a value");
      out.values[name] = equals != std::string::npos ? word.substr(equals + 1) : args[++i];
    } else {
      return fail(ErrorClass::kInvalid, "cli", "unknown option " + name);
    }
  }
  return out;
}

int report(const Error& error) {
  print_error(error.detail);
  return kFailed;
}

int wrong_use(std::string_view detail) {
  print_error(std::string(detail) + "; see `hansard help`");
  return kWrongUse;
}

}  // namespace hansard::cli
