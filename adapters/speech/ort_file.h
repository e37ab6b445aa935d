#pragma once
// Reads the constants out of a model in ONNX Runtime's own format (a flatbuffer), as far as they are needed to compute a known
// network without that runtime. Nothing in the file is trusted: what points outside of it does not exist.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace hansard::speech {

class OrtFile {
 public:
  struct Tensor {
    std::vector<std::int64_t> shape;
    std::int32_t type = 0;  ///< as in onnx.proto: 1 float, 2 unsigned bytes
    std::string_view data;
  };

  /// Errors: kNotFound, kInvalid (not such a file).
  static Result<OrtFile> read(const std::string& path);
  OrtFile(OrtFile&&) = default;
  OrtFile& operator=(OrtFile&&) = default;

  /// A constant of the graph or of a branch inside; null when there is none of that name.
  const Tensor* constant(std::string_view name) const;
  /// The names of what a node takes; empty when there is no node of that name.
  const std::vector<std::string>& inputs(std::string_view node) const;

 private:
  OrtFile() = default;
  void read_graph(std::uint32_t graph, int depth);
  void read_constant(std::uint32_t tensor);
  void read_node(std::uint32_t node, int depth);

  // Positions in bytes_; 0 where there is nothing, since no table lies there.
  std::uint32_t word(std::uint64_t at) const;
  std::uint32_t field(std::uint32_t table, std::uint32_t slot) const;
  std::uint32_t reference(std::uint32_t table, std::uint32_t slot) const;
  std::vector<std::uint32_t> tables(std::uint32_t table, std::uint32_t slot);
  std::string_view bytes_of(std::uint32_t vector, std::size_t item) const;

  std::size_t visited_ = 0;  // tables
  std::vector<char> bytes_;  // not a string: moving one may move its bytes
  std::map<std::string, Tensor, std::less<>> constants_;
  std::map<std::string, std::vector<std::string>, std::less<>> inputs_;
};

}  // namespace hansard::speech
