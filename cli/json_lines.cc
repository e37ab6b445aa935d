#include "cli/json_lines.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <system_error>

#include "core/base/text.h"

namespace hansard::cli {

int answer_json_lines(const std::string& command, const std::string& file, const std::string& form,
                      const std::function<Json(const Json&)>& answer) {
  const auto failed = [&](const std::string& what) {
    std::cerr << "hansard " << command << ": " << what << "\n";
    return 1;
  };
  std::ifstream opened;
  if (file != "-") {
    std::error_code error;
    opened.open(file, std::ios::binary);
    if (!opened || std::filesystem::is_directory(file, error)) {
      return failed("cannot read " + file + ": check the name and the permissions");
    }
  }
  std::istream& in = file == "-" ? std::cin : opened;
  std::string line;
  for (std::int64_t number = 1; std::getline(in, line); ++number) {
    if (trim(line).empty()) continue;
    const auto question = Json::parse(line);
    if (!question || !question->is_object()) {
      return failed("line " + std::to_string(number) + " is no JSON object: write " + form + " on each line");
    }
    std::cout << answer(*question).dump() << "\n";
  }
  std::cout << std::flush;
  return std::cout ? 0 : failed("cannot write the output");
}

}  // namespace hansard::cli
