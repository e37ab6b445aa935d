#pragma once
// The page's files, embedded by the build (daemon/embed.cmake).
#include <span>
#include <string_view>

namespace hansard {

struct Asset {
  std::string_view name;  ///< "index.html"
  std::string_view type;  ///< media type
  std::string_view bytes;
};

std::span<const Asset> web_assets();

}  // namespace hansard
