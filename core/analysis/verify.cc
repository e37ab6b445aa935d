#include "core/analysis/verify.h"

#include <map>
#include <set>
#include <string_view>

namespace hansard {
namespace {

using Index = std::map<std::string_view, std::string_view>;

bool grounded(const AnalysisItem& item, const Index& texts) {
  if (item.text.empty() || item.quote.empty() || item.utterance_ids.empty()) return false;
  bool quoted = false;
  std::set<std::string_view> seen;
  for (const auto& id : item.utterance_ids) {
    const auto found = texts.find(id);
    if (found == texts.end() || !seen.insert(id).second) return false;
    quoted |= found->second.find(item.quote) != std::string_view::npos;
  }
  return quoted;
}

Index index_of(std::span<const Utterance> utterances) {
  Index out;
  for (const auto& u : utterances) out.emplace(u.id, u.text);
  return out;
}

}  // namespace

bool verify(const AnalysisItem& item, std::span<const Utterance> utterances) { return grounded(item, index_of(utterances)); }

void drop_ungrounded(std::vector<AnalysisItem>& items, std::span<const Utterance> utterances) {
  const Index texts = index_of(utterances);
  std::erase_if(items, [&](const AnalysisItem& item) { return !grounded(item, texts); });
}

}  // namespace hansard
