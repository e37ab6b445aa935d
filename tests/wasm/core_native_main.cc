// The same calls, built for this machine: reads lines "NAME TEXT" and answers each with one line. The smoke test compares
// its answers with the WebAssembly module's, byte for byte.
#include <iostream>
#include <string>
#include <string_view>

#include "tests/wasm/core_calls.h"

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    const std::size_t space = line.find(' ');
    if (space == std::string::npos) return 2;
    const std::string_view name = std::string_view(line).substr(0, space);
    const std::string_view text = std::string_view(line).substr(space + 1);
    if (name == "hansard_json") {
      std::cout << hansard::core_calls::json(text) << '\n';
    } else if (name == "hansard_utterance") {
      std::cout << hansard::core_calls::utterance(text) << '\n';
    } else if (name == "hansard_step") {
      std::cout << hansard::core_calls::step(text) << '\n';
    } else {
      return 2;
    }
  }
  return 0;
}
