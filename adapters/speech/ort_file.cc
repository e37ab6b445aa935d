#include "adapters/speech/ort_file.h"

#include <algorithm>
#include <cstring>
#include <fstream>

namespace hansard::speech {
namespace {

// Slots of the tables in ONNX Runtime's schema (core/flatbuffers/schema/ort.fbs).
constexpr std::uint32_t kSessionModel = 6;
constexpr std::uint32_t kModelGraph = 18;
constexpr std::uint32_t kGraphConstants = 4;
constexpr std::uint32_t kGraphNodes = 8;
constexpr std::uint32_t kTensorName = 4;
constexpr std::uint32_t kTensorShape = 8;
constexpr std::uint32_t kTensorType = 10;
constexpr std::uint32_t kTensorData = 12;
constexpr std::uint32_t kNodeName = 4;
constexpr std::uint32_t kNodeInputs = 20;
constexpr std::uint32_t kNodeAttributes = 24;
constexpr std::uint32_t kAttributeGraph = 18;
// Far more than a model has: a damaged file must not take all memory.
constexpr int kDeepest = 4;
constexpr std::size_t kMostTables = 100'000;
constexpr std::size_t kMostDimensions = 8;
constexpr std::size_t kLongestName = 1000;

}  // namespace

Result<OrtFile> OrtFile::read(const std::string& path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in) return fail(ErrorClass::kNotFound, "speech", "the model file " + path + " is missing");
  OrtFile out;
  out.bytes_.resize(static_cast<std::size_t>(std::max<std::streamoff>(in.tellg(), 0)));
  in.seekg(0);
  in.read(out.bytes_.data(), static_cast<std::streamsize>(out.bytes_.size()));
  // A flatbuffer begins with where its first table is and, optionally, four letters.
  const bool ours = in && out.bytes_.size() > 8 && std::memcmp(out.bytes_.data() + 4, "ORTM", 4) == 0;
  if (ours) out.read_graph(out.reference(out.reference(out.word(0), kSessionModel), kModelGraph), 0);
  if (out.constants_.empty())
    return fail(ErrorClass::kInvalid, "speech", "the model file " + path + " is not in ONNX Runtime's format");
  return out;
}

const OrtFile::Tensor* OrtFile::constant(std::string_view name) const {
  const auto it = constants_.find(name);
  return it == constants_.end() ? nullptr : &it->second;
}

const std::vector<std::string>& OrtFile::inputs(std::string_view node) const {
  static const std::vector<std::string> kNone;
  const auto it = inputs_.find(node);
  return it == inputs_.end() ? kNone : it->second;
}

std::uint32_t OrtFile::word(std::uint64_t at) const {
  std::uint32_t value = 0;
  if (at + sizeof value <= bytes_.size()) std::memcpy(&value, bytes_.data() + at, sizeof value);
  return value;
}

// Where a table has the field of a slot.
std::uint32_t OrtFile::field(std::uint32_t table, std::uint32_t slot) const {
  const auto short_word = [&](std::int64_t at) { return word(static_cast<std::uint64_t>(at)) & 0xFFFF; };
  const std::int64_t names = std::int64_t{table} - static_cast<std::int32_t>(word(table));
  if (table == 0 || names <= 0 || slot + 2 > short_word(names)) return 0;
  const std::uint32_t offset = short_word(names + slot);
  return offset == 0 ? 0 : table + offset;
}

std::uint32_t OrtFile::reference(std::uint32_t table, std::uint32_t slot) const {
  const std::uint32_t at = field(table, slot);
  if (at == 0) return 0;
  const std::uint64_t to = std::uint64_t{at} + word(at);
  return to < bytes_.size() ? static_cast<std::uint32_t>(to) : 0;
}

std::vector<std::uint32_t> OrtFile::tables(std::uint32_t table, std::uint32_t slot) {
  const std::uint32_t vector = reference(table, slot);
  std::vector<std::uint32_t> out;
  const std::size_t count = bytes_of(vector, 4).size() / 4;
  for (std::size_t i = 0; i < count && visited_ < kMostTables; ++i, ++visited_) {
    const std::uint64_t at = std::uint64_t{vector} + 4 + 4 * i;
    const std::uint64_t to = at + word(at);
    if (to < bytes_.size()) out.push_back(static_cast<std::uint32_t>(to));
  }
  return out;
}

// A vector of items of `item` bytes, or a string.
std::string_view OrtFile::bytes_of(std::uint32_t vector, std::size_t item) const {
  if (vector == 0) return {};
  const std::uint64_t size = std::uint64_t{word(vector)} * item;
  if (std::uint64_t{vector} + 4 + size > bytes_.size()) return {};
  return {bytes_.data() + vector + 4, size};
}

void OrtFile::read_graph(std::uint32_t graph, int depth) {
  if (graph == 0 || depth >= kDeepest) return;
  for (const std::uint32_t tensor : tables(graph, kGraphConstants)) read_constant(tensor);
  for (const std::uint32_t node : tables(graph, kGraphNodes)) read_node(node, depth);
}

void OrtFile::read_constant(std::uint32_t tensor) {
  Tensor out;
  const std::string_view shape = bytes_of(reference(tensor, kTensorShape), sizeof(std::int64_t));
  out.shape.resize(std::min(shape.size() / sizeof(std::int64_t), kMostDimensions));
  if (!out.shape.empty()) std::memcpy(out.shape.data(), shape.data(), out.shape.size() * sizeof(std::int64_t));
  const std::uint32_t type = field(tensor, kTensorType);
  out.type = type == 0 ? 0 : static_cast<std::int32_t>(word(type));
  out.data = bytes_of(reference(tensor, kTensorData), 1);
  constants_.emplace(bytes_of(reference(tensor, kTensorName), 1).substr(0, kLongestName), std::move(out));
}

void OrtFile::read_node(std::uint32_t node, int depth) {
  std::vector<std::string> inputs;
  for (const std::uint32_t name : tables(node, kNodeInputs)) inputs.emplace_back(bytes_of(name, 1).substr(0, kLongestName));
  inputs_.emplace(bytes_of(reference(node, kNodeName), 1).substr(0, kLongestName), std::move(inputs));
  for (const std::uint32_t attribute : tables(node, kNodeAttributes))
    read_graph(reference(attribute, kAttributeGraph), depth + 1);
}

}  // namespace hansard::speech
