#pragma once
// The weights that come with the program (see ATTRIBUTION.md), for analysis::Model::load.
#include <string_view>

namespace hansard::analysis {

std::string_view embedded_weights();

}  // namespace hansard::analysis
