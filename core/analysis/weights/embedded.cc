#include "core/analysis/weights/embedded.h"

// The assembler takes the file in as it is; a generated array of the same bytes would take seconds to compile.
__asm__(
    ".section .rodata\n"
    ".global hansard_analysis_weights_begin\n"
    ".global hansard_analysis_weights_end\n"
    ".balign 16\n"
    "hansard_analysis_weights_begin:\n"
    ".incbin \"" HANSARD_WEIGHTS_FILE
    "\"\n"
    "hansard_analysis_weights_end:\n"
    ".byte 0\n"
    ".text\n");

extern "C" {
extern const char hansard_analysis_weights_begin[];
extern const char hansard_analysis_weights_end[];
}

namespace hansard::analysis {

std::string_view embedded_weights() {
  return {hansard_analysis_weights_begin,
          static_cast<std::size_t>(hansard_analysis_weights_end - hansard_analysis_weights_begin)};
}

}  // namespace hansard::analysis
