#pragma once
// Commands that answer JSON Lines with JSON Lines.
#include <functional>
#include <string>

#include "core/base/json.h"

namespace hansard::cli {

/// Reads `file` ("-": standard input), one JSON object a line, blank lines left out, and writes `answer` of each as a line.
/// `command` ("invite") stands before errors, `form` says what a line is to hold. Returns the exit code: 1, after one line
/// on standard error, when the file cannot be read, a line is no object, or the output cannot be written.
int answer_json_lines(const std::string& command, const std::string& file, const std::string& form,
                      const std::function<Json(const Json&)>& answer);

}  // namespace hansard::cli
